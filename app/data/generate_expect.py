"""Beside the form of a generation: what it will take, what is left out, and the first pair as it was tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.context import AppContext
from app.data.generate_plan import time_words, tried_rows
from app.widgets.buttons import push_button
from app.widgets.containers import clear_layout, line
from app.widgets.controls import ComboBox
from app.widgets.labels import Chip, ChipTone, text_label
from app.widgets.messages import ProgressLine
from app.widgets.safe_text import SafeText
from core.domain.generated_pairs import reason_title
from core.domain.generation import NEARLY, REASONS, KeepChoice, LeaveReason
from core.domain.tried_pairs import TriedPairs

_PROMPT_LINES, _ANSWER_LINES = 3, 6


class GenerateExpectation(QWidget):
    """Shows what is known before the start; ``changed`` fires after a choice, ``try_wanted`` after its button.

    Args:
        context: theme.
    """

    changed = Signal()
    try_wanted = Signal()

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(text_label("What to expect", "section"))
        head.addStretch(1)
        self.try_first = push_button("Try the first pair", theme=context.theme, icon="clock")
        head.addWidget(self.try_first)
        self.time, self.interval = (
            text_label("Not measured yet", "number", wrap=True),
            text_label("", "caption", wrap=True),
        )
        self.progress, self.error = ProgressLine(title="Trying the first pair"), text_label("", "error", wrap=True)
        self.progress.hide()
        self.interval.hide()
        self._rows = QGridLayout()
        self._rows.setColumnStretch(1, 1)
        self.share = text_label("", "caption", wrap=True)
        self.training = text_label("", "hint", wrap=True)
        column.addLayout(head)
        for part in (self.time, self.interval, self.progress, self.error):
            column.addWidget(part)
        column.addLayout(self._rows)
        for part in (self.share, self.training, line(), text_label("What is left out", "section")):
            column.addWidget(part)
        self.choices: dict[LeaveReason, ComboBox] = {}
        column.addLayout(self._reasons())
        column.addWidget(text_label("Counted and listed in any case; nothing is lost.", "hint", wrap=True))
        self.first = self._first_pair()
        column.addWidget(self.first)
        column.addStretch(1)
        self.try_first.clicked.connect(lambda _: self.try_wanted.emit())
        self.set_limit(0)

    def _reasons(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setColumnStretch(0, 1)
        self._names: dict[LeaveReason, QLabel] = {reason: text_label("", "", wrap=True) for reason in REASONS}
        for row, reason in enumerate(REASONS):
            combo = self.choices[reason] = ComboBox()
            combo.addItem("Leave out", "leave_out")
            combo.addItem("Keep", "keep")
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
            grid.addWidget(self._names[reason], row, 0)
            grid.addWidget(combo, row, 1)
        return grid

    def _first_pair(self) -> QWidget:
        frame = QWidget()
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(line())
        head = QHBoxLayout()
        head.addWidget(text_label("First pair, tried just now", "section"))
        head.addStretch(1)
        self.took = text_label("", "caption")
        head.addWidget(self.took)
        column.addLayout(head)
        theme = self._context.theme
        self.prompt = SafeText(theme, "Prompt of the first pair", size=13)
        self.texts = tuple(SafeText(theme, f"Answer {letter} of the first pair", size=13) for letter in "AB")
        column.addWidget(self.prompt)
        tones: tuple[ChipTone, ChipTone] = ("a", "b")
        for tone, text in zip(tones, self.texts, strict=True):
            row = QHBoxLayout()
            row.addWidget(Chip(tone.upper(), tone), 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            row.addWidget(text, 1)
            column.addLayout(row)
        for lines, text in ((_PROMPT_LINES, self.prompt), *((_ANSWER_LINES, text) for text in self.texts)):
            text.setFixedHeight(lines * text.fontMetrics().lineSpacing())
        frame.hide()
        return frame

    # What is shown

    def set_limit(self, tokens: int) -> None:
        """Name the reasons for answers of so many tokens at most."""
        for reason, label in self._names.items():
            words = reason_title(reason, NEARLY, tokens)
            label.setText(words[0].upper() + words[1:])
            self.choices[reason].setAccessibleName(words)

    def chosen(self) -> Mapping[LeaveReason, KeepChoice]:
        """Return what is done with a pair by reason."""
        return {reason: cast("KeepChoice", combo.currentData()) for reason, combo in self.choices.items()}

    def show_tried(self, tried: TriedPairs) -> None:
        """Show what was measured, and the first pair."""
        words, more = time_words(tried)
        self.time.setText(words)
        self.interval.setText(more)
        self.interval.show()
        clear_layout(self._rows)
        for row, (name, value) in enumerate(tried_rows(tried)):
            self._rows.addWidget(text_label(name, "muted"), row, 0)
            told = text_label(value, "", wrap=True)
            told.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._rows.addWidget(told, row, 1)
        self.took.setText(f"{tried.took_s:.1f} s")
        self.prompt.set_text(tried.prompt.last_text)
        for view, answer in zip(self.texts, (tried.a, tried.b), strict=True):
            view.set_text(answer.text)
        self.first.show()

    def forget(self) -> None:
        """Take away what was measured for other settings."""
        self.time.setText("Not measured yet")
        self.interval.hide()
        clear_layout(self._rows)
        self.first.hide()
        self.say("")

    def say(self, error: str) -> None:
        """Show an error at the place of the measurement; "" takes it away."""
        self.error.setText(error)
        self.error.setVisible(bool(error))

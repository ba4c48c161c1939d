"""Deciding about events: where they go, and what that place needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from app.context import AppContext
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label
from core.domain.counting import counted

Target = Literal["label", "rubric", "suite", "reject"]
_TITLES: dict[Target, str] = {
    "label": "Send to labelling",
    "rubric": "Make a request for a rubric",
    "suite": "Send to a suite",
    "reject": "Reject",
}
_ABOUT: dict[Target, str] = {
    "label": "People label the pair blind, as any other. It enters a dataset version only with an approved changeset.",
    "rubric": "The request waits with the rubric until a version answers it.",
    "suite": "The prompt becomes an item of the suite's next version. Nothing of a suite is ever trained on.",
    "reject": "The event stays in the log with the reason, and goes nowhere.",
}
EXPECTED: tuple[tuple[str, str], ...] = (
    ("refuse", "A good answer declines"),
    ("comply", "A good answer helps"),
    ("open", "People judge the answers"),
)


@dataclass(frozen=True, slots=True)
class TriageLists:
    """What can be chosen: names of rubrics, of suites and of earlier labelling batches."""

    rubrics: Sequence[str] = field(default=())
    suites: Sequence[str] = field(default=())
    batches: Sequence[str] = field(default=())


class TriageDialog(BaseDialog):
    """Asks for what a decision needs.

    Args:
        parent: a widget of the window.
        context: for the theme.
        target: where the events go.
        count: how many events.
        lists: what can be chosen.
        attacks: whether all of them are attacks.
        second: whether a second answer may be given, of one event that has only one.
    """

    def __init__(
        self, parent: QWidget, context: AppContext, target: Target, count: int, lists: TriageLists, *,
        attacks: bool = False, second: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parent, _TITLES[target])
        self._target, self._attacks = target, attacks
        self.place, self.expected = ComboBox(outside=True), ComboBox()
        self.reason, self.answer = QLineEdit(), QPlainTextEdit()
        self.setMinimumWidth(context.theme.px(430))
        self.column.addWidget(text_label(f"{_TITLES[target]}: {counted(count, 'event')}", "strong", wrap=True))
        self.column.addWidget(text_label(_ABOUT[target], "muted", wrap=True))
        self._add_place(lists)
        if target == "suite":
            self._add("What is expected", self.expected)
            for key, words in EXPECTED:
                self.expected.addItem(words, key)
            self.expected.setCurrentIndex(0 if attacks else 2)
        if target == "label" and second:
            self.answer.setTabChangesFocus(True)
            self.answer.setMinimumHeight(4 * self.fontMetrics().lineSpacing())
            self._add("A second answer, if you have one", self.answer)
            self.column.addWidget(
                text_label("Without one the event waits for another event with the same prompt.", "hint", wrap=True)
            )
        self._add("Reason" if target == "reject" else "Reason (may stay empty)", self.reason)
        self.main = self.add_buttons(_TITLES[target])
        self.reason.textChanged.connect(lambda _: self._follow())
        self.place.editTextChanged.connect(lambda _: self._follow())
        self._follow()

    @property
    def place_name(self) -> str:
        """The rubric, suite or batch that was chosen."""
        return self.place.currentText().strip()

    def _add_place(self, lists: TriageLists) -> None:
        names: dict[Target, tuple[str, Sequence[str]]] = {
            "label": ("Labelling batch (may stay empty)", lists.batches),
            "rubric": ("Rubric", lists.rubrics),
            "suite": ("Suite, an existing one or a new name", lists.suites),
        }
        if self._target not in names:
            return
        title, options = names[self._target]
        self.place.setEditable(self._target != "rubric")
        if self._target == "label":
            self.place.addItem("")
        for name in options:
            self.place.addItem(name)
        self._add(title, self.place)
        if self._target == "suite":
            place = self.place.findText("attacks")
            self.place.setCurrentIndex(place) if place >= 0 else self.place.setEditText("attacks")

    def _add(self, title: str, widget: QWidget) -> None:
        label = text_label(title, "caption", wrap=True)
        label.setBuddy(widget)
        widget.setAccessibleName(title)
        self.column.addWidget(label)
        self.column.addWidget(widget)

    def _follow(self) -> None:
        needs_place = self._target in ("rubric", "suite") and not self.place_name
        needs_reason = self._target == "reject" and not self.reason.text().strip()
        self.main.setEnabled(not needs_place and not needs_reason)
        missing = "A rejection needs a reason." if needs_reason else "Name where they go." if needs_place else ""
        self.main.setToolTip(missing)

"""The flags of a pair and the spans of its answers, each with a button that removes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.annotate.answer_pane import GOOD
from app.annotate.judgement_form import AnswerSpan, ScreenSide
from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import clear_layout
from app.widgets.labels import Chip, ChipTone, ElideLabel
from core.domain.judgement import FLAGS, SPAN_TAGS

EXCERPT = 80
"""Characters of a span that its row shows."""


class FlagsAndSpans(QWidget):
    """One row a flag and a span.

    Signals:
        flag_removed(str), span_removed(AnswerSpan): the button of a row was pressed.
        rows_made(): the rows were made anew.
    """

    flag_removed = Signal(str)
    span_removed = Signal(object)
    rows_made = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)
        self._shown: tuple[object, ...] = ()

    def show_rows(self, flags: Sequence[str], spans: Sequence[AnswerSpan], texts: Mapping[ScreenSide, str]) -> None:
        """Show flags and spans; ``texts`` are the answers by side."""
        rows = (tuple(flags), tuple(spans), tuple(texts.values()))
        if rows == self._shown:
            return
        self._shown = rows
        clear_layout(self._rows)
        for flag in flags:
            self._add(FLAGS.get(flag, flag), "warn", "", partial(self.flag_removed.emit, flag))
        for span in spans:
            words = " ".join(texts[span.side][span.start : span.end][:EXCERPT].split())
            tone: ChipTone = "ok" if span.tag == GOOD else "bad"
            name = SPAN_TAGS.get(span.tag, span.tag)
            self._add(name, tone, f"{span.side}: {words}", partial(self.span_removed.emit, span))
        self.setVisible(bool(flags or spans))
        self.rows_made.emit()

    def _add(self, name: str, tone: ChipTone, words: str, remove: Callable[[], None]) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(Chip(name, tone))
        row.addWidget(ElideLabel(words, kind="caption"), 1)
        button = icon_button(self._theme, "close", f"Remove: {name} {words}".strip(), size=12)
        button.clicked.connect(lambda: remove())
        row.addWidget(button)
        self._rows.addLayout(row)

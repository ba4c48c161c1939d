"""Both answers, side by side or stacked, scrolling together when linked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QScrollBar, QSplitter

from app.annotate.answer import Stretch
from app.annotate.answer_pane import AnswerPane
from app.theme.theme import Theme
from app.widgets.word_diff import compare


class AnswerPanes(QSplitter):
    """The two answers of a pair in the present view.

    Signals:
        mostly_different(): most words differ, so the marks say little.
    """

    mostly_different = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.left, self.right = AnswerPane(theme, "Left"), AnswerPane(theme, "Right")
        self.addWidget(self.left)
        self.addWidget(self.right)
        self.setSizes([10_000, 10_000])
        self.setChildrenCollapsible(False)
        self.setHandleWidth(8)
        self.setStyleSheet("QSplitter::handle { background: transparent; }")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Both answers")
        self._linked, self._diff, self._source, self._moving = True, False, False, False
        for mine, other in ((self.left, self.right), (self.right, self.left)):
            mine.text.let_keyboard_select()
            bar, target = mine.text.verticalScrollBar(), other.text.verticalScrollBar()
            bar.valueChanged.connect(lambda value, bar=bar, target=target: self._follow(value, bar, target))

    @property
    def shows_source(self) -> bool:
        """Whether words can be selected as they are stored, and marks are drawn."""
        return self._source or self._diff

    def show_pair(self, left: str, right: str) -> None:
        """Show two answers in the present mode."""
        self.left.set_text(left)
        self.right.set_text(right)
        if self._diff:
            self._apply(tell=False)

    def clear(self) -> None:
        """Show nothing."""
        self.show_pair("", "")

    def set_diff(self, on: bool, *, tell: bool = True) -> None:
        """Mark the words that only one answer has."""
        self._diff = on
        self._apply(tell=tell)

    def set_source(self, on: bool) -> None:
        """Show the text character by character instead of rendered."""
        self._source = on
        self._apply(tell=False)

    def set_linked(self, on: bool) -> None:
        """Scroll both answers together."""
        self._linked = on

    def set_stacked(self, on: bool) -> None:
        """Put the answers above each other instead of side by side."""
        self.setOrientation(Qt.Orientation.Vertical if on else Qt.Orientation.Horizontal)

    def set_size(self, size: int) -> None:
        """Take another text size, in design pixels."""
        for pane in (self.left, self.right):
            pane.text.set_size(size)

    def scroll(self, pages: float) -> None:
        """Scroll both answers by a share of their height."""
        for pane in (self.left, self.right):
            bar = pane.text.verticalScrollBar()
            bar.setValue(bar.value() + round(pages * bar.pageStep()))

    def set_preferred(self, side: str) -> None:
        """Mark "left", "right" or neither."""
        self.left.set_preferred(side == "left")
        self.right.set_preferred(side == "right")

    def set_work(self, edited: str, stretches: Sequence[Stretch]) -> None:
        """Show which side was edited ("left", "right" or none) and the marked stretches."""
        for side, pane in (("left", self.left), ("right", self.right)):
            pane.set_edited(edited == side)
            pane.set_stretches(stretches)

    def selected(self) -> tuple[str, int, int] | None:
        """Return side, start and end of the selected words in the stored text, or None."""
        panes = [("left", self.left), ("right", self.right)]
        panes.sort(key=lambda entry: not entry[1].text.hasFocus())
        for side, pane in panes:
            if (stretch := pane.text.selected_stretch()) is not None:
                return (side, *stretch)
        return None

    def drop_selection(self) -> None:
        """Select nothing any more."""
        for pane in (self.left, self.right):
            cursor = pane.text.textCursor()
            cursor.clearSelection()
            pane.text.setTextCursor(cursor)

    def _apply(self, *, tell: bool) -> None:
        if not self._diff:
            mode = "source" if self._source else "rendered"
            for pane in (self.left, self.right):
                if pane.text.mode != mode:
                    pane.text.set_mode(mode)
            return
        diff = compare(self.left.text.text_shown, self.right.text.text_shown)
        self.left.text.set_mode("diff", diff.left)
        self.right.text.set_mode("diff", diff.right)
        if tell and diff.mostly:
            self.mostly_different.emit()

    def _follow(self, value: int, bar: QScrollBar, target: QScrollBar) -> None:
        """Keep the other answer at the same share of its length."""
        if not self._linked or self._moving:
            return
        self._moving = True
        share = value / bar.maximum() if bar.maximum() else 0.0
        target.setValue(round(share * target.maximum()))
        self._moving = False

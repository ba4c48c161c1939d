"""Both answers, side by side or stacked, scrolling together when linked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QScrollBar, QSplitter

from app.annotate.answer_pane import AnswerPane, SpanNotes
from app.annotate.judgement_form import AnswerSpan, ScreenSide
from app.theme.theme import Theme
from app.widgets.word_diff import WordDiff, compare


class AnswerPanes(QSplitter):
    """The two answers of a pair: rendered, as source, or with their word differences.

    Signals:
        mostly_different(): most words differ, so that the differences say little.
        source_changed(bool): the texts are shown as they are written from now on, or not any more.
        edit_requested(), span_requested(): a button above an answer was pressed.
    """

    mostly_different = Signal()
    source_changed = Signal(bool)
    edit_requested = Signal()
    span_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.left, self.right = AnswerPane(theme, "left"), AnswerPane(theme, "right")
        self._both = (self.left, self.right)
        self.setHandleWidth(8)
        self.setStyleSheet("QSplitter::handle { background: transparent; }")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Both answers")
        self._theme, self._least = theme, 0
        self._linked, self._diff, self._source, self._following = True, False, False, False
        for pane, other in ((self.left, self.right), (self.right, self.left)):
            self.addWidget(pane)
            pane.edit_requested.connect(self.edit_requested)
            pane.span_requested.connect(self.span_requested)
            pane.text.let_keyboard_select()
            bar, target = pane.text.verticalScrollBar(), other.text.verticalScrollBar()
            bar.valueChanged.connect(lambda value, bar=bar, target=target: self._follow(value, bar, target))
        self.setSizes([10_000, 10_000])
        self.setChildrenCollapsible(False)

    def only_show(self, least: int) -> None:
        """Leave out the tools, where nothing is tagged or edited; so many design pixels of text stay in sight."""
        self._least = least
        for pane in self._both:
            pane.set_low(True)
        self._theme.follow(self._fit_least)
        self._fit_least()

    def _fit_least(self) -> None:
        for pane in self._both:
            pane.text.setMinimumHeight(self._theme.px(self._least))

    @property
    def shows_source(self) -> bool:
        """Whether the text is shown as it is stored, character by character."""
        return self._source or self._diff

    def next_shows(self, *, source: bool) -> None:
        """Show the next pair rendered or as source, whatever this one was switched to."""
        self._source = source
        self.source_changed.emit(source)

    def show_pair(self, left: str, right: str) -> None:
        """Show two answers."""
        if self._diff:
            self._show_diff(left, right, warn=False)
            return
        mode = "source" if self._source else "rendered"
        self.left.set_text(left, mode)
        self.right.set_text(right, mode)

    def set_diff(self, on: bool, *, warn: bool = True) -> None:
        """Mark the words that only one answer has; ``warn`` emits ``mostly_different`` when it applies."""
        self._diff = on
        self._apply(warn=warn)

    def set_source(self, on: bool) -> None:
        """Show the text character by character instead of rendered."""
        self._source = on
        self._apply(warn=False)
        self.source_changed.emit(on)

    def show_all(self) -> None:
        """Show the whole of answers that are too long to be shown at once."""
        for pane in self._both:
            if pane.text.cut_off:
                pane.text.show_all()

    def expect(self, texts: Sequence[str]) -> None:
        """Draw the formulas of texts that will be shown soon."""
        for text in texts:
            self.left.text.expect(text)

    def set_linked(self, on: bool) -> None:
        """Scroll both answers together."""
        self._linked = on

    def set_stacked(self, on: bool) -> None:
        """Put the answers above each other instead of side by side."""
        self.setOrientation(Qt.Orientation.Vertical if on else Qt.Orientation.Horizontal)

    def set_size(self, size: int) -> None:
        """Take another text size, in design pixels."""
        for pane in self._both:
            pane.text.set_size(size)

    def scroll_pages(self, pages: float) -> None:
        """Scroll both answers by a share of their height."""
        for pane in self._both:
            bar = pane.text.verticalScrollBar()
            bar.setValue(bar.value() + round(pages * bar.pageStep()))

    def set_preferred(self, side: ScreenSide | None) -> None:
        """Show which answer is preferred."""
        for pane in self._both:
            pane.set_preferred(pane.side == side)

    def show_edit_and_spans(
        self, edited: ScreenSide | None, spans: Sequence[AnswerSpan], notes: SpanNotes | None = None
    ) -> None:
        """Show which answer was edited, and the spans of both; ``notes`` say whose they are."""
        for pane in self._both:
            pane.set_edited(pane.side == edited)
            pane.set_spans(spans, notes)

    def selected(self) -> tuple[ScreenSide, int, int] | None:
        """Return side, start and end of the selected words in the stored text, or None."""
        for pane in sorted(self._both, key=lambda pane: not pane.text.hasFocus()):
            if (selection := pane.text.selected_range()) is not None:
                return (pane.side, *selection)
        return None

    def clear_selection(self) -> None:
        """Select nothing any more."""
        for pane in self._both:
            cursor = pane.text.textCursor()
            cursor.clearSelection()
            pane.text.setTextCursor(cursor)

    def _apply(self, *, warn: bool) -> None:
        if self._diff:
            self._show_diff(self.left.text.text_shown, self.right.text.text_shown, warn=warn)
            return
        mode = "source" if self._source else "rendered"
        for pane in self._both:
            pane.set_diff_note("")
            if pane.text.mode != mode:
                pane.text.set_mode(mode)

    def _show_diff(self, left: str, right: str, *, warn: bool) -> None:
        diff = compare(left, right)
        for pane, text, marks in ((self.left, left, diff.left), (self.right, right, diff.right)):
            if pane.text.text_shown == text:
                pane.text.set_mode("diff", marks)
            else:
                pane.set_text(text, "diff", marks)
            pane.set_diff_note(diff_note(diff))
        if warn and diff.mostly:
            self.mostly_different.emit()

    def _follow(self, value: int, bar: QScrollBar, target: QScrollBar) -> None:
        """Keep the other answer at the same share of its length."""
        if not self._linked or self._following:
            return
        self._following = True
        share = value / bar.maximum() if bar.maximum() else 0.0
        target.setValue(round(share * target.maximum()))
        self._following = False


def diff_note(diff: WordDiff) -> str:
    """Return what the marks of word differences cannot say, or an empty text."""
    if diff.mostly:
        return "Most words differ: the marks say little. D hides them."
    return "Very long texts: whole lines are marked where a word differs." if diff.by_lines else ""

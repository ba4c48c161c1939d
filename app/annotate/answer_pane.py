"""One answer: a card that shows which side it is, whether it is preferred, and its text."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter

from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import Card
from app.widgets.labels import Chip, text_label
from app.widgets.safe_text import SafeText
from app.widgets.word_diff import compare


class AnswerPane(Card):
    """The left or the right answer. Where it came from is not shown."""

    def __init__(self, theme: Theme, side: str) -> None:
        super().__init__(margin=14)
        self.side = side
        self.text = SafeText(theme, f"{side} answer")
        self.text.setMinimumSize(160, 80)
        self._preferred = Chip("Preferred", "accent")
        self._hidden = Chip("hidden characters", "warn", tooltip="Invisible characters are shown as named chips.")
        self.head.addWidget(text_label(side, "title"))
        self.head.addWidget(self._preferred)
        self.head.addWidget(self._hidden)
        self.head.addStretch(1)
        self._length = text_label("", "caption")
        self.head.addWidget(self._length)
        copy = icon_button(theme, "copy", f"Copy the {side.lower()} answer", size=16)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.text_shown))
        self.head.addWidget(copy)
        self._all = icon_button(theme, "expand", "Show the whole text", size=16)
        self._all.clicked.connect(self.text.show_all)
        self.head.addWidget(self._all)
        self.text.cut_changed.connect(self._all.setVisible)
        self.column.addLayout(self.head)
        self.add(self.text, 1)
        self.set_preferred(False)

    def set_preferred(self, on: bool) -> None:
        """Draw the accent border and the chip."""
        self.set_selected(on)
        self._preferred.setVisible(on)
        state = ", preferred" if on else ""
        self.setAccessibleName(f"{self.side} answer{state}")

    def set_text(self, text: str) -> None:
        """Show an answer."""
        self.text.set_text(text)
        words = len(text.split())
        self._length.setText(f"{words} word{'s' if words != 1 else ''}")
        self._hidden.setVisible(self.text.has_hidden_characters)


class AnswerPanes(QSplitter):
    """Both answers, side by side or stacked, scrolling together when linked.

    Signals:
        mostly_different(): most words differ, so the marks say little.
    """

    mostly_different = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.left, self.right = AnswerPane(theme, "Left"), AnswerPane(theme, "Right")
        self.addWidget(self.left)
        self.addWidget(self.right)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(8)
        self.setStyleSheet("QSplitter::handle { background: transparent; }")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Both answers")
        self._linked, self._diff, self._source, self._moving = True, False, False, False
        for mine, other in ((self.left, self.right), (self.right, self.left)):
            bar, target = mine.text.verticalScrollBar(), other.text.verticalScrollBar()
            bar.valueChanged.connect(lambda value, bar=bar, target=target: self._follow(value, bar, target))

    def show_pair(self, left: str, right: str) -> None:
        """Show two answers in the present mode."""
        self.left.set_text(left)
        self.right.set_text(right)
        self._apply(tell=False)

    def clear(self) -> None:
        """Show nothing."""
        self.show_pair("", "")

    def set_diff(self, on: bool) -> None:
        """Mark the words that only one answer has."""
        self._diff = on
        self._apply(tell=True)

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

    def scroll(self, pages: float) -> None:
        """Scroll both answers by a share of their height."""
        for pane in (self.left, self.right):
            bar = pane.text.verticalScrollBar()
            bar.setValue(bar.value() + round(pages * bar.pageStep()))

    def set_preferred(self, side: str) -> None:
        """Mark "left", "right" or neither."""
        self.left.set_preferred(side == "left")
        self.right.set_preferred(side == "right")

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
        if tell and diff.changed > 0.6:
            self.mostly_different.emit()

    def _follow(self, value: int, bar: object, target: object) -> None:
        """Keep the other answer at the same share of its length."""
        if not self._linked or self._moving:
            return
        self._moving = True
        share = value / bar.maximum() if bar.maximum() else 0.0  # type: ignore[attr-defined]
        target.setValue(round(share * target.maximum()))  # type: ignore[attr-defined]
        self._moving = False

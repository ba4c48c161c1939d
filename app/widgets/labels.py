"""Labels: always plain text, in the styles of the design; long text is elided and does not widen the window."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyle, QStyleOption, QWidget

TextKind = Literal["", "title", "section", "number", "strong", "muted", "caption", "hint", "mono", "error", "hero"]
ChipTone = Literal["neutral", "accent", "ok", "warn", "bad", "a", "b"]


def restyle(widget: QWidget) -> None:
    """Make a changed style property take effect."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def short(text: str, most: int = 34) -> str:
    """Return a name cut in its middle, so that a number at its end stays.

    >>> short("A rubric with a very long name 2.0.0", 20)
    'A rubric w…ame 2.0.0'
    """
    if len(text) <= most:
        return text
    tail = most // 2 - 1
    return f"{text[: most - tail - 1]}…{text[-tail:]}"


def plain_tip(text: str) -> str:
    """Return a text from outside as a tooltip that shows its characters: Qt would take ``<b>`` in it for markup.

    >>> plain_tip("Kept as it is")
    'Kept as it is'
    """
    if not Qt.mightBeRichText(text):
        return text
    return f'<p style="white-space: pre-wrap">{html.escape(text, quote=False)}</p>'


def text_label(text: str = "", kind: TextKind = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """Return a plain-text label in one of the design's text styles."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    if kind:
        label.setProperty("type", kind)
    label.setWordWrap(wrap)
    if selectable:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


class ElideLabel(QLabel):
    """A one-line plain label that ends in … when it does not fit; the whole text is its tooltip then.

    It is for text from outside, such as names, paths and prompts (``outside``), and for what stands elsewhere too. What
    the program itself says is never cut: that is a ``text_label`` which breaks into lines. A test looks for it.
    """

    def __init__(
        self,
        text: str = "",
        *,
        kind: TextKind = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        outside: bool = False,
    ) -> None:
        super().__init__()
        self.setProperty("outside", outside)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._mode = mode
        if kind:
            self.setProperty("type", kind)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def minimumSizeHint(self) -> QSize:
        """Return room for a few letters."""
        metrics = self.fontMetrics()
        return QSize(min(metrics.horizontalAdvance("mmm…"), super().sizeHint().width()), super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw as much as fits."""
        painter = QPainter(self)
        option = QStyleOption()
        option.initFrom(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, painter, self)
        room = self.contentsRect()
        line = self.text().replace("\n", " ")
        shown = self.fontMetrics().elidedText(line, self._mode, room.width())
        self.setToolTip(plain_tip(line[:1000]) if shown != line else "")
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, int(self.alignment()) | Qt.TextFlag.TextSingleLine, shown)


class FitLabel(QLabel):
    """A one-line label that shows the longest of several texts for which there is room; the longest is its tooltip.

    It is for what the program itself says: no text is ever cut, a shorter one is shown instead.
    """

    def __init__(self, *texts: str, kind: TextKind = "") -> None:
        """Args: texts: the longest first. kind: style of the text."""
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        if kind:
            self.setProperty("type", kind)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._texts: tuple[str, ...] = texts or ("",)
        self._about = ""
        self._fit()

    @property
    def full(self) -> str:
        """The longest text."""
        return self._texts[0]

    def set_texts(self, texts: Sequence[str], about: str = "") -> None:
        """Take other texts, the longest first; ``about`` explains them in the tooltip."""
        if (tuple(texts), about) != (self._texts, self._about):
            self._texts, self._about = tuple(texts) or ("",), about
            self._fit()

    def minimumSizeHint(self) -> QSize:
        """Return room for the shortest text."""
        return QSize(min(map(self.fontMetrics().horizontalAdvance, self._texts)), super().sizeHint().height())

    def sizeHint(self) -> QSize:
        """Return room for the longest text."""
        return QSize(max(map(self.fontMetrics().horizontalAdvance, self._texts)), super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose what fits."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.contentsRect().width()
        fitting = (text for text in self._texts if self.fontMetrics().horizontalAdvance(text) <= room)
        shown = next(fitting, min(self._texts, key=len))
        if shown != self.text():
            self.setText(shown)
        tip = (self.full if shown != self.full else "", self._about)
        self.setToolTip(plain_tip("\n".join(part for part in tip if part)))


class Chip(QLabel):
    """A small rounded label: a state, a count, a tag. Without text it is hidden."""

    def __init__(self, text: str = "", tone: ChipTone = "neutral", *, tooltip: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setProperty("chip", tone)
        self.setToolTip(plain_tip(tooltip))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        """Show a text; an empty one hides the chip."""
        super().setText(text)
        if not text:
            self.hide()
        elif self.isHidden() and self.parent() is not None:
            self.show()

    def set_chip(self, text: str, tone: ChipTone = "neutral") -> None:
        """Change text and tone together."""
        self.setText(text)
        if self.property("chip") != tone:
            self.setProperty("chip", tone)
            restyle(self)


class KeyHint(QLabel):
    """A key as it is printed on a keyboard."""

    def __init__(self, keys: str) -> None:
        super().__init__(keys)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("key", "true")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

"""Puts a plain text into a text view: its beginning at once, the rest in parts, one in each turn of the event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor, QTextImageFormat
from PySide6.QtWidgets import QTextEdit

from app.theme.formulas import Picture
from app.widgets.display import SHOW_AT_FIRST, TextSpan
from app.widgets.markdown_html import LINE
from app.widgets.text_places import TextPlaces

PART_CHARS, PART_LINES = 30_000, 400
"""What is laid out in one turn at most, but for a single longer line."""


class GrowingText(QObject):
    """Shows one text with the formats of its spans; a text that begins with the one before only grows."""

    def __init__(self, view: QTextEdit) -> None:
        super().__init__(view)
        self._view = view
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._grow)
        self._text = ""
        self._spans: Sequence[TextSpan] = ()
        self._formats: Mapping[str, QTextCharFormat] = {}
        self._at = 0
        self._block = QTextBlockFormat()
        self._block.setLineHeight(LINE, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)

    @property
    def is_whole(self) -> bool:
        """Whether the whole text is in the view."""
        return self._at == len(self._text)

    def stop(self) -> None:
        """Forget the text: the view shows something else."""
        self._timer.stop()
        self._text, self._spans, self._at = "", (), 0

    def show(
        self,
        text: str,
        spans: Sequence[TextSpan],
        formats: Mapping[str, QTextCharFormat],
        pictures: Sequence[tuple[int, Picture]] = (),
    ) -> bool:
        """Show another text, or more of the same; return whether it is more of the same.

        Args:
            text: to be shown.
            spans: parts of it with a format.
            formats: of each kind of span.
            pictures: each behind its place; in the beginning of the text only.
        """
        grows = self._grows_to(text, spans, formats)
        self._timer.stop()
        self._text, self._spans, self._formats = text, spans, formats
        if not grows:
            self._view.setPlainText("")
            self._at = 0
            self._append(_line_end(text, 0, SHOW_AT_FIRST))
            self._put_pictures(pictures)
        if len(text) - self._at <= PART_CHARS:
            self._append(len(text))
        else:
            self._timer.start()
        return grows

    def _grows_to(self, text: str, spans: Sequence[TextSpan], formats: Mapping[str, QTextCharFormat]) -> bool:
        """Whether what is in the view is the beginning of a text with the same formats."""
        if not 0 < self._at < len(text) or len(self._text) >= len(text) or formats.keys() != self._formats.keys():
            return False
        here = [span for span in spans if span.start < self._at]
        return text.startswith(self._text[: self._at]) and here == list(self._spans) and _same(formats, self._formats)

    def _grow(self) -> None:
        """Append one part."""
        self._append(_line_end(self._text, self._at, PART_CHARS, PART_LINES))
        if not self.is_whole:
            self._timer.start()

    def _append(self, end: int) -> None:
        """Append the text up to a place, with its formats."""
        start, self._at = self._at, end
        own = self._view.textCursor()
        kept = own.anchor(), own.position()
        cursor = QTextCursor(self._view.document())
        cursor.beginEditBlock()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        base = cursor.position()
        cursor.setBlockFormat(self._block)
        part = self._text[start:end]
        cursor.insertText(part, QTextCharFormat())
        places = TextPlaces(part)
        for span in self._spans:
            if span.start < end and span.end > start:
                cursor.setPosition(base + places.to_qt(max(span.start, start) - start))
                cursor.setPosition(base + places.to_qt(min(span.end, end) - start), QTextCursor.MoveMode.KeepAnchor)
                cursor.mergeCharFormat(self._formats[span.kind])
        cursor.endEditBlock()
        if (own.anchor(), own.position()) != kept:  # it stood where the part was inserted
            own.setPosition(kept[0])
            own.setPosition(kept[1], QTextCursor.MoveMode.KeepAnchor)
            self._view.setTextCursor(own)

    def _put_pictures(self, pictures: Sequence[tuple[int, Picture]]) -> None:
        """Put each picture in the place of the sign that stands for it."""
        if not pictures:
            return
        cursor, places = QTextCursor(self._view.document()), TextPlaces(self._text)
        cursor.beginEditBlock()
        for place, picture in pictures:
            if place >= self._at:
                break
            image = QTextImageFormat()
            image.setName(picture.name)
            image.setWidth(picture.width)
            image.setHeight(picture.height)
            cursor.setPosition(places.to_qt(place))
            cursor.setPosition(places.to_qt(place) + 1, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertImage(image)
        cursor.endEditBlock()


def _line_end(text: str, start: int, chars: int, lines: int = 0) -> int:
    """Return where a part ends that begins at ``start``: behind a line, unless one line is longer than the part."""
    end = min(len(text), start + chars)
    if lines:
        at = start
        for _ in range(lines):
            at = text.find("\n", at, end) + 1
            if not at:
                break
        else:
            return at
    if end < len(text) and (line := text.rfind("\n", start, end)) >= start:
        return line + 1
    return end


def _same(one: Mapping[str, QTextCharFormat], other: Mapping[str, QTextCharFormat]) -> bool:
    return all(one[kind] == other[kind] for kind in one)

"""The one way text from outside is shown: rendered Markdown without HTML, its source, or word differences.

Nothing is ever loaded: no image, no style sheet, no link. Hidden and direction-changing characters become
visible chips, endless words are broken, and very long texts show their beginning until asked for the rest.
"""

from __future__ import annotations

from typing import Any, Literal

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QImage, QTextOption
from PySide6.QtWidgets import QFrame, QTextBrowser

from app.theme.theme import Theme
from app.widgets import text_markup
from app.widgets.word_diff import Marks

Mode = Literal["rendered", "source", "diff"]
FIRST_CHARS = 200_000


class SafeText(QTextBrowser):
    """Shows one text. ``cut_changed(bool)`` tells whether only the beginning is shown."""

    cut_changed = Signal(bool)

    def __init__(self, theme: Theme, name: str, *, size: int = 14) -> None:
        super().__init__()
        self._theme, self._size = theme, size
        self._text, self._mode, self._marks = "", "rendered", None
        self._all = False
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        theme.changed.connect(self._render)

    def loadResource(self, kind: int, name: QUrl) -> Any:
        """Give an empty picture for every resource; returning nothing would let Qt open the file itself."""
        return QImage(1, 1, QImage.Format.Format_ARGB32)

    @property
    def text_shown(self) -> str:
        """The text as it was given, not as it is displayed."""
        return self._text

    @property
    def mode(self) -> Mode:
        """How it is shown."""
        return self._mode  # type: ignore[return-value]

    def set_text(self, text: str, *, mode: Mode | None = None, marks: Marks | None = None) -> None:
        """Show a text; ``marks`` are the stretches that only this text has (for the mode "diff")."""
        self._text, self._marks, self._all = text, marks, False
        self._mode = mode or self._mode
        self._render()
        self.verticalScrollBar().setValue(0)

    def set_mode(self, mode: Mode, marks: Marks | None = None) -> None:
        """Show the same text in another way and keep the place."""
        place = self.verticalScrollBar().value()
        self._mode, self._marks = mode, marks if marks is not None else self._marks
        self._render()
        self.verticalScrollBar().setValue(place)

    def show_all(self) -> None:
        """Show the whole of a very long text."""
        self._all = True
        self._render()

    @property
    def has_hidden_characters(self) -> bool:
        """Whether the text holds characters that are normally invisible."""
        return text_markup.count_hidden(self._text) > 0

    def _render(self) -> None:
        shown = self._text if self._all else self._text[:FIRST_CHARS]
        tokens = self._theme.tokens
        self.document().setDefaultFont(self._theme.font(self._size))
        self.document().setDefaultStyleSheet(text_markup.style_sheet(tokens, self._theme.px(self._size)))
        if self._mode == "rendered":
            html = text_markup.markdown(shown, tokens)
        elif self._mode == "diff" and self._marks is not None:
            html = text_markup.marked(shown, self._marks)
        else:
            html = text_markup.source(shown)
        self.setHtml(html)
        self.cut_changed.emit(len(shown) < len(self._text))

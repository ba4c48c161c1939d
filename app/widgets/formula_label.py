"""A label that shows one formula of the program as a picture, or in plain letters while there is none."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QLabel

from app.theme.formulas import Formula
from app.theme.theme import Theme


class FormulaLabel(QLabel):
    """A formula in the colours and the text size of the theme; it is drawn in the background once it is wanted.

    Args:
        theme: colours, sizes, the formulas that are kept.
        size: of the text, in design pixels.
    """

    def __init__(self, theme: Theme, *, size: int = 14) -> None:
        super().__init__()
        self._theme, self._size, self._tex, self._plain = theme, size, "", ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme.formulas.drawn.connect(self._show)
        theme.follow(self._ask)

    def set_formula(self, tex: str, plain: str) -> None:
        """Show a formula: ``tex`` is its LaTeX, ``plain`` the same in one line of letters, read by screen readers."""
        if (tex, plain) == (self._tex, self._plain):
            return
        self._tex, self._plain = tex, plain
        self.setAccessibleName(plain)
        self._ask()

    def _formula(self) -> Formula:
        colour = self._theme.tokens.colour("text").name()
        return Formula(self._tex, False, self._theme.px(self._size), colour)

    def _ask(self) -> None:
        self._show()
        if self._tex:
            self._theme.formulas.want([self._formula()])

    def _show(self) -> None:
        """Show the picture where it is there."""
        if not self._tex:
            self.setWordWrap(True)
            self.setText(self._plain)
            return
        picture = self._theme.formulas.picture(self._formula())
        self.setWordWrap(picture is None)
        if picture is None:
            self.setText(self._plain)
            return
        pixmap = QPixmap.fromImage(picture.image)
        pixmap.setDevicePixelRatio(picture.image.width() / max(1, picture.width))
        self.setPixmap(pixmap)

"""Icons: the project's own line drawings in ``resources/icons``, tinted with theme colours when they are painted.

The colour is looked up at paint time, so a theme switch needs a repaint and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.theme.tokens import Tokens

Colours = Callable[[], Tokens]


class Icons:
    """Loads, tints and caches the drawings; one for the whole window."""

    def __init__(self, folder: Path, tokens: Colours) -> None:
        self._folder = folder
        self._tokens = tokens
        self._sources: dict[str, str] = {}
        self._pixmaps: dict[tuple[str, str, int, int], QPixmap] = {}

    def icon(self, name: str, colour: str = "text2", on: str = "accent") -> QIcon:
        """Return an icon that follows the theme.

        Args:
            name: file stem in ``resources/icons``.
            colour: token while off.
            on: token while checked or selected.
        """
        return QIcon(_TintedEngine(self, name, colour, on))

    def pixmap(self, name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
        """Return a square picture of ``size`` logical pixels in the token ``colour``."""
        pixmap = QPixmap(self.render(name, self._tokens()[colour], round(size * ratio), round(size * ratio)))
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def render(self, name: str, colour: str, width: int, height: int) -> QPixmap:
        """Return the drawing in ``#RRGGBB`` on a transparent ground, in device pixels."""
        key = (name, colour, width, height)
        if key not in self._pixmaps:
            if len(self._pixmaps) > 600:
                self._pixmaps.clear()
            self._pixmaps[key] = self._draw(*key)
        return self._pixmaps[key]

    def names(self) -> list[str]:
        """Return the names of all drawings."""
        return sorted(path.stem for path in self._folder.glob("*.svg"))

    def _draw(self, name: str, colour: str, width: int, height: int) -> QPixmap:
        if name not in self._sources:
            path = self._folder / f"{name}.svg"
            self._sources[name] = path.read_text(encoding="utf-8") if path.is_file() else ""
        pixmap = QPixmap(width, height)
        pixmap.fill(Qt.GlobalColor.transparent)
        source = self._sources[name]
        if source and width > 0 and height > 0:
            renderer = QSvgRenderer(QByteArray(source.replace("#000", colour).encode()))
            painter = QPainter(pixmap)
            side = min(width, height)
            renderer.render(painter, QRectF((width - side) / 2, (height - side) / 2, side, side))
            painter.end()
        return pixmap

    def _colour(self, mode: QIcon.Mode, state: QIcon.State, off: str, on: str) -> str:
        if mode == QIcon.Mode.Disabled:
            return self._tokens()["text3"]
        return self._tokens()[on if state == QIcon.State.On else off]


class _TintedEngine(QIconEngine):
    """Paints one drawing in the colour the theme has at that moment."""

    def __init__(self, icons: Icons, name: str, off: str, on: str) -> None:
        super().__init__()
        self._icons, self._name, self._off, self._on = icons, name, off, on

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw at the painter's own resolution."""
        ratio = painter.device().devicePixelRatioF() if painter.device() else 1.0
        pixmap = QPixmap(self.pixmap(QSize(round(rect.width() * ratio), round(rect.height() * ratio)), mode, state))
        pixmap.setDevicePixelRatio(ratio)
        painter.drawPixmap(QPoint(rect.x(), rect.y()), pixmap)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the drawing in device pixels."""
        colour = self._icons._colour(mode, state, self._off, self._on)
        return self._icons.render(self._name, colour, size.width(), size.height())

    def clone(self) -> QIconEngine:
        """Return an engine that paints the same."""
        return _TintedEngine(self._icons, self._name, self._off, self._on)

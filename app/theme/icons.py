"""Icons: the project's own line drawings in ``resources/icons``, in theme colours.

A tinted copy of a drawing is written to a temporary folder of the program and painted by Qt's own SVG icon engine:
sharp at any size, drawn when needed. An icon engine written in Python would follow the theme by itself, but the binding
frees it while Qt still paints with it. So a theme change finds our icons in the window and replaces them.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt, QTemporaryDir
from PySide6.QtGui import QAction, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QListWidget, QTabBar, QWidget

from app.theme.theme_file import Tokens

Colours = Callable[[], Tokens]
Room = Literal["", "left", "right"]
"""The side on which a drawing leaves room for the words of its button; Qt leaves two pixels, too few to see."""
SIDE, ROOM = 24, 4
"""Side of a drawing, and the room beside it, in units of the drawing."""
_BOX = f'viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}"'
_WIDE = {
    room: f'viewBox="{left} 0 {SIDE + ROOM} {SIDE}" width="{SIDE + ROOM}"'
    for room, left in (("left", -ROOM), ("right", 0))
}


def width_beside(pixels: int) -> int:
    """Return the width of an icon of a height, with the room to the words beside it."""
    return round(pixels * (SIDE + ROOM) / SIDE)


@dataclass(frozen=True, slots=True)
class _Spec:
    """Which drawing in which colour tokens: while off, and while checked or selected; and where it leaves room."""

    name: str
    off: str
    on: str
    room: Room = ""


@cache
def _scratch() -> QTemporaryDir:
    """Return the folder of tinted drawings, removed when the program ends."""
    folder = QTemporaryDir()
    atexit.register(folder.remove)
    return folder


@cache
def _written(source: str) -> str:
    """Return the path of a file with this drawing; empty where the system has no room for it."""
    path = Path(_scratch().path(), f"{sha256(source.encode()).hexdigest()[:24]}.svg")
    try:
        path.write_text(source, encoding="utf-8")
    except OSError:  # a button without its picture is better than no window
        return ""
    return str(path)


@cache
def _drawing(folder: str, name: str) -> str:
    """Return the text of a drawing, or an empty one where there is no such file."""
    path = Path(folder, f"{name}.svg")
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@cache
def _icon_of(off: str, on: str, disabled: str) -> QIcon:
    """Return the icon of three drawings, by their paths; an empty path is left out.

    Qt looks into each file for its format, so an icon is made once and serves every theme that has its colours.
    """
    icon = QIcon()
    for path, mode, state in (
        (off, QIcon.Mode.Normal, QIcon.State.Off),
        (on, QIcon.Mode.Normal, QIcon.State.On),
        (disabled, QIcon.Mode.Disabled, QIcon.State.Off),
    ):
        if path:
            icon.addFile(path, QSize(), mode, state)
    return icon


atexit.register(_icon_of.cache_clear)


class Icons:
    """Loads and tints the drawings; one for the whole window."""

    def __init__(self, folder: Path, tokens: Colours) -> None:
        self._folder = folder
        self._tokens = tokens
        self._paths: dict[tuple[str, str, Room], str] = {}
        self._made: dict[_Spec, QIcon] = {}
        self._known: dict[int, _Spec] = {}
        self._colours = self._tokens()

    def icon(self, name: str, colour: str = "text2", on: str = "accent", room: Room = "") -> QIcon:
        """Return an icon in the current colours; set on a button, tab or action it follows the theme.

        Args:
            name: file stem in ``resources/icons``.
            colour: token while off.
            on: token while checked or selected.
            room: the side at which words stand beside it.
        """
        spec = _Spec(name, colour, on, room)
        if spec not in self._made:
            self._made[spec] = self._make(spec)
            self._known[self._made[spec].cacheKey()] = spec
        return self._made[spec]

    def pixmap(self, name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
        """Return a square picture of ``size`` logical pixels in the token ``colour``."""
        side = max(1, round(size * ratio))
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        if source := self._tinted(name, self._tokens()[colour]):
            painter = QPainter(pixmap)
            QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(0, 0, side, side))
            painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def names(self) -> list[str]:
        """Return the names of all drawings."""
        return sorted(path.stem for path in self._folder.glob("*.svg"))

    def take_colours(self) -> None:
        """Make icons in the current colours from now on; see :meth:`follow_theme` for those that exist."""
        if self._colours is not self._tokens():
            self._colours = self._tokens()
            self._made.clear()

    def follow_theme(self, widgets: Iterable[QWidget]) -> None:
        """Replace our icons on these widgets, their tabs and their actions by those in the current colours."""
        for widget in widgets:
            if isinstance(widget, QAbstractButton):
                self._exchange(widget.icon, widget.setIcon)
            elif isinstance(widget, QTabBar):
                for place in range(widget.count()):
                    self._exchange(partial(widget.tabIcon, place), partial(widget.setTabIcon, place))
            elif isinstance(widget, QListWidget):
                for item in map(widget.item, range(widget.count())):
                    self._exchange(item.icon, item.setIcon)
            self.follow_actions(widget.actions())

    def follow_actions(self, actions: Iterable[QAction]) -> None:
        """Replace our icons on these actions by those in the current colours."""
        for action in actions:
            self._exchange(action.icon, action.setIcon)

    def _exchange(self, read: Callable[[], QIcon], write: Callable[[QIcon], object]) -> None:
        key = read().cacheKey()
        if spec := self._known.get(key):
            icon = self.icon(spec.name, spec.off, spec.on, spec.room)
            if icon.cacheKey() != key:
                write(icon)

    def _make(self, spec: _Spec) -> QIcon:
        tokens = self._tokens()
        return _icon_of(*(self._file(spec.name, tokens[token], spec.room) for token in (spec.off, spec.on, "text3")))

    def _file(self, name: str, colour: str, room: Room) -> str:
        """Return the path of a drawing in one colour, written when it is not there."""
        if (name, colour, room) not in self._paths:
            source = self._tinted(name, colour)
            source = source.replace(_BOX, _WIDE[room]) if room else source
            self._paths[name, colour, room] = _written(source) if source else ""
        return self._paths[name, colour, room]

    def _tinted(self, name: str, colour: str) -> str:
        return _drawing(str(self._folder), name).replace("#000", colour)

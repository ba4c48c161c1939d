"""How the mouse acts on a plot: drag pans, wheel zooms x, Ctrl+wheel zooms y, Shift+drag names a range."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal


class StepViewBox(pg.ViewBox):
    """A view box that tells clicks and Shift-drags in data coordinates.

    Signals:
        clicked(float): x of a left click. ranged(float, float): both ends of a Shift-drag, ascending.
    """

    clicked = Signal(float)
    ranged = Signal(float, float)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)
        self._band: pg.LinearRegionItem | None = None

    def mouseClickEvent(self, ev: object) -> None:
        """Tell where a left click fell; a double click shows everything."""
        if ev.button() != Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            return
        ev.accept()  # type: ignore[attr-defined]
        if ev.double():  # type: ignore[attr-defined]
            self.autoRange()
            return
        self.clicked.emit(self._x(ev.scenePos()))  # type: ignore[attr-defined]

    def mouseDragEvent(self, ev: object, axis: int | None = None) -> None:
        """Pan, or with Shift draw a band and tell its ends when the button is released."""
        shift = ev.modifiers() & Qt.KeyboardModifier.ShiftModifier  # type: ignore[attr-defined]
        if not shift or ev.button() != Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            super().mouseDragEvent(ev, axis)
            return
        ev.accept()  # type: ignore[attr-defined]
        ends = sorted((self._x(ev.buttonDownScenePos()), self._x(ev.scenePos())))  # type: ignore[attr-defined]
        if self._band is None:
            self._band = pg.LinearRegionItem(movable=False)
            self.addItem(self._band, ignoreBounds=True)
        self._band.setRegion(ends)
        if ev.isFinish():  # type: ignore[attr-defined]
            self.ranged.emit(*ends)

    def clear_band(self) -> None:
        """Take the drawn range away."""
        if self._band is not None:
            self.removeItem(self._band)
            self._band = None

    def wheelEvent(self, ev: object, axis: int | None = None) -> None:
        """Zoom along x, or along y with Ctrl."""
        control = ev.modifiers() & Qt.KeyboardModifier.ControlModifier  # type: ignore[attr-defined]
        self.setMouseEnabled(x=not control, y=bool(control))
        super().wheelEvent(ev, 1 if control else 0)
        self.setMouseEnabled(x=True, y=False)

    def _x(self, position: QPointF) -> float:
        return float(self.mapSceneToView(position).x())

"""How the mouse acts on a plot: drag pans, wheel zooms x, Ctrl+wheel zooms y, Shift+drag chooses a range."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor


class StepViewBox(pg.ViewBox):
    """A view box that reports clicks and Shift-drags in data coordinates.

    Signals:
        clicked(float), clicked_at(float, float): x of a left click, and x and y of it.
        ranged(float, float): both ends of a Shift-drag, ascending.
        fit_wanted(): a double click; the whole run should be shown.
    """

    clicked = Signal(float)
    clicked_at = Signal(float, float)
    ranged = Signal(float, float)
    fit_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)
        self.band_colour = QColor(128, 128, 128, 40)
        self._band: pg.LinearRegionItem | None = None

    def mouseClickEvent(self, ev: object) -> None:
        """Emit the place of a left click; a double click asks for the whole run."""
        if ev.button() != Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            return
        ev.accept()  # type: ignore[attr-defined]
        if ev.double():  # type: ignore[attr-defined]
            self.fit_wanted.emit()
            return
        place = self.mapSceneToView(ev.scenePos())  # type: ignore[attr-defined]
        self.clicked.emit(float(place.x()))
        self.clicked_at.emit(float(place.x()), float(place.y()))

    def mouseDragEvent(self, ev: object, axis: int | None = None) -> None:
        """Pan, or with Shift draw a band and emit its ends when the button is released."""
        shift = ev.modifiers() & Qt.KeyboardModifier.ShiftModifier  # type: ignore[attr-defined]
        if not shift or ev.button() != Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            super().mouseDragEvent(ev, axis)
            return
        ev.accept()  # type: ignore[attr-defined]
        ends = sorted((self._x(ev.buttonDownScenePos()), self._x(ev.scenePos())))  # type: ignore[attr-defined]
        self.show_band(*ends)
        if ev.isFinish():  # type: ignore[attr-defined]
            self.ranged.emit(*ends)

    def show_band(self, left: float, right: float) -> None:
        """Mark a range along x; an end that is NaN removes the mark."""
        shown = math.isfinite(left) and math.isfinite(right)
        if not shown and self._band is None:
            return
        if self._band is None:
            self._band = pg.LinearRegionItem(movable=False, pen=pg.mkPen(None))
            self._band.setZValue(-10)
            for line in self._band.lines:
                line.setPen(pg.mkPen(None))
            self.addItem(self._band, ignoreBounds=True)
        self._band.setVisible(shown)
        if shown:
            self._band.setRegion((left, right))
            self._band.setBrush(pg.mkBrush(self.band_colour))

    def wheelEvent(self, ev: object, axis: int | None = None) -> None:  # noqa: ARG002 - pyqtgraph passes it
        """Zoom along x, or along y with Ctrl."""
        control = ev.modifiers() & Qt.KeyboardModifier.ControlModifier  # type: ignore[attr-defined]
        self.setMouseEnabled(x=not control, y=bool(control))
        super().wheelEvent(ev, 1 if control else 0)
        self.setMouseEnabled(x=True, y=False)

    def _x(self, position: QPointF) -> float:
        return float(self.mapSceneToView(position).x())

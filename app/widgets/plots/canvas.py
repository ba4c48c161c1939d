"""A view box with an axis at the left and one below: what a chart here needs, made in a fifth of a PlotWidget's time.

A PlotWidget builds four axes, a title and a panel of controls that are not shown. Making six of them blocks the UI
thread for longer than a frame.
"""

from __future__ import annotations

import math

import pyqtgraph as pg
from pyqtgraph.GraphicsScene import GraphicsScene
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QGraphicsGridLayout, QGraphicsItem, QSizePolicy

from app.theme.theme import Theme

_GRID = 46
"""Opacity of the lines of the grid, of 255."""


class _StepAxis(pg.AxisItem):
    """The axis below: no ticks where there are no steps."""

    _last = math.inf

    def set_last(self, place: float) -> None:
        """Print nothing beyond a place along the axis."""
        if place != self._last:
            self._last = place
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Return the ticks up to the last place."""
        end = self._last + 1e-9 * max(1.0, abs(self._last)) if math.isfinite(self._last) else math.inf
        levels = super().tickValues(minVal, maxVal, size)
        return [(spacing, [value for value in values if value <= end]) for spacing, values in levels]


class PlotCanvas(pg.GraphicsView):
    """Shows one view box."""

    def __init__(self, view: pg.ViewBox, *, left_width: int = 46) -> None:
        super().__init__()
        self.view = view
        frame = pg.GraphicsWidget()
        self.setCentralItem(frame)
        layout = QGraphicsGridLayout()
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        frame.setLayout(layout)
        self.left, self.bottom = pg.AxisItem("left", parent=frame), _StepAxis("bottom", parent=frame)
        self.left.setWidth(left_width)
        for axis in (self.left, self.bottom):
            axis.linkToView(view)
            axis.setZValue(0.5)
        layout.addItem(self.left, 0, 0)
        layout.addItem(view, 0, 1)
        layout.addItem(self.bottom, 1, 1)
        layout.setRowStretchFactor(0, 100)
        layout.setColumnStretchFactor(1, 100)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._frame = frame

    def add(self, item: QGraphicsItem, *, fitted: bool = True) -> None:
        """Put an item into the view box; the automatic range leaves it out unless ``fitted``."""
        self.view.addItem(item, ignoreBounds=not fitted)

    def inside(self, position: QPointF) -> bool:
        """Whether a point of the scene lies on the chart or its axes."""
        return self._frame.sceneBoundingRect().contains(position)

    def set_log(self, *, x: bool, y: bool) -> None:
        """Make the axes print powers of ten; the caller places the items accordingly."""
        self.bottom.setLogMode(x)  # pyright: ignore[reportArgumentType] - pyqtgraph annotates a tuple and takes a bool
        self.left.setLogMode(y)  # pyright: ignore[reportArgumentType] - as above

    @property
    def mouse(self) -> GraphicsScene:
        """The scene, which emits the mouse's moves and clicks."""
        if self.sceneObj is None:
            raise RuntimeError("the canvas is closed")
        return self.sceneObj

    def restyle(self, theme: Theme, scale: float, font: QFont) -> None:
        """Take the theme's colours; ``scale`` is how many pixels of the target a pixel of the design takes."""
        self.setBackground(theme.tokens["surface"])
        for axis in (self.left, self.bottom):
            axis.setPen(pg.mkPen(theme.tokens["border_strong"], width=scale))
            axis.setTextPen(pg.mkPen(theme.tokens["text2"]))
            axis.setStyle(tickFont=font, tickLength=-4, maxTickLevel=1)
        self.left.setGrid(_GRID)

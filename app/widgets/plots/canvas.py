"""A view box with an axis at the left and one below: what a chart here needs, made in a fifth of a PlotWidget's time.

A PlotWidget builds four axes, a title and a panel of controls that are not shown. Making six of them blocks the UI
thread for longer than a frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph as pg
from pyqtgraph.GraphicsScene import GraphicsScene
from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QFont, QFontMetricsF, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGraphicsGridLayout, QGraphicsItem, QSizePolicy

from app.background.idle_queue import IdleQueue
from app.theme.theme import Theme
from app.theme.theme_file import Tokens
from app.widgets.plots.ticks import linear_ticks, log_ticks, power_text, tick_text

_GRID = 46
"""Opacity of the lines of the grid, of 255."""


_GAP_PX = 14
_ROW_SHARE = 1.6
"""Room between two labels below, in pixels; height of a label at the left, in heights of its letters."""


class RoundAxis(pg.AxisItem):
    """An axis with ticks at round numbers that have room; ``whole`` allows integers only."""

    def __init__(self, side: str, parent: pg.GraphicsWidget, *, whole: bool = False) -> None:
        super().__init__(side, parent=parent)
        self._last, self._blank, self._whole = math.inf, False, whole
        self._tick_font: QFont | None = None
        self._below = side == "bottom"

    def set_font(self, font: QFont) -> None:
        """Print the labels in a font."""
        self._tick_font = font
        self.setStyle(tickFont=font)

    def set_last(self, place: float) -> None:
        """Print nothing beyond a place along the axis."""
        if place != self._last:
            self._last = place
            self._redraw()

    def set_whole(self, whole: bool) -> None:
        """Allow ticks at integers only, or at any round number."""
        if whole != self._whole:
            self._whole = whole
            self._redraw()

    def set_blank(self, blank: bool) -> None:
        """Print no numbers at all, where nothing is drawn that they could measure."""
        if blank != self._blank:
            self._blank = blank
            self._redraw()

    def _redraw(self) -> None:
        self.picture = None
        self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Return the ticks up to the last place; one level, since every one is labelled."""
        low, high = sorted((float(minVal), float(maxVal)))
        if self._blank or not math.isfinite(high - low) or high <= low:
            return []
        high_label = min(high, self._last)
        most = max(2, int(size / self._room(low, high_label)))
        if self.logMode:
            found = [(1.0, log_ticks(low, high, most, whole=self._whole))]
        else:
            found = [linear_ticks(low, high, most, whole=self._whole)]
        end = self._last + 1e-9 * max(1.0, abs(self._last)) if math.isfinite(self._last) else math.inf
        return [(spacing, [value for value in values if value <= end]) for spacing, values in found]

    def _room(self, low: float, high: float) -> float:
        """Return the pixels that a tick with its label takes along the axis."""
        metrics = QFontMetricsF(self._tick_font or self.font())
        if not self._below:
            return _ROW_SHARE * metrics.height()
        if self.logMode:
            texts = [power_text(low), power_text(high)]
        else:
            spacing = max(1.0 if self._whole else 0.0, (high - low) / 5) or 1.0
            texts = [tick_text(round(end / spacing) * spacing, spacing) for end in (low, high)]
        return max(metrics.horizontalAdvance(text) for text in texts) + _GAP_PX

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return the labels."""
        if self.logMode:
            return [power_text(value) for value in values]
        return [tick_text(value * scale, spacing * scale) for value in values]


class PlotCanvas(pg.GraphicsView):
    """Shows one view box.

    Laying out a chart and painting it takes 5 to 10 ms. So a canvas takes a new size in a turn of the event loop of its
    own: plots beside each other that get their sizes at once are laid out one after the other.
    """

    def __init__(
        self, view: pg.ViewBox, *, left_width: int = 46, whole_steps: bool = False, whole_values: bool = False
    ) -> None:
        """Args: view, left_width: in pixels. whole_steps, whole_values: only integers get ticks along that axis."""
        self._laid_out = QSize()
        super().__init__()
        self._sizing = IdleQueue(self)
        self._theme: Theme | None = None
        self._look: tuple[Tokens, float] | None = None
        self.view = view
        frame = pg.GraphicsWidget()
        self.setCentralItem(frame)
        layout = QGraphicsGridLayout()
        layout.setContentsMargins(1, 1, 12, 1)
        layout.setSpacing(0)
        frame.setLayout(layout)
        self.left = RoundAxis("left", parent=frame, whole=whole_values)
        self.bottom = RoundAxis("bottom", parent=frame, whole=whole_steps)
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

    def resizeEvent(self, ev: QResizeEvent | None) -> None:
        """Take the new size in a later turn of the event loop; pyqtgraph passes None while it is put together."""
        if ev is None:
            super().resizeEvent(ev)
        elif not self._sizing.busy and not self.closed:
            self._sizing.add(self.take_size)

    @property
    def is_laid_out(self) -> bool:
        """Whether the chart has the size that the canvas has; a hidden canvas has none."""
        return self.isHidden() or self._laid_out == self.size()

    def take_size(self) -> None:
        """Lay the chart out in the size that the canvas has now, for what cannot wait for its turn."""
        self._sizing.clear()
        before, self._laid_out = self._laid_out, self.size()
        if self._laid_out != before:
            super().resizeEvent(QResizeEvent(self._laid_out, before))
        else:
            self.updateMatrix()
        self.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """Put the chart into its corner again in a later turn: Qt moves it by a frame while it is hidden."""
        super().showEvent(event)
        if self._laid_out.isValid() and not self._sizing.busy and not self.closed:
            self._sizing.add(self.take_size)

    def paintEvent(self, ev: QPaintEvent) -> None:
        """Paint the chart; nothing before it has its first size, nor until it has followed a change of the theme."""
        if self._laid_out.isValid() and not self._is_behind:
            super().paintEvent(ev)

    @property
    def _is_behind(self) -> bool:
        """Whether theme or text size changed and the chart has not taken its colours, fonts or size yet."""
        theme = self._theme
        if theme is None or theme.settled:
            return False
        return self._sizing.busy or self._look != (theme.tokens, theme.zoom)

    def add(self, item: QGraphicsItem, *, fitted: bool = True) -> None:
        """Put an item into the view box; the automatic range leaves it out unless ``fitted``."""
        self.view.addItem(item, ignoreBounds=not fitted)

    def inside(self, position: QPointF) -> bool:
        """Whether a point of the scene lies on the chart or its axes."""
        return self._frame.sceneBoundingRect().contains(position)

    def set_blank(self, blank: bool) -> None:
        """Print no numbers at the axes, where nothing is drawn."""
        for axis in (self.left, self.bottom):
            axis.set_blank(blank)

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
        self._theme, self._look = theme, (theme.tokens, theme.zoom)
        self.setBackground(theme.tokens["surface"])
        for axis in (self.left, self.bottom):
            axis.setPen(pg.mkPen(theme.tokens["border_strong"], width=scale))
            axis.setTextPen(pg.mkPen(theme.tokens["text2"]))
            axis.set_font(font)
            axis.setStyle(tickLength=-4, maxTickLevel=0, hideOverlappingLabels=False)
        self.left.setGrid(_GRID)

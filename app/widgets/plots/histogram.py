"""The histogram of margins: bars left of zero stand out, and a brushed stretch selects the pairs in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.theme.theme import Theme

BINS = 40


class MarginHistogram(QFrame):
    """Counts of pairs by margin.

    Signals:
        brushed(float, float): the ends of the selected stretch, or NaN twice when it was cleared.
    """

    brushed = Signal(float, float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.values = np.empty(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.plot = pg.PlotWidget(enableMenu=False)
        self.plot.setFrameShape(QFrame.Shape.NoFrame)
        self.plot.setMinimumSize(200, 110)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.setAccessibleName("Histogram of margins")
        column.addWidget(self.plot)
        self._wrong = pg.BarGraphItem(x=[], height=[], width=1)
        self._right = pg.BarGraphItem(x=[], height=[], width=1)
        self._zero = pg.InfiniteLine(0.0, angle=90)
        self.band = pg.LinearRegionItem(values=(0, 0))
        self.band.setVisible(False)
        for item in (self._wrong, self._right, self._zero, self.band):
            self.plot.addItem(item)
        self.band.sigRegionChangeFinished.connect(self._tell)
        self.plot.scene().sigMouseClicked.connect(self._click)
        theme.changed.connect(self.restyle)
        self.restyle()

    def set_values(self, values: Sequence[float]) -> None:
        """Take the margins of all pairs; what is not a number is left out of the bars."""
        data = np.asarray(values, dtype=float)
        self.values = data[np.isfinite(data)]
        if self.values.size:
            low, high = min(0.0, float(self.values.min())), max(0.0, float(self.values.max()))
            width = max(high - low, 1e-9) / BINS
            edges = width * np.arange(np.floor(low / width), np.ceil(high / width) + 1.5)
            counts, edges = np.histogram(self.values, bins=edges)
        else:
            counts, edges = np.zeros(BINS), np.linspace(-1, 1, BINS + 1)
        centres, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
        wrong = centres < 0
        self._wrong.setOpts(x=centres[wrong], height=counts[wrong], width=width * 0.92)
        self._right.setOpts(x=centres[~wrong], height=counts[~wrong], width=width * 0.92)
        self.plot.autoRange()
        below = int((self.values < 0).sum())
        self.plot.setAccessibleDescription(f"{self.values.size} pairs, {below} with a margin below zero")

    def brush(self, low: float, high: float) -> None:
        """Select a stretch, as a drag would."""
        self.band.setRegion((low, high))
        self.band.setVisible(True)
        self._tell()

    def clear_brush(self) -> None:
        """Select everything again."""
        self.band.setVisible(False)
        self.brushed.emit(float("nan"), float("nan"))

    def restyle(self) -> None:
        """Take the theme's colours."""
        tokens = self._theme.tokens
        self.plot.setBackground(tokens["surface"])
        for side in ("left", "bottom"):
            axis = self.plot.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(tokens["border_strong"]))
            axis.setTextPen(pg.mkPen(tokens["text2"]))
            axis.setStyle(tickFont=self._theme.font(11))
        self._wrong.setOpts(brush=tokens["plot_rejected"], pen=pg.mkPen(tokens["surface"]))
        self._right.setOpts(brush=tokens["plot_chosen"], pen=pg.mkPen(tokens["surface"]))
        self._zero.setPen(pg.mkPen(tokens["text3"]))
        self.band.setBrush(pg.mkBrush(tokens.colour("accent", 0.18)))

    def _tell(self) -> None:
        low, high = self.band.getRegion()
        self.brushed.emit(float(low), float(high))

    def _click(self, event: object) -> None:
        """A click starts a brush around the place; a double click clears it."""
        if event.double():  # type: ignore[attr-defined]
            self.clear_brush()
            return
        x = self.plot.getPlotItem().vb.mapSceneToView(event.scenePos()).x()  # type: ignore[attr-defined]
        left, right = self.plot.getPlotItem().vb.viewRange()[0]
        half = (right - left) / 16
        if not self.band.isVisible():
            self.brush(x - half, x + half)

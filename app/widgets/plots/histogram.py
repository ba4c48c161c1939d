"""The histogram of margins: bars left of zero stand out, and a brushed range selects the pairs in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.theme.theme import Theme
from app.widgets.plots.canvas import PlotCanvas
from core.domain.counting import counted, number

BINS = 40


class _BrushBox(pg.ViewBox):
    """A view box whose drag emits the range it covers; nothing pans or zooms.

    Signals:
        dragged(float, float): both ends, ascending, while the drag goes on. ended(): the button was released.
    """

    dragged = Signal(float, float)
    ended = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=False, y=False)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:  # noqa: ARG002 - pyqtgraph passes it
        """Emit the range from where the button went down."""
        ev.accept()
        ends = sorted(self.mapSceneToView(p).x() for p in (ev.buttonDownScenePos(), ev.scenePos()))
        self.dragged.emit(*ends)
        if ev.isFinish():
            self.ended.emit()


class MarginHistogram(QFrame):
    """Counts of pairs by margin. A drag over the bars, or the arrow keys, choose a range of them.

    Signals:
        brushed(float, float): the ends of the selected stretch, or NaN twice when it was cleared.
    """

    brushed = Signal(float, float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.values, self.counts, self.edges = np.empty(0), np.zeros(BINS), np.linspace(-1, 1, BINS + 1)
        self.setProperty("part", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 4)
        box = _BrushBox()
        self.plot = PlotCanvas(box, left_width=32, whole_values=True)
        self.plot.setMinimumSize(200, 84)
        self.plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.plot.setAccessibleName("Histogram of margins")
        self.plot.installEventFilter(self)
        column.addWidget(self.plot)
        self._wrong = pg.BarGraphItem(x=[], height=[], width=1)
        self._right = pg.BarGraphItem(x=[], height=[], width=1)
        self._zero = pg.InfiniteLine(0.0, angle=90)
        self.band = pg.LinearRegionItem(values=(0, 0))
        self.band.setVisible(False)
        for item in (self._wrong, self._right):
            self.plot.add(item)
        for item in (self._zero, self.band):
            self.plot.add(item, fitted=False)
        self._bins: tuple[int, int] | None = None
        self.band.sigRegionChangeFinished.connect(self._emit_range)
        box.dragged.connect(self._show_band)
        box.ended.connect(self._emit_range)
        self.plot.mouse.sigMouseClicked.connect(self._click)
        theme.follow(self.restyle)
        self.restyle()

    def set_values(self, values: Sequence[float]) -> None:
        """Take the margins of all pairs; what is not a number is left out of the bars."""
        data = np.asarray(values, dtype=float)
        self.values = data[np.isfinite(data)]
        self._bins = None
        if self.values.size:
            low, high = min(0.0, float(self.values.min())), max(0.0, float(self.values.max()))
            width = max(high - low, 1e-9) / BINS
            edges = width * np.arange(np.floor(low / width), np.ceil(high / width) + 1.5)
            self.counts, self.edges = np.histogram(self.values, bins=edges)
        else:
            self.counts, self.edges = np.zeros(BINS, dtype=int), np.linspace(-1, 1, BINS + 1)
        centres, width = (self.edges[:-1] + self.edges[1:]) / 2, self.edges[1] - self.edges[0]
        wrong = centres < 0
        self._wrong.setOpts(x=centres[wrong], height=self.counts[wrong], width=width * 0.92)
        self._right.setOpts(x=centres[~wrong], height=self.counts[~wrong], width=width * 0.92)
        self.plot.view.setRange(
            xRange=(float(self.edges[0]), float(self.edges[-1])),
            yRange=(0.0, 1.08 * max(1.0, float(self.counts.max()))),
            padding=0.01,
        )
        below = int((self.values < 0).sum())
        self.plot.setAccessibleDescription(
            f"{counted(self.values.size, 'pair')}, {number(below)} with a margin below zero"
        )

    # The brush

    def brush(self, low: float, high: float) -> None:
        """Select a range, as a drag does."""
        self._show_band(low, high)
        self._emit_range()

    def clear_brush(self) -> None:
        """Select everything again."""
        self.band.setVisible(False)
        self._bins = None
        self.brushed.emit(float("nan"), float("nan"))

    def step(self, by: int, *, widen: bool = False) -> None:
        """Move the brush by bars, from the first bar that holds a pair; ``widen`` moves its far end alone."""
        last = self.counts.size - 1
        if self._bins is None:
            there = np.flatnonzero(self.counts)
            first = int(there[0 if by > 0 else -1]) if there.size else 0
            self._bins = (first, first)
        else:
            near, far = self._bins
            far = min(last, max(0, far + by))
            self._bins = (near, far) if widen else (far, far)
        low, high = sorted(self._bins)
        bins = self._bins
        self.brush(float(self.edges[low]), float(self.edges[high + 1]))
        self._bins = bins
        pairs = int(self.counts[low : high + 1].sum())
        self.plot.setAccessibleDescription(
            f"{counted(pairs, 'pair')} with a margin from {self.edges[low]:.2f} to {self.edges[high + 1]:.2f}"
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move the brush by the arrow keys, before the page's shortcuts see them."""
        if isinstance(event, QKeyEvent) and (by := _STEPS.get(Qt.Key(event.key()))) is not None:
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self.step(by, widen=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
                return True
        return super().eventFilter(watched, event)

    def restyle(self) -> None:
        """Take the theme's colours."""
        tokens = self._theme.tokens
        self.plot.restyle(self._theme, self.devicePixelRatioF(), self._theme.font(11))
        self._wrong.setOpts(brush=tokens["plot_rejected"], pen=pg.mkPen(tokens["surface"]))
        self._right.setOpts(brush=tokens["plot_chosen"], pen=pg.mkPen(tokens["surface"]))
        self._zero.setPen(pg.mkPen(tokens["text3"]))
        self.band.setBrush(pg.mkBrush(tokens.colour("accent", 0.18)))
        for line in self.band.lines:
            line.setPen(pg.mkPen(tokens["accent"], width=self.devicePixelRatioF()))

    def _show_band(self, low: float, high: float) -> None:
        self.band.blockSignals(True)
        self.band.setRegion((low, high))
        self.band.blockSignals(False)
        self.band.setVisible(True)

    def _emit_range(self) -> None:
        self._bins = None
        low, high = sorted(line.value() for line in self.band.lines)
        self.brushed.emit(low, high)

    def _click(self, event: Any) -> None:
        """A click chooses the bar under it; a double click clears the brush."""
        if event.double():
            self.clear_brush()
            return
        x = float(self.plot.view.mapSceneToView(event.scenePos()).x())
        place = int(np.searchsorted(self.edges, x)) - 1
        if 0 <= place < self.counts.size:
            self.brush(float(self.edges[place]), float(self.edges[place + 1]))


_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}

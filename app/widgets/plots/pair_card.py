"""The card of a painted plot of all pairs: head, slider of the looks, chart, and its files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout

from app.theme.theme import Theme
from app.widgets.controls import Slider
from app.widgets.labels import ElideLabel, text_label
from app.widgets.plots.curves import Curve
from app.widgets.plots.displacement_scatter import DisplacementScatter
from app.widgets.plots.kl_phase import KlPhase
from app.widgets.plots.pair_chart import PairChart
from app.widgets.plots.plot_head import PlotHead
from app.widgets.plots.run_plots import RunPlot
from app.widgets.plots.slice_panels import SlicePanels
from app.widgets.plots.weight_ranks import WeightRanks
from core.services.runs.run_plots import PairPlots

_CHARTS: dict[str, Callable[[Theme], PairChart]] = {
    "displacement": DisplacementScatter,
    "phase": KlPhase,
    "slices": SlicePanels,
    "weights": WeightRanks,
}


class PairCard(QFrame):
    """One such plot of the monitor. The newest look is shown until a slider or a pinned step chooses another.

    Signals:
        pairs_wanted(PairsAsked): a mark was opened.
    """

    pairs_wanted = Signal(object)

    def __init__(self, theme: Theme, kind: RunPlot) -> None:
        super().__init__()
        self._theme, self._looks, self._held = theme, list[int](), math.nan
        self.setProperty("part", "card")
        self.setObjectName(f"plot_{kind.key}")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 4)
        column.setSpacing(2)
        self.title = kind.title
        self.head = PlotHead(theme, kind.title, [], tools=True)
        self.head.log.setVisible(False)
        self.chart = _CHARTS[kind.key](theme)
        self._missing = text_label("", "muted", wrap=True)
        self._missing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.chart)
        self._stack.addWidget(self._missing)
        self._whose = ElideLabel("", kind="hint", outside=True)
        self._whose.hide()
        column.addWidget(self.head)
        column.addWidget(self._stack, 1)
        column.addLayout(self._slider_row())
        column.addWidget(self._whose)
        self.chart.opened.connect(self._open)
        self._show()

    def _slider_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(f"Step of {self.title}")
        self.slider.setToolTip("Step of the look that is shown")
        self._at = text_label("", "caption")
        row.addWidget(self.slider, 1)
        row.addWidget(self._at)
        self.slider.valueChanged.connect(self._slid)
        return row

    def take_plots(self, plots: PairPlots) -> None:
        """Take other values; the look that is shown stays, and the newest one goes on being the newest."""
        before = self.chart.plots
        if _same(before, plots):
            return
        self.chart.take(plots)
        self._looks = self.chart.looks
        self._show()

    def clear(self) -> None:
        """Draw nothing."""
        self._held = math.nan
        self.take_plots(PairPlots())

    def show_step(self, step: float) -> None:
        """Show the last look at or before a step; NaN is the newest."""
        self._held = step
        self._show()

    def _show(self) -> None:
        empty, last = self.chart.empty, len(self._looks) - 1
        self._stack.setCurrentIndex(int(bool(empty)))
        self._missing.setText(empty)
        held = [place for place, step in enumerate(self._looks) if step <= self._held]
        place = last if math.isnan(self._held) else (held[-1] if held else 0)
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(0, last))
        self.slider.setValue(max(0, place))
        self.slider.blockSignals(False)
        shown = self.chart.has_looks and last > 0 and not empty
        self.slider.setVisible(shown)
        self._at.setVisible(shown)
        self._look(place)

    def _slid(self, place: int) -> None:
        self._held = math.nan if place == len(self._looks) - 1 else float(self._looks[place])
        self._look(place)

    def _look(self, place: int) -> None:
        if 0 <= place < len(self._looks):
            self.chart.show_look(self._looks[place])
            self._at.setText(f"step {self._looks[place]:,}")
            self.slider.setAccessibleDescription(self._at.text())
        texts = ["–"] if self.chart.empty else self.chart.about()
        self.head.set_values(texts)
        self.chart.setAccessibleDescription(f"{self.title}, {texts[0]}")

    def _open(self, key: object) -> None:
        if (asked := self.chart.asked(key)) is not None:
            self.pairs_wanted.emit(asked)

    def table_curves(self) -> dict[str, Curve]:
        """Return what the table of all plots shows of it."""
        return self.chart.table_curves()

    def to_csv(self, run: str) -> str:
        """Return its values as a file."""
        return self.chart.to_csv(run)

    @contextmanager
    def pens_for(self, scale: float, whose: str = "") -> Iterator[None]:  # noqa: ARG002 - painted lines scale by themselves
        """Be a picture: say ``whose`` it is and have no buttons."""
        shown = not self.slider.isHidden()
        self._whose.setText(whose)
        self._whose.setVisible(bool(whose))
        self.slider.setVisible(False)
        try:
            with self.head.without_tools():
                yield
        finally:
            self._whose.hide()
            self.slider.setVisible(shown)


def _same(one: PairPlots, other: PairPlots) -> bool:
    """Return whether two readings hold the same rows, so that nothing has to be drawn anew."""
    rows = one.pairs is other.pairs and one.weights is other.weights
    return rows and one.slices is other.slices and one.phase == other.phase

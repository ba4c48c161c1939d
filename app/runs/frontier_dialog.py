"""The frontier of the workspace's runs: a chart with intervals and a table, by accuracy or by people's votes."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from app.context import AppContext
from app.runs.frontier_card import HEADS, MISSING, read_figures
from app.runs.frontier_figures import FrontierFigures, evaluated_figures
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import text_label
from app.widgets.messages import EmptyState
from app.widgets.plots.chart_card import ChartCard, TableRow
from app.widgets.plots.run_frontier_chart import RunFrontierChart
from app.widgets.table import TableColumn, VirtualTable
from core.services.runs.run_frontier import HELD_OUT

WIN_RATE = "win_rate"
_NUMBERS = ((HELD_OUT, "Accuracy"), (WIN_RATE, "Win rate"))
_EMPTY = {
    HELD_OUT: MISSING,
    WIN_RATE: "Evaluate runs and let people vote between each and its reference (Evaluate > Votes).",
}
Row = tuple[str, ...]
_COLUMNS: tuple[TableColumn, ...] = (
    TableColumn("run", "Run", lambda row: row[1], 150),
    TableColumn("settings", "Settings", lambda row: row[2], 130),
    TableColumn("quality", "Quality", lambda row: row[3], 185),
    TableColumn("kl", "KL, nats ± 1.96 SE", lambda row: row[4], 145),
    TableColumn("place", "Place", lambda row: row[5], 260),
)


class FrontierDialog(BaseDialog):
    """Shows all runs that are not archived, one group of comparable ones at a time.

    Args:
        parent: a widget of the window.
        context: services, theme.
        shown: the run that the page shows; its mark has a ring.

    Signals:
        run_wanted(run_id): the run is to be shown; the dialog closes.
    """

    run_wanted = Signal(str)

    def __init__(self, parent: QWidget, context: AppContext, shown: str) -> None:
        size = QSize(context.theme.px(920), context.theme.px(640))
        super().__init__(parent, "Frontier", size=size, settings=context.settings)
        self._context, self._shown_runs = context, (shown,)
        self.figures: FrontierFigures | None = None
        self.numbers = SegmentedControl("What is traded for KL", list(_NUMBERS))
        self.numbers.set_value(HELD_OUT)
        self.groups, self.summary = ComboBox(), text_label("", "strong", wrap=True)
        self.groups.setAccessibleName("Comparable runs")
        self.chart = RunFrontierChart(context.theme)
        self.card = ChartCard(context, "Frontier", self.chart, HEADS)
        self.card.head.enlarge.setEnabled(False)
        self.table = VirtualTable(context.tasks, context.theme, _COLUMNS, name="Runs of the frontier", multi=False)
        self.notes, self.error = text_label("", "hint", wrap=True), text_label("", "error", wrap=True)
        self._stack = QStackedWidget()
        self._build()
        self._read()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.summary, 1)
        head.addWidget(self.groups)
        head.addWidget(self.numbers)
        self.column.addLayout(head)
        self._empty = {
            number: EmptyState(self._context.theme, "crosshair", "No run has a place yet", words)
            for number, words in _EMPTY.items()
        }
        self._stack.addWidget(self.card)
        for state in self._empty.values():
            self._stack.addWidget(state)
        self.column.addWidget(self._stack, 3)
        self.column.addWidget(self.table, 2)
        self.column.addWidget(self.notes)
        self.column.addWidget(self.error)
        self.add_buttons(reject="Close")
        self.groups.hide()
        self.error.hide()
        self.numbers.changed.connect(lambda _: self._read())
        self.groups.activated.connect(lambda _: self._read(int(self.groups.currentData())))
        self.chart.opened.connect(self._open)
        self.table.opened.connect(lambda place: self._open(self._row(place)))

    def _read(self, group: int = 0) -> None:
        services, shown, number = self._context.services, self._shown_runs, str(self.numbers.value)

        def read() -> FrontierFigures:
            if number == HELD_OUT:
                return read_figures(services, shown, group)
            run_of: Mapping[str, str] = {
                info.evaluation_id: str(info.record.run.get("run_id", "")) for info in services.evaluations.list()
            }
            return evaluated_figures(services.proxies.frontier(number), run_of, shown, group)

        self._context.tasks.query(read, self.show_figures, self._failed, owner=self, key="frontier")

    def show_figures(self, figures: FrontierFigures) -> None:
        """Show one group of runs, or what has to be done before there is one."""
        self.figures = figures
        self.error.hide()
        self.summary.setText(figures.summary)
        self.chart.show_frontier(figures.marks, figures.axes)
        empty = self._empty[str(self.numbers.value)]
        self.card.show_figures([TableRow(row[1:]) for row in figures.rows], about="", missing="")
        self._stack.setCurrentWidget(self.card if figures.marks else empty)
        self.table.show_ids(range(len(figures.rows)), lambda ids: [figures.rows[i] for i in ids], keep=False)
        self.table.setVisible(bool(figures.rows))
        self.groups.clear()
        for group, words in figures.groups:
            self.groups.addItem(words, group)
        self.groups.setCurrentIndex(self.groups.findData(figures.group))
        self.groups.setVisible(len(figures.groups) > 1)
        shown, more = figures.left_out[:3], len(figures.left_out) - 3
        self.notes.setText("\n".join((*shown, f"and {more} more") if more > 0 else shown))
        self.notes.setVisible(bool(shown))

    def _failed(self, error: Exception) -> None:
        self.error.setText(str(error))
        self.error.show()

    def _row(self, place: int) -> str:
        return self.figures.rows[place][0] if self.figures is not None and place < len(self.figures.rows) else ""

    def _open(self, run_id: object) -> None:
        if run_id:
            self.accept()
            self.run_wanted.emit(str(run_id))

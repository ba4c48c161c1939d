"""The table view of Runs: all runs with a filter, and below them the comparison of the chosen ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.runs.compare_panel import HINT, ComparePanel
from app.runs.runs_table import RunsTable
from app.runs.step_choice import NEWEST
from app.widgets.buttons import action_button
from app.widgets.containers import ScrollColumn
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import text_label

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.runs.comparisons import ComparedCurves

VIEWS = (("monitor", "Monitor"), ("table", "Table"))


class RunsView(QWidget):
    """The table and the comparison. ``monitor_wanted()``: go back to the monitor.

    Args:
        context: services, theme, dialogs.
    """

    monitor_wanted = Signal()

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._compared: tuple[str, ...] = ()
        self._step: int | None = None
        self.switch = SegmentedControl("View", VIEWS)
        self.runs = RunsTable(context)
        self.panel = ComparePanel(context)
        scroll = ScrollColumn(margin=12, spacing=8, name="All runs and their comparison")
        head = FlowLayout()
        head.addWidget(text_label("Runs", "section"))
        head.addWidget(self.switch)
        for action_id, words in (("runs.queue", "Queue"), ("runs.sweep", "Sweep…")):
            head.addWidget(action_button(context.actions, action_id, text=words, theme=context.theme))
        scroll.column.addLayout(head)
        scroll.column.addWidget(self.runs)
        scroll.column.addWidget(self.panel)
        scroll.column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self.switch.set_value("table")
        self.switch.changed.connect(lambda _: self._leave())
        self.runs.chosen_changed.connect(self._compare_others)
        self.panel.step.wanted.connect(self._compare_at)

    def read(self) -> None:
        """Read the runs again, and with them the comparison."""
        service = self._context.services.runs.housekeeping
        self._context.tasks.query(service.table, self.runs.show_runs, owner=self, key="runs_table")
        self.compare()

    def _compare_others(self) -> None:
        """Compare other runs, at the last step that all of them have."""
        self._step = None
        self.compare()

    def _compare_at(self, step: int) -> None:
        """Compare the same runs at another step."""
        self._step = step
        self.compare()

    def compare(self) -> None:
        """Compare the chosen runs in the background."""
        chosen, step = self.runs.chosen, self._step
        self._compared, newest = chosen, step == NEWEST
        self.panel.report.setEnabled(bool(chosen))
        if len(chosen) < 2:
            self.panel.show_nothing("Choose one more run to compare it with A." if chosen else HINT)
            return
        if self.panel.found is None:
            self.panel.show_nothing("The held-out pairs of these runs are being compared.")
        service = self._context.services.runs.comparisons

        def show(found: ComparedCurves) -> None:
            if (chosen, step) == (self._compared, self._step):
                self.panel.show_comparison(found)

        def failed(error: Exception) -> None:
            if (chosen, step) == (self._compared, self._step):
                self.panel.show_nothing(str(error))

        def work() -> ComparedCurves:
            return service.compare(chosen, None if newest else step, newest=newest)

        self._context.tasks.query(work, show, failed, owner=self, key="comparison")

    def _leave(self) -> None:
        if self.switch.value() != "table":
            self.switch.set_value("table")
            self.monitor_wanted.emit()

"""Runs: the list of runs and the monitor of the chosen one, live or long finished.

Everything is read from the run's folder, so a run that anything started, also before a restart, shows alike.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, ClassVar, Self

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from app.context import AppContext
from app.desktop import open_path
from app.main_window.page import Page
from app.runs import presenter
from app.runs.details import DetailTabs
from app.runs.insight_actions import InsightActions
from app.runs.insight_list import InsightList
from app.runs.monitor import Monitor
from app.runs.pairs_of_steps import PairsOfSteps
from app.runs.plot_actions import PlotActions
from app.runs.plot_arranging import PlotArranging
from app.runs.queue_actions import QueueActions
from app.runs.run_exporter import RunExporter
from app.runs.run_forker import RunForker
from app.runs.run_housekeeping import RunHousekeeper
from app.runs.run_list import RunList
from app.runs.talk_part import TalkPart
from app.widgets.buttons import action_button
from app.widgets.containers import ScrollColumn, side_panel
from app.widgets.folding_split import FoldingSplit
from app.widgets.labels import text_label
from app.widgets.messages import EmptyState
from app.widgets.own_keys import OwnKeys
from core.domain.changes import Changes
from core.domain.run_record import ARCHIVED
from core.services.runs.views import RunInfo

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.runs.lineage import LineageRow

LIVE_MS, IDLE_MS = 500, 3000


class RunsPage(Page):
    """The list at the left, the monitor at the right, a timer that reads while the page is shown."""

    place: ClassVar[str] = "runs"
    watches: ClassVar[Changes] = Changes.RUNS

    @classmethod
    def made_in_slices(cls, context: AppContext) -> Generator[None, None, Self]:
        """Make the tabs, the insights, the monitor and the page."""
        tabs = DetailTabs(context.theme)
        yield
        insights = InsightList(context.theme)
        yield
        monitor = Monitor(context, tabs, insights)
        yield
        return cls(context, monitor)

    def __init__(self, context: AppContext, monitor: Monitor | None = None) -> None:
        super().__init__(context)
        self.header.hide()
        self._pairs = PairsOfSteps(context)
        self._snapshot: presenter.MonitorData | None = None
        self._wanted, self._wanted_step = "", -1
        self._pinned, self._listed_step, self._worst_step = False, -1, -1
        self._reported, self._reading_worst = "", ""
        self.list = RunList(context.theme)
        self.monitor = monitor or Monitor(context)
        self.plots = PlotActions(context, self.monitor, self.show_pairs)
        self.exports = RunExporter(context, self)
        self.housekeeper = RunHousekeeper(context, self, self.show_item, lambda: self.list.current_id)
        self.queue = QueueActions(context, self, lambda: self._snapshot)
        self.forker = RunForker(context, self, lambda: self._snapshot, self.show_item)
        self.insights = InsightActions(context, self.monitor, self._pairs, self._pin_pairs)
        self.arranging = PlotArranging(context, self.monitor, self.refresh)
        self._build()
        self._bind()
        self.monitor.allow(None)
        self._own_keys = OwnKeys(self)
        self._own_keys.keep(self)
        self._own_keys.keep(self.monitor)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.refresh)

    def _build(self) -> None:
        panel, column = side_panel(214, "list")
        self._panel = panel
        head = QHBoxLayout()
        head.addWidget(text_label("Runs", "section"), 1)
        for action_id in ("runs.all", "runs.open_folder", "runs.new"):
            head.addWidget(action_button(self.context.actions, action_id, icon_only=True))
        column.addLayout(head)
        column.addLayout(self.queue.buttons())
        column.addWidget(self.list, 1)
        empty = EmptyState(
            self.context.theme,
            "runs",
            "No runs yet",
            "A run trains a policy on a frozen dataset version. Its curves and pairs appear here while it goes on.",
            main=("New run", lambda: self.context.navigate("train")),
        )
        self._empty, self._right = empty, QStackedWidget()
        self._right.addWidget(empty)
        self._right.addWidget(self.monitor)
        scroll = self._scroll = ScrollColumn(name="The run")
        scroll.column.addWidget(self._right)
        self._split = FoldingSplit((panel, scroll), (214, 1000), heights=(110, 420), least=(13, 34), grows=1)
        self.talks = TalkPart(self.context, self, self.housekeeper.with_monitor(self._split))
        self.set_body(self.talks.stack, margin=0)

    def _bind(self) -> None:
        self.list.chosen.connect(self._choose)
        self.monitor.tabs.pair_opened.connect(self._inspect_pair)
        self.monitor.tabs.worst_wanted.connect(self._read_worst)
        self.monitor.x_axis.changed.connect(lambda _: self.refresh())
        for action_id, handler in {
            "runs.new": lambda: self.context.navigate("train"),
            "runs.pause": self._pause,
            "runs.stop_save": self._stop_and_save,
            "runs.stop_now": self._stop_now,
            "runs.checkpoint": self._checkpoint,
            "runs.resume": self._resume,
            "runs.fork": self.forker.ask,
            "runs.export_run": lambda: self.exports.ask(self._snapshot),
            "runs.inspect": lambda: self._inspect_pair(""),
            "runs.copy_command": self._copy_command,
            "runs.open_folder": self._open_folder,
            **self.plots.handlers(),
            **self.arranging.handlers(),
            **self.housekeeper.handlers(),
            **self.queue.handlers(),
            **self.talks.handlers(lambda: (self.list.current_id, self._snapshot.name if self._snapshot else "")),
        }.items():
            self.on(action_id, handler)
        self.context.actions.set_checked("runs.follow", True)

    # Being shown

    def styled_parts(self) -> tuple[QWidget, ...]:
        """Return the list, the parts of the monitor and what else is not plain."""
        return self._panel, self._empty, *self.monitor.styled_parts, self._scroll.verticalScrollBar(), self.header

    @property
    def is_built(self) -> bool:
        """Whether all plots are made."""
        return self.monitor.grid.is_built

    def on_shown(self) -> None:
        """Read now; give the list the width that its lines need, which a hidden page cannot keep."""
        self.talks.come_back()
        self._split.fit()
        self._split.setSizes(self._split.sizes())  # a larger text may have raised what the parts need at least
        self.refresh()

    def on_hidden(self) -> None:
        """Stop reading."""
        self._timer.stop()

    def changed(self, changes: Changes) -> None:  # noqa: ARG002 - the same for every change
        """Read the list again."""
        self.refresh()
        self.housekeeper.read()

    def show_item(self, **what: Any) -> None:
        """Show the run ``run_id``, and the pairs of ``step`` when given."""
        self.housekeeper.to_monitor()
        self._wanted, self._wanted_step = str(what.get("run_id", "")), int(what.get("step", -1))
        self.queue.take(what)
        self.refresh()

    def first_focus(self) -> QWidget:
        """Start in the list."""
        return self.list

    # Reading

    def refresh(self) -> None:
        """Read the list and the chosen run on a background thread."""
        service, run_id = self.context.services.runs, self._wanted or self.list.current_id
        shown = self.monitor.shown

        def read() -> tuple[list[RunInfo], presenter.MonitorData | None]:
            runs = [run for run in service.list() if ARCHIVED not in run.tags or run.run_id == run_id]
            names = {run.run_id: run.name for run in runs}
            chosen = run_id if run_id in names else next(iter(names), "")
            return runs, self._pairs.snapshot(chosen, names[chosen], shown) if chosen else None

        self.context.tasks.query(read, self._show, self._not_read, owner=self, key="snapshot")

    def _not_read(self, error: Exception) -> None:
        """Report an error once and read again later: a file that is busy now can be read then."""
        if self.isVisible():
            self._timer.start(IDLE_MS)
        if str(error) != self._reported:
            self._reported = str(error)
            self.context.tasks.unhandled.emit(error)

    def _show(self, found: tuple[list[RunInfo], presenter.MonitorData | None]) -> None:
        runs, snapshot = found
        self._reported = ""
        self.list.set_runs(runs)
        if snapshot is not None and self._right.currentIndex() == 0:
            self._right.setCurrentIndex(1)
            self._timer.start(0)  # the monitor is laid out in this turn of the event loop and filled in a later one
            return
        self._right.setCurrentIndex(1 if snapshot else 0)
        if snapshot is None:
            self._snapshot = None
            self.monitor.allow(None)
        else:
            if self._wanted:
                self.list.choose(self._wanted)
                self._wanted = ""
            if snapshot.run_id == self.list.current_id:
                self._show_run(snapshot)
        if self.isVisible():
            self._timer.start(LIVE_MS if snapshot and snapshot.live else IDLE_MS)

    def _show_run(self, snapshot: presenter.MonitorData) -> None:
        self._snapshot = snapshot
        self.monitor.show_snapshot(snapshot)
        self._own_keys.keep(self.monitor.banner_frame)
        if self._wanted_step >= 0:
            step, self._wanted_step = self._wanted_step, -1
            self.show_pairs(step, step)
        self._list_newest(snapshot)
        tabs = self.monitor.tabs
        read_already = self._worst_step == snapshot.status.step or self._reading_worst == snapshot.run_id
        if tabs.currentWidget() is tabs.worst and not read_already:
            self._read_worst()

    def _choose(self, run_id: str) -> None:
        """Clear what the page shows of the run before."""
        if self._snapshot is None or self._snapshot.run_id != run_id:
            self.plots.reset()
            self.monitor.clear()
            self._pinned, self._listed_step, self._worst_step = False, -1, -1
            self.monitor.tabs.show_nothing()
            self.refresh()

    def _list_newest(self, snapshot: presenter.MonitorData) -> None:
        """List the pairs of the newest step until the user picks one or reads in the table."""
        step, reading = snapshot.status.step, self.monitor.tabs.step_pairs.hasFocus()
        if not self._pinned and not reading and step > 0 and step != self._listed_step:
            self._listed_step = step
            self._read_step(step, step)

    def show_pairs(self, first: int, last: int) -> None:
        """List the pairs of a step or a range of steps, worst margin first."""
        self._pinned = True
        self.monitor.grid.pin(float(first))
        self.monitor.grid.set_range((first, last) if last > first else None)
        self.monitor.show_readout()
        self.monitor.tabs.setCurrentIndex(0)
        self._read_step(first, last)

    def _pin_pairs(self) -> str:
        """Keep the pairs that are listed next, and return the run they are of."""
        self._pinned = True
        return self.list.current_id

    def _read_step(self, first: int, last: int) -> None:
        if not (run_id := self.list.current_id):
            return

        def show(rows: list[LineageRow]) -> None:
            if run_id == self.list.current_id:
                self.monitor.tabs.show_step(first, last, rows)

        self.context.tasks.query(lambda: self._pairs.of_steps(run_id, first, last), show, owner=self, key="pairs")

    def _read_worst(self) -> None:
        if not (run_id := self.list.current_id):
            return

        def show(rows: list[LineageRow]) -> None:
            self._reading_worst = ""
            if run_id == self.list.current_id:
                self.monitor.tabs.show_worst(rows)

        def failed(error: Exception) -> None:
            self._reading_worst = ""
            self._not_read(error)

        self._reading_worst = run_id  # one at a time: newer reads would replace a slow one before it ends
        self._worst_step = self._snapshot.status.step if self._snapshot is not None else -1
        self.context.tasks.query(lambda: self._pairs.worst(run_id), show, failed, owner=self, key="worst")

    # Acting

    def _expect(self, command: str) -> None:
        """Show a request at once; the run answers it later."""
        if self._snapshot is not None:
            self._snapshot = presenter.with_request(self._snapshot, command)
            self.monitor.show_state(self._snapshot)

    def _send(self, verb: str, **words: Any) -> None:
        run_id, service = self.list.current_id, self.context.services.runs
        if run_id:
            self.context.ops.mutate(
                lambda: getattr(service, verb)(run_id, **words), lambda _: self.refresh(), owner=self
            )

    def _pause(self) -> None:
        paused = self._snapshot is not None and self._snapshot.status.state == "paused"
        if paused:
            self._resume()
            return
        self._expect("pause")
        self._send("pause")

    def _resume(self) -> None:
        self._expect("run")
        self._send("resume", host=self.context.settings.get("train.host"))

    def _stop_and_save(self) -> None:
        self._expect("stop_and_save")
        self._send("stop", save=True)

    def _stop_now(self) -> None:
        text = "Steps since the newest checkpoint are lost. Everything recorded so far stays."
        if self.context.dialogs.confirm("Stop now?", text, "Stop now"):
            self._expect("stop_now")
            self._send("stop", save=False)

    def _checkpoint(self) -> None:
        self._send("checkpoint")
        self.context.notices.post("A checkpoint is written at the end of this step.")

    def _inspect_pair(self, pair_id: str) -> None:
        if self.list.current_id:
            row = self.monitor.tabs.current_row() if pair_id else None
            kind = row.kind if row is not None else "train"
            self.context.navigate("inspect", run_id=self.list.current_id, pair_id=pair_id, kind=kind)

    def _copy_command(self) -> None:
        if self._snapshot is not None:
            QGuiApplication.clipboard().setText(self._snapshot.record.command_line)
            self.context.notices.post("The command line was copied.")

    def _open_folder(self) -> None:
        run_id, service = self.list.current_id, self.context.services.runs
        if run_id:
            self.context.tasks.query(lambda: service.reader(run_id).folder.path, open_path, owner=self)

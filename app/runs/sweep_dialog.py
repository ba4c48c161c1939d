"""A sweep: which settings vary over which values and seeds, what it costs, and the command line that does it."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.runs.sweep_figures import about_words, cost_words, plan_words, reference_words, suggested, title_of
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.field_grid import FieldGrid
from app.widgets.labels import text_label
from app.widgets.messages import ProgressLine
from core.domain.clock import now_ms
from core.domain.errors import UserError
from core.domain.preflight_report import PreflightReport
from core.domain.run_config import RunConfig
from core.domain.sweep import SEED, SweepPlan, read_sweep
from core.services.runs.sweeps import sweep_command_line, sweep_cost, sweep_requests
from core.services.runs.views import RunRequest

ROWS = 3
"""How many settings can vary at once, beside the seed."""
_SEEDS_EMS = 8.0
"""Room for the words in the empty field of seeds, in heights of a line."""


class SweepDialog(BaseDialog):
    """Asks what varies; :attr:`plan` and :meth:`request` are the answer.

    Args:
        parent: a widget of the window.
        context: services, theme.
        base: the run of which settings vary.
        about: what that run is, in words.
    """

    def __init__(self, parent: QWidget, context: AppContext, base: RunRequest, about: str) -> None:
        size = QSize(context.theme.px(620), context.theme.px(470))
        super().__init__(parent, "Sweep", size=size, settings=context.settings)
        self._context, self._base = context, base
        self._job: BackgroundTask | None = None
        self._report: PreflightReport | None = None
        self.plan: SweepPlan | None = None
        self.settings = [ComboBox() for _ in range(ROWS)]
        self.values = [QLineEdit() for _ in range(ROWS)]
        self.seeds, self.name = QLineEdit(), QLineEdit(base.name or "sweep")
        self.count, self.reference = text_label("", "strong", wrap=True), text_label("", "muted", wrap=True)
        self.cost = text_label("", "muted", wrap=True)
        self.error = text_label("", "error", wrap=True)
        self.estimate, self.command = push_button("Estimate"), push_button("Show the command line", "flat")
        self._progress = QVBoxLayout()
        self._build(about)
        self._bind()
        self._check()

    def _build(self, about: str) -> None:
        scroll = ScrollColumn(name="What varies", spacing=10)
        scroll.column.addWidget(text_label(about_words(about), "caption", wrap=True))
        for number, (box, field) in enumerate(zip(self.settings, self.values, strict=True), 1):
            box.addItem("nothing more" if number > 1 else "only the seed", "")
            for name in RunConfig.objective_keys():
                if name != SEED:
                    box.addItem(title_of(name), name)
            box.setAccessibleName(f"Setting {number}")
            field.setAccessibleName(f"Values of setting {number}")
            field.setPlaceholderText("a, b, c")
            field.setToolTip("Values, separated by commas")
            row = QHBoxLayout()
            box.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(10)
            row.addWidget(box, 1)
            row.addWidget(field, 1)
            scroll.column.addLayout(row)
        self.settings[0].setCurrentIndex(self.settings[0].findData("beta"))
        self.values[0].setText(suggested("beta", self._base.config))
        self.seeds.setPlaceholderText(f"{self._base.config.seed} only; or 0, 1, 2")
        fields: list[tuple[str, QWidget]] = [("Seeds", self.seeds), ("Name", self.name)]
        for words, widget in fields:
            widget.setAccessibleName(words)
        rows = [(text_label(words, "muted"), widget) for words, widget in fields]
        scroll.column.addWidget(FieldGrid(rows, field_ems=_SEEDS_EMS))
        for label in (self.count, self.reference, self.cost):
            scroll.column.addWidget(label)
        row = QHBoxLayout()
        row.addWidget(self.estimate)
        row.addWidget(self.command)
        row.addStretch(1)
        scroll.column.addLayout(row)
        scroll.column.addLayout(self._progress)
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.error)
        self.accepts = self.add_buttons("Add to the queue")

    def _bind(self) -> None:
        for box, field in zip(self.settings, self.values, strict=True):
            box.activated.connect(lambda _, box=box, field=field: self._suggest(box, field))
            field.textChanged.connect(lambda _: self._check())
        for field in (self.seeds, self.name):
            field.textChanged.connect(lambda _: self._check())
        self.estimate.clicked.connect(self._estimate)
        self.command.clicked.connect(self._show_command)

    def request(self) -> RunRequest:
        """Return what the runs share, with the name of the sweep."""
        return RunRequest(
            self._base.model_path,
            dataset_id=self._base.dataset_id,
            pairs_path=self._base.pairs_path,
            config=self._base.config,
            name=self.name.text().strip() or "sweep",
            charter=self._base.charter,
            tags=self._base.tags,
            note=self._base.note,
            measured_smoothing=self._base.measured_smoothing,
        )

    def done(self, result: int) -> None:
        """End an estimate that goes on, and close."""
        if self._job is not None:
            self._job.cancel()
        super().done(result)

    def _suggest(self, box: ComboBox, field: QLineEdit) -> None:
        field.setText(suggested(str(box.currentData()), self._base.config))
        self._check()

    def _check(self) -> None:
        """Work the plan out, and say what is wrong with it."""
        over = [
            f"{box.currentData()}={field.text().strip()}"
            for box, field in zip(self.settings, self.values, strict=True)
            if box.currentData()
        ]
        self._report = None
        try:
            self.plan = read_sweep(over, self.seeds.text())
            self.plan.configs(self._base.config)
            self.error.setText("")
        except UserError as error:
            self.plan = None
            self.error.setText(str(error))
        self.error.setVisible(self.plan is None)
        for box, field in zip(self.settings, self.values, strict=True):
            field.setEnabled(bool(box.currentData()))
        self.count.setText(plan_words(self.plan) if self.plan is not None else "")
        self.reference.setText(reference_words(self.plan) if self.plan is not None else "")
        self.cost.setText("")
        for button in (self.accepts, self.estimate, self.command):
            button.setEnabled(self.plan is not None)

    def _estimate(self) -> None:
        """Run the preflight of the first run, and tell from it what all of them take."""
        plan, service = self.plan, self._context.services.runs
        if plan is None:
            return
        request = self.request()

        def work(control: TaskControl) -> PreflightReport:
            first = sweep_requests(request, plan, began_ms=now_ms())[0]
            return service.preflight(first, on_progress=control.progress, cancelled=lambda: control.cancelled)

        if self._job is not None:
            self._job.cancel()
        self._job = self._context.tasks.job(
            "Estimate of the sweep",
            work,
            lambda report: self.show_cost(report) if plan == self.plan else None,
            lambda error: self.cost.setText(str(error)),
            owner=self,
        )
        line = ProgressLine()
        line.follow(self._job)
        while (item := self._progress.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        self._progress.addWidget(line)

    def show_cost(self, report: PreflightReport) -> None:
        """Show what all runs take."""
        self._report = report
        if self.plan is not None:
            self.cost.setText(cost_words(sweep_cost(report, self.plan), report))

    def _show_command(self) -> None:
        plan, request, services, context = self.plan, self.request(), self._context.services, self._context
        if plan is None:
            return

        def read() -> str:
            title = "" if request.dataset_id is None else services.datasets.get(request.dataset_id).title
            return sweep_command_line(request, plan, workspace=services.folder, dataset=title)

        def show(text: str) -> None:
            words = "The same runs without the window, one after the other at once:"
            if context.dialogs.ask("Command line", words, ("Copy", "Close"), detail=text) == "Copy":
                QGuiApplication.clipboard().setText(text)

        context.tasks.query(read, show, owner=self)

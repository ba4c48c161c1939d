"""Train: which data, which model, which method; a preflight; then the run starts and Runs shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.background.task import BackgroundTask, TaskControl, TaskState
from app.context import AppContext
from app.main_window.page import Page
from app.train import presenter
from app.train.charter_card import CharterCard
from app.train.charter_lead import CharterLead
from app.train.config_form import ConfigForm
from app.train.model_choice import ModelChoice
from app.train.preflight_panel import PreflightPanel
from app.train.run_ways import RunWays
from app.train.token_proof import TokenProofs
from app.widgets.buttons import action_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.folding_split import FoldingSplit
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import text_label
from app.widgets.paragraph_field import ParagraphField
from core.domain.changes import Changes
from core.domain.charter import Charter
from core.domain.dataset import DatasetVersion
from core.domain.errors import BadInput
from core.domain.model_info import ModelInfo
from core.domain.preflight_report import Check, PreflightReport
from core.domain.run_config import RunConfig
from core.domain.run_record import RunRecord
from core.domain.suite import SuiteInfo
from core.services.runs.views import RunInfo, RunRequest

if TYPE_CHECKING:
    from core.services.runs.service import RunsService


class TrainPage(Page):
    """The form of a new run."""

    place: ClassVar[str] = "train"
    watches: ClassVar[Changes] = Changes.DATASETS | Changes.MODELS | Changes.RUNS | Changes.SUITES
    _found = Signal(object, object)
    """What was checked, and a check that is known early; emitted from the background."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._wanted_dataset: int | None = None
        self._name_typed = False
        self._blocked = ""
        self._checking: BackgroundTask | None = None
        self._early: list[Check] = []
        self._names: frozenset[str] = frozenset()
        self._ready = False
        self._shown: tuple[int | None, str | None, RunConfig | str, Charter] | None = None
        self._versions: dict[int, DatasetVersion] = {}
        self.datasets = ComboBox(outside=True)
        self.model_choice = ModelChoice(context, self)
        self.models = self.model_choice.box
        self.form = ConfigForm(context.theme)
        self.preflight = PreflightPanel(context)
        self.proofs = TokenProofs(self, context)
        self.name = QLineEdit()
        self.charter, self.note = CharterCard(context.theme), ParagraphField("Note", 2)
        self._suites: Sequence[SuiteInfo] = ()
        self.presets = SegmentedControl("Preset", [(key, words) for key, (words, _) in presenter.PRESETS.items()])
        self._build()
        self.ways = RunWays(
            context,
            self,
            request=self.request,
            may_begin=self._may_begin,
            stop_checks=self._stop_checks,
            not_begun=self.lead.not_started,
        )
        self._bind()

    def _build(self) -> None:
        actions, theme = self.context.actions, self.context.theme
        self.header.add_right(action_button(actions, "train.copy_from", text="Copy from run…", theme=theme))
        scroll = ScrollColumn(margin=2, spacing=10, name="Settings of the run")
        data = Card("1  Data")
        self.data_about = text_label("", "caption", wrap=True)
        data.add(self.datasets)
        data.add(self.data_about)
        model = Card("2  Model")
        model.add(self.model_choice)
        method = Card("3  Method")
        method.add_to_head(self.presets)
        self.preset_about = text_label("", "hint", wrap=True)
        method.add(self.preset_about)
        method.add(self.form)
        about = Card("4  Name and note")
        for label, widget in (("Name", self.name), ("Note", self.note)):
            widget.setAccessibleName(label)
            about.add(text_label(label, "muted"))
            about.add(widget)
        self.lead = CharterLead(self.context, self.charter, scroll)
        for card in (data, model, method):
            scroll.column.addWidget(card)
        scroll.add_later((about, self.charter))
        scroll.column.addStretch(1)
        self.datasets.setAccessibleName("Dataset version")
        self.datasets.setPlaceholderText("No dataset version yet")
        self.set_body(FoldingSplit((scroll, self.preflight), (760, 360), heights=(300, 220), least=(26, 18)))

    def _bind(self) -> None:
        self._found.connect(self._show_found)
        self.presets.changed.connect(self._take_preset)
        self.form.changed.connect(self._edited)
        self.charter.changed.connect(self._forget_preflight)
        self.preflight.lead_wanted.connect(self.lead.to_benign)
        self.name.textEdited.connect(lambda text: setattr(self, "_name_typed", bool(text)))
        self.datasets.activated.connect(lambda _: self._edited())
        self.model_choice.chosen.connect(self._model_chosen)
        self.model_choice.added.connect(self._read)
        for action_id, handler in {
            "train.start": lambda: self.model_choice.when_there(self.ways.start),
            "train.queue": lambda: self.model_choice.when_there(self.ways.add_to_queue),
            "train.sweep": lambda: self.model_choice.when_there(self.ways.sweep),
            "train.preflight": lambda: self.model_choice.when_there(self.check),
            "train.tokens": lambda: self.model_choice.when_there(self.show_tokens),
            "train.copy_from": self._copy_from,
            "train.command_line": self.ways.show_command_line,
            "train.add_model": self.model_choice.add,
            "train.advanced": self.form.fold.set_open,
        }.items():
            self.on(action_id, handler)
        self.presets.set_value("standard")
        self._edited()

    def on_shown(self) -> None:
        """Read datasets and models."""
        self._read()

    def changed(self, changes: Changes) -> None:  # noqa: ARG002 - the same for every change
        """Read them again."""
        self._read()

    def show_item(self, **what: Any) -> None:
        """Choose the dataset version ``dataset_id``, or take settings and charter of the run ``like_run``."""
        self._wanted_dataset = what.get("dataset_id")
        if like_run := str(what.get("like_run", "")):
            self._read_record(like_run)
        self._read()

    def first_focus(self) -> QWidget:
        """Start with the data."""
        return self.datasets

    def _read(self) -> None:
        services = self.context.services
        self.context.tasks.query(
            lambda: (
                services.datasets.list(),
                services.models.list(),
                services.models.starter_offer(),
                [run.name for run in services.runs.list()],
                services.suites.list(),
            ),
            self._show_lists,
            owner=self,
            key="lists",
        )

    def _show_lists(
        self, found: tuple[list[DatasetVersion], list[ModelInfo], ModelInfo | None, list[str], Sequence[SuiteInfo]]
    ) -> None:
        datasets, models, offer, names, self._suites = found
        self._names = frozenset(names)
        chosen, self._wanted_dataset = self._wanted_dataset or self.datasets.currentData(), None
        self._versions = {version.id: version for version in datasets}
        self.datasets.clear()
        for version in sorted(datasets, key=lambda v: -v.id):
            counts = version.counts
            words = f"{version.title} · {counts.get('train', 0)} train, {counts.get('dev', 0)} held-out"
            self.datasets.addItem(words, version.id)
        self.datasets.setCurrentIndex(max(0, self.datasets.findData(chosen)))
        self.datasets.setEnabled(self.datasets.count() > 0)
        if self.model_choice.show_models(models, offer):
            self._model_chosen()
        self._edited()

    def _take_preset(self, key: str) -> None:
        self.form.set_config(presenter.preset(key))
        self._model_chosen()

    def _model_chosen(self) -> None:
        """A model without a chat template is trained on plain text; one with a template uses it."""
        info = self.model_choice.info
        if info is not None:
            self.form.set_value("template", "model" if info.has_template else "none")

    def _edited(self) -> None:
        ready = not self.form.error_text and self.datasets.currentData() is not None and bool(self.models.currentData())
        if not self._name_typed and not self.form.error_text:
            self.name.setText(presenter.default_name(self.form.config(), self._names))
        for action_id in ("train.start", "train.queue", "train.sweep", "train.command_line", "train.tokens"):
            self.context.actions.set_enabled(action_id, ready)
        self._ready = ready
        self._allow_check()
        version = self._versions.get(self.datasets.currentData())
        missing = "Freeze labels into a dataset version first (Data, Ctrl+2)."
        self.data_about.setText(presenter.data_line(version) if version else missing)
        self.model_choice.describe()
        self.lead.offer(version, self._suites, None if self.form.error_text else self.form.config())
        if not self.form.error_text:
            preset = presenter.preset_of(self.form.config())
            self.presets.set_value(preset)
            self.preset_about.setText(presenter.preset_line(preset))
        self._forget_preflight()

    def _allow_check(self) -> None:
        """One check at a time, and none of a form that is not complete."""
        self.context.actions.set_enabled("train.preflight", self._ready and self._checking is None)

    def _forget_preflight(self) -> None:
        """Take away what was checked, and end a check that goes on, once it is of other settings."""
        settings = self.form.error_text or self.form.config()
        shown = (self.datasets.currentData(), self.models.currentData(), settings, self.charter.charter())
        if shown != self._shown:
            self._shown, self._blocked = shown, ""
            self.proofs.take(None)
            if self._checking is not None:
                self._checking.cancel()
            self.preflight.clear()

    def request(self) -> RunRequest:
        """Return the run that the form asks for.

        Raises:
            BadInput: when data or model are missing. UsageError: for a setting out of bounds.
        """
        if self.datasets.currentData() is None or not self.models.currentData():
            raise BadInput("A run needs a dataset version and a model.", "Choose both.")
        return RunRequest(
            dataset_id=int(self.datasets.currentData()),
            model_path=str(self.models.currentData()),
            config=self.form.config(),
            name=self.name.text().strip(),
            charter=self.charter.charter(),
            note=self.note.toPlainText().strip(),
            measured_smoothing=self.form.measured_smoothing,
        )

    # Acting

    def check(self) -> None:
        """Run the preflight in a process of its own."""
        request, service, of = self.request(), self.context.services.runs, self._shown
        self._early.clear()
        job = self.context.tasks.job(
            "Preflight",
            lambda control: self._try(service, request, control, lambda check: self._found.emit(of, check)),
            lambda report: self._checked(report) if of == self._shown else None,
            lambda error: self._not_checked(error) if of == self._shown else None,
            owner=self,
        )
        self._checking = job
        self.preflight.follow(job)
        self._allow_check()
        job.changed.connect(self._follow_check)

    def _follow_check(self) -> None:
        """Allow the next check once this one has ended, with or without an error."""
        job = self._checking
        if job is not None and job.state not in (TaskState.RUNNING, TaskState.STOPPING):
            self._checking = None
            self._allow_check()

    @staticmethod
    def _try(
        service: RunsService, request: RunRequest, control: TaskControl, on_check: Callable[[Check], None]
    ) -> PreflightReport:
        return service.preflight(
            request, on_progress=control.progress, on_check=on_check, cancelled=lambda: control.cancelled
        )

    def _show_found(self, of: object, check: Check) -> None:
        """Show a check that is known before the whole report."""
        if of == self._shown and self._checking is not None:
            self._early.append(check)
            self.preflight.show_checks(presenter.early_rows(self._early), "")

    def _checked(self, report: PreflightReport) -> None:
        self.proofs.take(report.proof)
        rows = presenter.check_rows(report)
        self._blocked = next((f"{title}: {text}" for level, title, text in rows if level == "bad"), "")
        self.preflight.clear()
        self.preflight.show_checks(rows, presenter.total_line(report))

    def _not_checked(self, error: Exception) -> None:
        text = str(error)
        self._blocked = text
        self.preflight.clear()
        self.preflight.show_checks([("bad", "The preflight failed", text)], "")

    def _may_begin(self, verb: str) -> bool:
        """Return whether charter and preflight allow the run; what the preflight found in its way is asked about."""
        return self.lead.is_whole() and (
            not self._blocked
            or self.context.dialogs.confirm(
                f"{verb} all the same?", "The preflight says that this run would fail.", verb, detail=self._blocked
            )
        )

    def _stop_checks(self) -> None:
        if self._checking is not None:
            self._checking.cancel()

    def show_tokens(self) -> None:
        """Show what the run would train: tokens, what is scored, differences from the answers."""
        self.proofs.show(self.request(), self._not_checked)

    def _copy_from(self) -> None:
        service = self.context.services.runs
        self.context.tasks.query(service.list, self._choose_run, owner=self, key="runs")

    def _choose_run(self, runs: Sequence[RunInfo]) -> None:
        if not runs:
            self.context.notices.post("There is no run to copy from.")
            return
        place = self.context.dialogs.choose("Copy settings", "From which run?", [r.name for r in runs])
        if place is not None:
            self._read_record(runs[place].run_id)

    def _read_record(self, run_id: str) -> None:
        service = self.context.services.runs
        self.context.tasks.query(lambda: service.reader(run_id).record(), self._copy_record, owner=self)

    def _copy_record(self, record: RunRecord) -> None:
        """Take settings and charter of another run."""
        self.form.set_config(record.config)
        self.charter.set_charter(record.charter)

"""Data: the pairs of the workspace in a table, one in full beside it; the frozen dataset versions."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSplitter, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from app.background.task import BackgroundTask, TaskState
from app.context import AppContext
from app.data.columns import COLUMNS, LABELS
from app.data.datasets_tab import DatasetsTab, diff_text
from app.data.freeze_dialog import FreezeDialog
from app.data.freeze_form import FreezeForm
from app.data.import_dialog import ImportDialog, import_text
from app.data.preview import PairPreview
from app.main_window.page import Page
from app.widgets.buttons import action_button
from app.widgets.inputs import SearchField
from app.widgets.labels import Chip
from app.widgets.messages import EmptyState, ProgressLine
from app.widgets.table import VirtualTable
from core.domain.changes import Changes
from core.domain.pair_table import PairFilter

FILES = "Pairs (*.jsonl *.json *.csv *.parquet *.gz)"


class DataPage(Page):
    """Pairs and dataset versions."""

    place: ClassVar[str] = "data"
    watches: ClassVar[Changes] = Changes.PAIRS | Changes.JUDGEMENTS | Changes.DATASETS | Changes.REVIEWERS

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._filter = PairFilter()
        self._wanted: int | None = None
        self._job: BackgroundTask | None = None
        self._asked = 0
        theme = context.theme
        self.search = SearchField(theme, "Find in prompts and answers")
        self.labels, self.reviewers, self.sources = QComboBox(), QComboBox(), QComboBox()
        self.table = VirtualTable(
            context.tasks, theme, COLUMNS, name="Pairs", settings=context.settings, state_key="pairs"
        )
        self.preview, self.datasets = PairPreview(theme), DatasetsTab(context)
        self.count, self.progress = Chip(""), ProgressLine(theme)
        self._build()
        self._bind()

    def _build(self) -> None:
        actions, theme = self.context.actions, self.context.theme
        self.header.add_left(self.count)
        self.header.add_right(action_button(actions, "data.label", text="Label these", theme=theme))
        self.header.add_right(action_button(actions, "data.freeze", text="Freeze…", theme=theme))
        self.header.add_right(action_button(actions, "data.import", text="Import…", kind="primary", theme=theme))
        pairs = QWidget()
        column = QVBoxLayout(pairs)
        column.setContentsMargins(0, 8, 0, 0)
        row = QHBoxLayout()
        row.addWidget(self.search, 1)
        for box, name in ((self.labels, "Label"), (self.reviewers, "Reviewer"), (self.sources, "Source")):
            box.setAccessibleName(name)
            box.setMinimumWidth(110)
            row.addWidget(box)
        for key, words in LABELS:
            self.labels.addItem(words, key)
        column.addLayout(row)
        self._found = QStackedWidget()
        nothing = EmptyState(
            theme,
            "filter",
            "No pair matches",
            "Other words or fewer filters may find some.",
            main=("Clear all filters", self._clear),
        )
        self._found.addWidget(self.table)
        self._found.addWidget(nothing)
        split = QSplitter()
        split.addWidget(self._found)
        split.addWidget(self.preview)
        split.setStretchFactor(0, 1)
        split.setSizes([760, 400])
        column.addWidget(split, 1)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Pairs and dataset versions")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(pairs, "Pairs")
        self.tabs.addTab(self.datasets, "Dataset versions")
        empty = EmptyState(
            theme,
            "data",
            "No pairs yet",
            "Import pairs of answers from JSONL, JSON, CSV or Parquet. Labels in the file come along.",
            main=("Import…", lambda: actions.run("data.import")),
            second=("Open the demo", lambda: actions.run("global.demo")),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.tabs)
        body = QVBoxLayout()
        body.addWidget(self._stack, 1)
        body.addWidget(self.progress)
        self.progress.hide()
        self.set_body(body)

    def _bind(self) -> None:
        self.search.searched.connect(lambda _: self._read())
        for box in (self.labels, self.reviewers, self.sources):
            box.activated.connect(lambda _: self._read())
        self.table.current_changed.connect(self._read_pair)
        self.table.opened.connect(lambda pair_id: self.context.navigate("annotate", pair_ids=(pair_id,)))
        for action_id, handler in {
            "data.import": self._import,
            "data.find": self._find,
            "data.clear_filters": self._clear,
            "data.open": self._open,
            "data.label": self._label,
            "data.freeze": self._freeze,
            "data.export": self._export,
            "data.diff": self._diff,
            "data.copy_id": lambda: QGuiApplication.clipboard().setText(str(self.table.current_id or "")),
            "data.preview": self.preview.setVisible,
        }.items():
            self.on(action_id, handler)
        self.context.actions.set_checked("data.preview", True)

    def on_shown(self) -> None:
        """Read everything."""
        self._read(lists=True)

    def changed(self, changes: Changes) -> None:
        """Read what changed."""
        self._read(lists=True)

    def show_item(self, **what: Any) -> None:
        """Show the pair ``pair_id`` or the dataset version ``dataset_id``."""
        self._wanted = what.get("pair_id")
        if (dataset_id := what.get("dataset_id")) is not None:
            self.tabs.setCurrentIndex(1)
            self.datasets.choose(int(dataset_id))
        self._read()

    def first_focus(self) -> QWidget:
        """Start in the table."""
        return self.table

    # Reading

    def _wanted_filter(self) -> PairFilter:
        return PairFilter(
            text=self.search.text().strip(),
            label=self.labels.currentData() or "any",
            reviewer_id=self.reviewers.currentData(),
            source_id=self.sources.currentData(),
        )

    def _read(self, *, lists: bool = False) -> None:
        services, wanted = self.context.services, self._wanted_filter()
        self._asked += 1
        number = self._asked

        def read() -> tuple[Any, ...]:
            found: tuple[Any, ...] = (services.pairs.ids(wanted), services.pairs.count())
            if lists:
                found += (services.reviewers.list(), services.pairs.sources(), services.datasets.list())
            return found

        def show(found: tuple[Any, ...]) -> None:
            if lists:
                self._show_lists(*found[2:])
            if number == self._asked:
                self._show(wanted, *found[:2])

        self.context.tasks.query(read, show, owner=self, key="pairs-lists" if lists else "pairs")

    def _show_lists(self, reviewers: Any, sources: Any, versions: Any) -> None:
        _fill(self.reviewers, "All reviewers", [(r.name, r.id) for r in reviewers])
        _fill(self.sources, "All sources", [(s.name, s.id) for s in sources])
        self.datasets.set_versions(versions)

    def _show(self, wanted: PairFilter, ids: Any, total: int) -> None:
        """Show what the newest read found, unless a filter went away with its reviewer or source meanwhile."""
        now = self._wanted_filter()
        if (wanted.reviewer_id, wanted.source_id) != (now.reviewer_id, now.source_id):
            self._read()
            return
        self._stack.setCurrentIndex(1 if total else 0)
        self._found.setCurrentIndex(0 if ids or not total else 1)
        for action_id in ("data.label", "data.freeze"):
            self.context.actions.set_enabled(action_id, bool(ids if action_id == "data.label" else total))
        shown = f"{len(ids):,} of {total:,} pairs" if len(ids) != total else f"{total:,} pairs"
        self.count.set_chip(shown.replace(",", "\u202f"))
        self.table.show_ids(ids, self.context.services.pairs.rows)
        if self._wanted is not None:
            self.table.go_to_id(self._wanted)
            self._wanted = None
        elif self.table.current_id is None and ids:
            self.table.go_to(0)

    def _read_pair(self, pair_id: Any) -> None:
        if pair_id is not None:
            service = self.context.services.pairs
            self.context.tasks.query(lambda: service.detail(pair_id), self.preview.show_detail, owner=self, key="pair")

    def _open(self) -> None:
        """Show the pair with the cursor and its history."""
        self.preview.show()
        self.context.actions.set_checked("data.preview", True)
        self._read_pair(self.table.current_id)

    def _find(self) -> None:
        self.tabs.setCurrentIndex(0)
        self.search.setFocus()
        self.search.selectAll()

    def _clear(self) -> None:
        self.search.clear()
        for box in (self.labels, self.reviewers, self.sources):
            box.setCurrentIndex(0)
        self._read()

    # Acting

    def _import(self) -> None:
        path = self.context.dialogs.open_file("Import pairs", FILES)
        if path is None:
            return
        service = self.context.services.imports
        self.context.tasks.query(
            lambda: (service.preview(path), service.formats()), lambda found: self._confirm(path, *found), owner=self
        )

    def _confirm(self, path: Any, preview: Any, formats: Any) -> None:
        dialog = ImportDialog(self, self.context, path, preview, formats)
        if self.context.dialogs.run(dialog):
            self.start_import(path, dialog.words)
        dialog.deleteLater()

    def start_import(self, path: Any, words: dict[str, Any]) -> None:
        """Import a file as a job with progress and Cancel."""
        service = self.context.services.imports

        def work(control: Any) -> Any:
            def progress(p: Any) -> None:
                control.progress(p.bytes_read, p.bytes_total, f"{p.rows:,} rows")

            return service.run(path, on_progress=progress, cancelled=lambda: control.cancelled, **words)

        self._job = self.context.ops.job(f"Import {path.name}", work, self._imported, owner=self)
        self._job.ended.connect(self._import_ended)
        self.progress.show()
        self.progress.follow(self._job)

    def _imported(self, outcome: Any) -> None:
        report = outcome.value
        level = "warn" if report.rejected or report.cancelled else "ok"
        notices, path = self.context.notices, report.rejects_path
        if path:
            show = lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))  # noqa: E731
            notices.post(import_text(report), level, hint=f"Rejected rows: {path}", action="Open the list", run=show)
        else:
            notices.post(import_text(report), level)
        self._read(lists=True)

    def _import_ended(self) -> None:
        """Take the bar away, unless it shows another import, or says why this one failed."""
        if self._job is not None and not self._job.running:
            self.progress.setVisible(self._job.state is TaskState.FAILED)

    def _label(self) -> None:
        ids = self.table.selected_ids()
        chosen = ids if len(ids) > 1 else list(self.table.model_.ids)
        self.context.navigate("annotate", pair_ids=tuple(chosen))

    def _freeze(self) -> None:
        services = self.context.services

        def read() -> tuple[Any, ...]:
            return services.rubrics.published(imported=True), services.pairs.sources(), services.reviewers.list()

        self.context.tasks.query(read, self._ask_freeze, owner=self)

    def _ask_freeze(self, found: tuple[Any, ...]) -> None:
        suggestion = self.datasets.versions[0].name if self.datasets.versions else "preferences"
        dialog = FreezeDialog(self, self.context, FreezeForm(self.context.theme, suggestion, *found))
        if self.context.dialogs.run(dialog):
            form, service = dialog.form, self.context.services.datasets
            name, policy = form.name.text().strip(), form.policy()
            self.context.ops.job(f"Freeze {name}", lambda _: service.freeze(name, policy), self._frozen, owner=self)
        dialog.deleteLater()

    def _frozen(self, outcome: Any) -> None:
        version = outcome.value
        self.context.notices.post(f"{version.title} is frozen: {version.root_sha256[:12]}…", "ok")
        self.tabs.setCurrentIndex(1)
        self._read(lists=True)

    def _export(self) -> None:
        version = self.datasets.current
        if version is None:
            self.context.notices.post("Choose a dataset version first.")
            return
        place = self.context.dialogs.choose("Export", "As", ("JSONL in TRL's format", "Parquet in TRL's format"))
        folder = self.context.dialogs.open_folder("Export to a new folder in") if place is not None else None
        if folder is not None:
            fmt = ("jsonl", "parquet")[place or 0]
            target = folder / f"{version.name}-v{version.number}-{fmt}".replace(" ", "-")
            service = self.context.services.datasets
            done = lambda _: self.context.notices.post(f"Written to {target}", "ok")  # noqa: E731
            self.context.tasks.query(lambda: service.export(version.id, target, fmt), done, owner=self)

    def _diff(self) -> None:
        new = self.datasets.current
        others = [v for v in self.datasets.versions if new is not None and v.id != new.id]
        if new is None or not others:
            self.context.notices.post("There is no other dataset version to compare with.")
            return
        place = self.context.dialogs.choose("Compare", f"Compare {new.title} with", [v.title for v in others])
        if place is not None:
            old, service = others[place], self.context.services.datasets
            self.context.tasks.query(
                lambda: service.diff(old.id, new.id),
                lambda diff: self.datasets.show_text(diff_text(diff)),
                owner=self,
            )


def _fill(box: QComboBox, first: str, items: list[tuple[str, Any]]) -> None:
    """Fill a filter and keep its choice."""
    chosen = box.currentData()
    box.clear()
    box.addItem(first, None)
    for words, key in items:
        box.addItem(words, key)
    box.setCurrentIndex(max(0, box.findData(chosen)) if chosen is not None else 0)

"""Data: the pairs of the workspace in a table, one in full beside it; the frozen dataset versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSplitter, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from app.background.task import BackgroundTask, TaskState
from app.context import AppContext
from app.data.columns import COLUMNS, LABELS
from app.data.dataset_actions import DatasetActions
from app.data.datasets_tab import DatasetsTab
from app.data.pair_import import PairImport
from app.data.preview import PairPreview
from app.main_window.page import Page
from app.widgets.buttons import action_button
from app.widgets.inputs import SearchField
from app.widgets.labels import Chip
from app.widgets.messages import EmptyState, ProgressLine
from app.widgets.table import VirtualTable
from core.domain.changes import Changes
from core.domain.dataset import DatasetVersion
from core.domain.judgement import Reviewer
from core.domain.pair_table import PairFilter, SourceInfo

THIN_SPACE = "\u202f"


class _Lists(NamedTuple):
    """What the filters and the tab of dataset versions list."""

    reviewers: Sequence[Reviewer]
    sources: Sequence[SourceInfo]
    versions: Sequence[DatasetVersion]


class _Found(NamedTuple):
    """What one read found: the pairs that pass the filter, the number of all pairs, and the lists if wanted."""

    ids: list[int]
    total: int
    lists: _Lists | None = None


class DataPage(Page):
    """Pairs and dataset versions."""

    place: ClassVar[str] = "data"
    watches: ClassVar[Changes] = Changes.PAIRS | Changes.JUDGEMENTS | Changes.DATASETS | Changes.REVIEWERS

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._wanted: int | None = None
        self._job: BackgroundTask | None = None
        self._reads = 0
        theme = context.theme
        self.search = SearchField(theme, "Find in prompts and answers")
        self.labels, self.reviewers, self.sources = QComboBox(), QComboBox(), QComboBox()
        self.table = VirtualTable(
            context.tasks, theme, COLUMNS, name="Pairs", settings=context.settings, state_key="pairs"
        )
        self.preview, self.datasets = PairPreview(theme), DatasetsTab(context)
        self.count, self.progress = Chip(""), ProgressLine()
        self.imports = PairImport(context, self)
        self.dataset_actions = DatasetActions(context, self.datasets, self)
        self._build()
        self._connect()
        self._bind()

    def on_shown(self) -> None:
        """Read everything."""
        self._read(lists=True)

    def changed(self, _changes: Changes) -> None:
        """Read everything again."""
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

    def _build(self) -> None:
        actions, theme = self.context.actions, self.context.theme
        self.header.add_left(self.count)
        self.header.add_right(action_button(actions, "data.label", text="Label these", theme=theme))
        self.header.add_right(action_button(actions, "data.freeze", text="Freeze…", theme=theme))
        self.header.add_right(action_button(actions, "data.import", text="Import…", kind="primary", theme=theme))
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Pairs and dataset versions")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._pairs_tab(), "Pairs")
        self.tabs.addTab(self.datasets, "Dataset versions")
        empty = EmptyState(
            theme,
            "data",
            "No pairs yet",
            "Import pairs of answers from JSONL, JSON, CSV or Parquet. Labels in the file are imported with them.",
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

    def _pairs_tab(self) -> QWidget:
        """Return the filters, and below them the table beside the preview."""
        pairs = QWidget()
        column = QVBoxLayout(pairs)
        column.setContentsMargins(0, 8, 0, 0)
        filters = QHBoxLayout()
        filters.addWidget(self.search, 1)
        for box, name in ((self.labels, "Label"), (self.reviewers, "Reviewer"), (self.sources, "Source")):
            box.setAccessibleName(name)
            box.setMinimumWidth(110)
            filters.addWidget(box)
        for key, words in LABELS:
            self.labels.addItem(words, key)
        nothing = EmptyState(
            self.context.theme,
            "filter",
            "No pair matches",
            "Other words or fewer filters may find some.",
            main=("Clear all filters", self._clear_filters),
        )
        self._found = QStackedWidget()
        self._found.addWidget(self.table)
        self._found.addWidget(nothing)
        split = QSplitter()
        split.addWidget(self._found)
        split.addWidget(self.preview)
        split.setStretchFactor(0, 1)
        split.setSizes([760, 400])
        column.addLayout(filters)
        column.addWidget(split, 1)
        return pairs

    def _connect(self) -> None:
        self.search.searched.connect(lambda _: self._read())
        for box in (self.labels, self.reviewers, self.sources):
            box.activated.connect(lambda _: self._read())
        self.table.current_changed.connect(self._read_pair)
        self.table.opened.connect(lambda pair_id: self.context.navigate("annotate", pair_ids=(pair_id,)))
        self.imports.started.connect(self._follow_import)
        self.imports.imported.connect(lambda: self._read(lists=True))
        self.dataset_actions.frozen.connect(self._show_frozen)

    def _bind(self) -> None:
        for action_id, handler in {
            "data.import": self.imports.ask,
            "data.find": self._focus_search,
            "data.clear_filters": self._clear_filters,
            "data.open": self._open_pair,
            "data.label": self._label,
            "data.freeze": self.dataset_actions.freeze,
            "data.export": self.dataset_actions.export,
            "data.diff": self.dataset_actions.compare,
            "data.copy_id": lambda: QGuiApplication.clipboard().setText(str(self.table.current_id or "")),
            "data.preview": self.preview.setVisible,
        }.items():
            self.on(action_id, handler)
        self.context.actions.set_checked("data.preview", True)

    # Reading

    def _filter(self) -> PairFilter:
        return PairFilter(
            text=self.search.text().strip(),
            label=self.labels.currentData() or "any",
            reviewer_id=self.reviewers.currentData(),
            source_id=self.sources.currentData(),
        )

    def _read(self, *, lists: bool = False) -> None:
        """Read the pairs that pass the filter; with ``lists`` also what the filters and the other tab list."""
        services, wanted = self.context.services, self._filter()
        self._reads += 1
        number = self._reads

        def read() -> _Found:
            ids, total = services.pairs.ids(wanted), services.pairs.count()
            if not lists:
                return _Found(ids, total)
            return _Found(
                ids, total, _Lists(services.reviewers.list(), services.pairs.sources(), services.datasets.list())
            )

        def show(found: _Found) -> None:
            if found.lists is not None:
                self._show_lists(found.lists)
            if number == self._reads:
                self._show(wanted, found.ids, found.total)

        self.context.tasks.query(read, show, owner=self, key="pairs-lists" if lists else "pairs")

    def _show_lists(self, lists: _Lists) -> None:
        _fill(self.reviewers, "All reviewers", [(r.name, r.id) for r in lists.reviewers])
        _fill(self.sources, "All sources", [(s.name, s.id) for s in lists.sources])
        self.datasets.set_versions(lists.versions)

    def _show(self, wanted: PairFilter, ids: list[int], total: int) -> None:
        """Show what the newest read found, unless its reviewer or source left the filters meanwhile."""
        current = self._filter()
        if (wanted.reviewer_id, wanted.source_id) != (current.reviewer_id, current.source_id):
            self._read()
            return
        self._stack.setCurrentIndex(1 if total else 0)
        self._found.setCurrentIndex(0 if ids or not total else 1)
        self.context.actions.set_enabled("data.label", bool(ids))
        self.context.actions.set_enabled("data.freeze", bool(total))
        shown = f"{len(ids):,} of {total:,} pairs" if len(ids) != total else f"{total:,} pairs"
        self.count.set_chip(shown.replace(",", THIN_SPACE))
        self.table.show_ids(ids, self.context.services.pairs.rows)
        if self._wanted is not None:
            self.table.go_to_id(self._wanted)
            self._wanted = None
        elif self.table.current_id is None and ids:
            self.table.go_to(0)

    def _read_pair(self, pair_id: int | None) -> None:
        if pair_id is not None:
            service = self.context.services.pairs
            self.context.tasks.query(lambda: service.detail(pair_id), self.preview.show_detail, owner=self, key="pair")

    # Acting

    def _open_pair(self) -> None:
        """Show the current pair with its history."""
        self.preview.show()
        self.context.actions.set_checked("data.preview", True)
        self._read_pair(self.table.current_id)

    def _focus_search(self) -> None:
        self.tabs.setCurrentIndex(0)
        self.search.setFocus()
        self.search.selectAll()

    def _clear_filters(self) -> None:
        self.search.clear()
        for box in (self.labels, self.reviewers, self.sources):
            box.setCurrentIndex(0)
        self._read()

    def _label(self) -> None:
        """Annotate the selected pairs; all that are listed when fewer than two are selected."""
        ids = self.table.selected_ids()
        chosen = ids if len(ids) > 1 else list(self.table.model_.ids)
        self.context.navigate("annotate", pair_ids=tuple(chosen))

    def _follow_import(self, job: BackgroundTask) -> None:
        self._job = job
        job.ended.connect(self._hide_progress)
        self.progress.show()
        self.progress.follow(job)

    def _hide_progress(self) -> None:
        """Hide the bar, unless it shows another import or says why this one failed."""
        if self._job is not None and not self._job.running:
            self.progress.setVisible(self._job.state is TaskState.FAILED)

    def _show_frozen(self) -> None:
        self.tabs.setCurrentIndex(1)
        self._read(lists=True)


def _fill(box: QComboBox, first: str, items: Sequence[tuple[str, int]]) -> None:
    """Fill a filter and keep its choice."""
    chosen = box.currentData()
    box.clear()
    box.addItem(first, None)
    for words, key in items:
        box.addItem(words, key)
    box.setCurrentIndex(max(0, box.findData(chosen)) if chosen is not None else 0)

"""Data: the pairs of the workspace in a table, one in full beside it; the frozen dataset versions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QStackedWidget, QVBoxLayout, QWidget

from app.background.task import BackgroundTask, TaskState
from app.context import AppContext
from app.data.columns import MADE_BY
from app.data.consent_subject import ConsentSubject
from app.data.dataset_actions import DatasetActions
from app.data.datasets_tab import DatasetsTab
from app.data.feedback_place import FeedbackPlace
from app.data.filter_bar import FilterLists
from app.data.generate_actions import GenerateActions
from app.data.import_report import ImportReportCard
from app.data.index_keeper import IndexKeeper
from app.data.pair_import import PairImport
from app.data.pair_tagging import PairTagging
from app.data.pairs_tab import Found, PairsTab
from app.data.unfinished_card import UnfinishedCard
from app.main_window.page import Page
from app.widgets.buttons import action_button
from app.widgets.labels import Chip
from app.widgets.lazy_part import LazyTabs
from app.widgets.messages import EmptyState, ProgressLine
from core.domain.changes import Changes
from core.domain.counting import counted
from core.domain.dataset import DatasetVersion

if TYPE_CHECKING:
    from core.services.importing.report import ImportReport
    from core.services.importing.service import UnfinishedImport


OF_TABS = ("data.open", "data.preview", "data.find", "data.label", "data.tag", "data.clear_filters", "data.copy_id")
"""Actions of the tabs, which are off while the import page is shown."""


LISTS = ("source_id", "reviewer_id", "reviewer_kind", "labelled_ms", "pair_ids")
"""What names a list of pairs in ``show_item``."""


class _Lists(NamedTuple):
    """What the page lists beside the pairs."""

    filters: FilterLists
    versions: list[DatasetVersion]
    unfinished: list[UnfinishedImport]


class DataPage(Page):
    """Pairs and dataset versions."""

    place: ClassVar[str] = "data"
    watches: ClassVar[Changes] = (
        Changes.PAIRS | Changes.JUDGEMENTS | Changes.DATASETS | Changes.REVIEWERS | Changes.RUBRICS | Changes.FEEDBACK
    )

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._job: BackgroundTask | None = None
        self.pairs, self.tabs = PairsTab(context), LazyTabs(context.theme)
        self._versions: list[DatasetVersion] = []
        self.search, self.table, self.preview = self.pairs.filters.search, self.pairs.table, self.pairs.preview
        self.count, self.progress = Chip(""), ProgressLine()
        self.imports, self.report = PairImport(context, self), ImportReportCard(context.theme)
        self.unfinished = UnfinishedCard()
        self._importing = self._any_pairs = False
        self.dataset_actions = DatasetActions(context, lambda: self.datasets, self)
        self.tagging = PairTagging(context, self.table.selected_ids, self)
        self.generating = GenerateActions(context, self)
        self.index = IndexKeeper(context, self)
        self.feedback = FeedbackPlace(self)
        self._build()
        self._connect()
        self._bind()

    @property
    def datasets(self) -> DatasetsTab:
        """The frozen dataset versions; made when it is first shown or asked for."""
        return self._datasets.part

    def _begin_datasets(self, tab: DatasetsTab) -> None:
        tab.pairs_wanted.connect(lambda ids, words: self.context.navigate("data", pair_ids=ids, title=words))
        tab.set_versions(self._versions)

    def on_shown(self) -> None:
        """Read everything, and bring the search index up to date."""
        self._read_all()

    def on_hidden(self) -> None:
        """Leave the search index as it is."""
        self.index.rest()

    def changed(self, _changes: Changes) -> None:
        """Read everything again; the filter and the place in the list stay."""
        self._read_all()

    def show_item(self, **what: Any) -> None:
        """Show the pair ``pair_id``, the dataset version ``dataset_id`` or all with ``datasets``, the inbox with
        ``feedback`` (``panel``: changesets, consent or shift; ``consent_of``: kind, id and name of a subject) or an
        event of it with ``event_id``, or a list of pairs:
        those of ``source_id``, of ``reviewer_id``, of ``reviewer_kind``, labelled at the time ``labelled_ms``, or
        ``pair_ids``; ``title`` names the list.
        """
        if (dataset_id := what.get("dataset_id")) is not None:
            self.tabs.setCurrentIndex(1)
            self.datasets.choose(int(dataset_id))
        if what.get("datasets"):
            self.tabs.setCurrentIndex(1)
        if what.get("feedback") or what.get("event_id") is not None:
            self._stack.setCurrentIndex(1)
            self.tabs.setCurrentIndex(2)
            if (event_id := what.get("event_id")) is not None:
                self.feedback.tab.show_event(int(event_id))
            if panel := what.get("panel"):
                self.feedback.tab.show_panel(panel)
            if subject := what.get("consent_of"):
                self.feedback.show_consent(ConsentSubject(*subject))
            return
        if any(what.get(key) is not None for key in LISTS):
            self.tabs.setCurrentIndex(0)
            self.pairs.filters.clear()
            self._filter(what)
        if (pair_id := what.get("pair_id")) is not None:
            self.tabs.setCurrentIndex(0)
            self.pairs.show_pair(int(pair_id))
        self.pairs.read()

    def _filter(self, what: dict[str, Any]) -> None:
        """Set the filters that a list of pairs is asked for with."""
        filters, title = self.pairs.filters, what.get("title") or ""
        if (source_id := what.get("source_id")) is not None:
            filters.choose_source(int(source_id))
        if (reviewer_id := what.get("reviewer_id")) is not None:
            filters.choose_reviewer(int(reviewer_id))
        if kind := what.get("reviewer_kind"):
            filters.set_further("reviewer_kind", kind, f"Labelled by: {dict(MADE_BY)[kind]}")
        if (time := what.get("labelled_ms")) is not None:
            filters.set_further("labelled_ms", tuple(time), title or "Labelled in this time")
        if (pair_ids := what.get("pair_ids")) is not None:
            filters.set_further("pair_ids", tuple(pair_ids), title or "Some pairs")

    def first_focus(self) -> QWidget:
        """Start in the table."""
        return self.table

    def _build(self) -> None:
        actions, theme = self.context.actions, self.context.theme
        self.header.add_left(self.count)
        self._buttons = [
            action_button(actions, "data.label", text="Label these", theme=theme),
            action_button(actions, "data.generate", text="Generate…", theme=theme),
            action_button(actions, "data.freeze", text="Freeze…", theme=theme),
            action_button(actions, "data.import", text="Import…", kind="primary", theme=theme),
        ]
        for button in self._buttons:
            self.header.add_right(button)
        self.tabs.setAccessibleName("Pairs and dataset versions")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.pairs, "Pairs")
        self._datasets = self.tabs.add_part("Dataset versions", lambda: DatasetsTab(self.context), self._begin_datasets)
        self.tabs.addTab(self.feedback.place, "Feedback")
        empty = EmptyState(
            theme,
            "data",
            "No pairs yet",
            "Import pairs of answers from JSONL, JSON, CSV or Parquet. Labels in the file are imported with them.",
            main=("Import…", lambda: actions.run("data.import")),
            second=("Open the demo", lambda: actions.run("global.demo")),
        )
        self.feedback.counted.connect(self._title_feedback)
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.tabs)
        self._stack.addWidget(self.imports.place)
        body = QVBoxLayout()
        body.addWidget(self.unfinished)
        body.addWidget(self.report)
        body.addWidget(self._stack, 1)
        body.addWidget(self.progress)
        self.progress.hide()
        self.set_body(body)

    def _connect(self) -> None:
        self.pairs.found.connect(self._show_found)
        self.tabs.currentChanged.connect(lambda _: self._show_tab())
        self.table.opened.connect(lambda pair_id: self.context.navigate("annotate", pair_ids=(pair_id,)))
        self.imports.started.connect(self._follow_import)
        self.imports.imported.connect(self._show_report)
        self.imports.opened.connect(partial(self._show_import, True))
        self.imports.closed.connect(partial(self._show_import, False))
        self.report.source_wanted.connect(self._show_source)
        self.unfinished.resumed.connect(self.imports.resume)
        self.unfinished.moved.connect(self.imports.find_and_resume)
        self.unfinished.given_up.connect(self.imports.give_up)
        self.dataset_actions.frozen.connect(self._show_frozen)

    def _bind(self) -> None:
        for action_id, handler in {
            "data.import": self.imports.ask,
            "data.import_folder": self.imports.ask_folder,
            "data.import_hub": self.imports.hub.ask,
            "data.find": self._focus_search,
            "data.clear_filters": self.pairs.clear_filters,
            "data.open": self._open_pair,
            "data.label": self._label,
            "data.tag": self.tagging.ask,
            "data.generate": self.generating.ask,
            "data.freeze": self.dataset_actions.freeze,
            "data.export": self.dataset_actions.export,
            "data.diff": self.dataset_actions.compare,
            "data.copy_id": lambda: QGuiApplication.clipboard().setText(str(self.table.current_id or "")),
            "data.preview": self.preview.setVisible,
        }.items():
            self.on(action_id, handler)
        self.context.actions.set_checked("data.preview", True)

    # Reading

    def _read_all(self) -> None:
        """Read the pairs, what the filters list, and the dataset versions."""
        self.pairs.read()
        services = self.context.services

        def read() -> _Lists:
            lists = FilterLists(
                services.reviewers.list(), services.pairs.sources(), services.rubrics.published(imported=True),
                services.pairs.tags.counts(),
            )  # fmt: skip
            return _Lists(lists, services.datasets.list(), services.imports.unfinished())

        self.context.tasks.query(read, self._show_lists, owner=self, key="lists")
        self.index.keep()
        self.feedback.read()
        self.feedback.read_count()

    def _show_lists(self, read: _Lists) -> None:
        self.pairs.filters.set_lists(read.filters)
        self._versions = read.versions
        if (tab := self._datasets.made) is not None:
            tab.set_versions(read.versions)
        self.unfinished.show_imports(read.unfinished)
        self.unfinished.setVisible(self.unfinished.holds_any and not self._importing)

    def _show_found(self, found: Found) -> None:
        """Show what the last read of the list found."""
        count, total = len(found.ids), found.total
        if not self._importing:
            self._stack.setCurrentIndex(1 if total or self._on_feedback else 0)
        self._any_pairs = bool(total)
        self.context.actions.set_enabled("data.label", bool(count) and not self._on_feedback)
        self.context.actions.set_enabled("data.freeze", bool(total))
        told = f"{count:,} of {counted(total, 'pair')}" if count != total else counted(total, "pair")
        self.count.set_chip(told if found.all else f"more than {count - 1:,} of {counted(total, 'pair')}…")
        self.count.setVisible(not self._on_feedback)

    # Acting

    @property
    def _on_feedback(self) -> bool:
        return self.tabs.currentIndex() == 2

    def _show_tab(self) -> None:
        """Show the buttons of the tab in front, and give it its keys; the import page has all for itself."""
        on, feedback = self._importing, self._on_feedback
        for button in self._buttons:
            button.setVisible(not on and not feedback)
        self.count.setVisible(not feedback and bool(self.count.text()))
        for action_id in OF_TABS:
            self.context.actions.set_enabled(action_id, not on and (not feedback or action_id == "data.find"))
        self.feedback.show(feedback and not on)

    def _title_feedback(self, new: int) -> None:
        self.tabs.setTabText(2, f"Feedback {new:,}" if new else "Feedback")

    def _open_pair(self) -> None:
        """Show the current pair with its history; a button that has the focus is pressed instead."""
        focused = QApplication.focusWidget()
        if isinstance(focused, QAbstractButton) and self.isAncestorOf(focused):
            focused.click()
            return
        self.preview.show()
        self.context.actions.set_checked("data.preview", True)
        self.pairs.read_pair(self.table.current_id)

    def _focus_search(self) -> None:
        if self._on_feedback:
            self.feedback.tab.bar.search.setFocus()
            return
        self.tabs.setCurrentIndex(0)
        self.search.setFocus()
        self.search.selectAll()

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

    def _show_import(self, on: bool) -> None:
        """Show the import page in place of the tabs, or leave it."""
        self._importing = on
        self.unfinished.setVisible(self.unfinished.holds_any and not on)
        self._stack.setCurrentIndex(2 if on else int(self._any_pairs))
        self.report.hide()
        self._show_tab()
        if on:
            self.imports.page.setFocus()
        else:
            self._read_all()

    def _show_report(self, report: ImportReport) -> None:
        """Show how an import ended, and its pairs."""
        self.report.show_report(report)
        self._read_all()

    def _show_source(self, source_id: int, name: str) -> None:
        """Show the pairs of a source."""
        self.tabs.setCurrentIndex(0)
        self.pairs.filters.clear()
        self.pairs.filters.set_further("source_id", source_id, f"Source: {name}")
        self.pairs.read()

    def _hide_progress(self) -> None:
        """Hide the bar, unless it shows another import or says why this one failed."""
        if self._job is not None and not self._job.running:
            self.progress.setVisible(self._job.state is TaskState.FAILED)

    def _show_frozen(self, dataset_id: int) -> None:
        """Show the version that was just frozen."""
        self.tabs.setCurrentIndex(1)
        self.datasets.choose(dataset_id)
        self._read_all()

"""Inspect: which pairs a run gets wrong, and why: histogram with a brush, worst first, one pair in full."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from app.context import AppContext
from app.inspect.inspected import InspectedPairs, described, narrowed, read_pairs
from app.inspect.lab_mode import LAB, PAIRS, LabMode
from app.inspect.lab_view import LabView
from app.inspect.pair_acts import PairActs
from app.inspect.pair_panel import PairPanel, PairView
from app.inspect.saved_filters import SavedFilter, SavedFilters
from app.main_window.page import Page
from app.widgets.containers import ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.folding_split import FoldingSplit
from app.widgets.inputs import SearchField
from app.widgets.labels import Chip, text_label
from app.widgets.messages import EmptyState
from app.widgets.own_keys import OwnKeys
from app.widgets.pair_table import PairTable
from app.widgets.plots.histogram import MarginHistogram
from core.domain.changes import Changes
from core.domain.run_record import UNSTARTED_STATES
from core.services.runs.views import RunInfo

if TYPE_CHECKING:
    from core.services.runs.lineage import LineageRow, RunLineage

KINDS: tuple[tuple[str, str], ...] = (
    ("dev", "Held-out, newest probe"),
    ("probe_train", "Train probe, newest"),
    ("train", "Training batches, last visits"),
)
"""Kind of rows and what it is called; the first one with pairs is shown when a run is opened."""


class InspectPage(Page):
    """Pairs of one run by margin."""

    place: ClassVar[str] = "inspect"
    watches: ClassVar[Changes] = Changes.RUNS | Changes.JUDGEMENTS | Changes.PAIRS

    @classmethod
    def made_in_slices(cls, context: AppContext) -> Generator[None, None, Self]:
        """Make the panel of a pair in its slices, the histogram, then the page."""
        panel = yield from PairPanel.made_in_slices(context)
        yield
        histogram = MarginHistogram(context.theme)
        yield
        return cls(context, panel, histogram)

    def __init__(
        self, context: AppContext, panel: PairPanel | None = None, histogram: MarginHistogram | None = None
    ) -> None:
        super().__init__(context)
        self._wanted_run, self._wanted_pair = "", ""
        self._rows: list[LineageRow] = []
        self._found = InspectedPairs()
        self._kind_chosen, self._missing = False, ""
        self._reading = False
        self._lineages: dict[str, RunLineage] = {}
        self._brush = (math.nan, math.nan)
        self.runs, self.kinds = ComboBox(outside=True), ComboBox()
        self.search, self.filters = SearchField(context.theme, "Find words, or tag:x"), SavedFilters(context, self)
        self.histogram, self.table = histogram or MarginHistogram(context.theme), PairTable(context.theme)
        self.panel, self.acts = panel or PairPanel(context), PairActs(context, self)
        self.count = Chip("")
        self.mode = LabMode(context, self.header)
        self._build()
        self._bind()
        self._own_keys = OwnKeys(self)
        self._own_keys.keep(self)

    def _build(self) -> None:
        for box, name in ((self.runs, "Run"), (self.kinds, "Which pairs")):
            box.setAccessibleName(name)
            self.header.add_right(box)
        self.mode.add_buttons(self.header)
        for kind, words in KINDS:
            self.kinds.addItem(words, kind)
        self.header.add_left(self.count)
        left = self._left = ScrollColumn(name="The pairs of the run")
        column = left.column
        about = "Margin z = β·h, counts of pairs. Drag over bars, or ← → with Shift, to choose pairs; Esc shows all"
        column.addWidget(text_label(about, "caption", wrap=True))
        self.histogram.setMaximumHeight(190)
        self.table.setMinimumHeight(self.context.theme.px(92))
        column.addWidget(self.histogram)
        find = QHBoxLayout()
        find.addWidget(self.search, 1)
        find.addWidget(self.filters.button)
        column.addLayout(find)
        column.addWidget(self.table, 1)
        self.table.leave_out("reward_chosen", "reward_rejected", "step", "clause")
        split = FoldingSplit((left, self.panel), (520, 680), heights=(400, 300), least=(26, 30), grows=None)
        empty = self._empty = EmptyState(
            self.context.theme,
            "inspect",
            "Nothing to inspect yet",
            "Start a run; the pairs it learns from appear here, worst margin first.",
            main=("Go to Train", lambda: self.context.navigate("train")),
        )
        self._stack = QStackedWidget()
        for part in (empty, split, self.mode.place):
            self._stack.addWidget(part)
        self.set_body(self._stack)

    def _bind(self) -> None:
        self.runs.activated.connect(lambda _: self._read_pairs())
        self.kinds.activated.connect(lambda _: self._choose_kind())
        self.search.searched.connect(lambda _: self._filter())
        self.histogram.brushed.connect(self._brushed)
        self.filters.wanted.connect(self._use_filter)
        shown = lambda: (str(self.kinds.currentData()), *self._brush, self.search.text())  # noqa: E731
        self.filters.asked.connect(lambda: self.filters.keep(*shown()))
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._read_pair())
        self.context.watch.changed.connect(self._run_moved)
        self.mode.chosen.connect(lambda _: self._show_mode())
        self.acts.said.connect(self.panel.show_said)
        self.acts.found.connect(self.panel.show_dossier)
        self.panel.pair_wanted.connect(
            lambda pair_id: self.show_item(run_id=self.run_id, pair_id=pair_id, kind="train")
        )
        self.panel.run_wanted.connect(lambda run_id: self.show_item(run_id=run_id, pair_id=self.table.current_pair()))
        self.panel.step_picked.connect(lambda step: self.context.navigate("runs", run_id=self.run_id, step=step))
        for action_id, handler in {
            "inspect.annotate": self._annotate,
            "inspect.tokens": self.panel.token_card.start,
            "inspect.leave_out": self.acts.leave_out,
            "inspect.note": self.acts.note,
            "inspect.tag": self.acts.tag,
            "inspect.worst": self._worst_first,
            "inspect.clear": self.histogram.clear_brush,
            "inspect.find": self.search.setFocus,
            "inspect.next": lambda: self._move(1),
            "inspect.previous": lambda: self._move(-1),
            "inspect.lab": self._open_lab,
            "inspect.pairs": lambda: self.mode.show_tab(PAIRS),
            "inspect.draw": lambda: self._in_lab(lambda: self.lab.draw_again()),
            "inspect.draw_how": lambda: self._in_lab(lambda: self.lab.ask()),
            "inspect.table": lambda on: self.lab.set_table(on),
            "inspect.copy_id": lambda: QGuiApplication.clipboard().setText(self.table.current_pair()),
            "inspect.export": lambda: self.acts.export(self.table.rows_model.rows),
        }.items():
            self.on(action_id, handler)

    @property
    def lab(self) -> LabView:
        """The objective lab, made when it is first asked for."""
        return self.mode.view

    @property
    def run_id(self) -> str:
        """The run that is inspected, or an empty text."""
        return str(self.runs.currentData() or "")

    def styled_parts(self) -> tuple[QWidget, ...]:
        """Return the header, both halves, the lab and what is shown without runs."""
        return self.header, self._left, *self.panel.styled_parts, self._empty, self.mode.place

    def on_shown(self) -> None:
        """Read the runs."""
        self._read_runs()

    def changed(self, changes: Changes) -> None:  # noqa: ARG002 - the same for every change
        """Read again what changed."""
        self._lineages.clear()
        self._read_runs()

    def show_item(self, **what: Any) -> None:
        """Show the run ``run_id`` and in it ``pair_id``, among the pairs of ``kind`` when given."""
        self._wanted_run, self._wanted_pair = str(what.get("run_id", "")), str(what.get("pair_id", ""))
        place = self.kinds.findData(what.get("kind")) if self._wanted_pair else -1
        if place >= 0:
            self.kinds.setCurrentIndex(place)
            self._kind_chosen = True
        if self._wanted_pair:
            self.mode.show_tab(PAIRS)
            self._show_all()
        self._read_runs()

    def _show_all(self) -> None:
        """Take brush and search away, so that the wanted pair cannot be hidden by what was looked for before."""
        self.search.reset()
        self.histogram.clear_brush()

    def first_focus(self) -> QWidget:
        """Start in the table."""
        return self.table

    def _read_runs(self) -> None:
        self.context.tasks.query(
            lambda: list(self.context.services.runs.list()), self._show_runs, owner=self, key="runs"
        )

    def _show_runs(self, runs: list[RunInfo]) -> None:
        runs = [r for r in runs if r.status.step > 0 or r.status.state not in UNSTARTED_STATES]
        wanted = self._wanted_run or self.run_id
        self._wanted_run = ""
        self.runs.clear()
        for info in runs:
            self.runs.addItem(info.name, info.run_id)
        place = self.runs.findData(wanted)
        self.runs.setCurrentIndex(max(place, 0))
        self.mode.tabs.setTabEnabled(LAB, bool(runs))
        self._show_mode()
        if runs:
            self._read_pairs()

    def _show_mode(self) -> None:
        """Show the pairs or the lab; without runs say what comes first."""
        for part in (self.kinds, self.count):
            part.setVisible(not self.mode.on)
        self._stack.setCurrentIndex(0 if not self.runs.count() else 2 if self.mode.on else 1)

    def _open_lab(self) -> None:
        """Show the lab on the prompt of the chosen pair; the run's own pair brings its two answers."""
        pair_id = self.table.current_pair()
        self.mode.show_pair(pair_id, next((row.prompt for row in self._rows if row.pair_id == pair_id), ""))
        self.mode.show_tab(LAB)

    def _in_lab(self, act: Callable[[], None]) -> None:
        """Act on the lab, which is shown first."""
        if not self.mode.on:
            self._open_lab()
        act()

    def _read_pairs(self) -> None:
        runs = [(str(self.runs.itemData(place)), self.runs.itemText(place)) for place in range(self.runs.count())]
        self.mode.set_run(self.run_id, runs)
        run_id, kind, service = self.run_id, str(self.kinds.currentData()), self.context.services.runs
        kinds = [kind] if self._kind_chosen else [kind, *(name for name, _ in KINDS if name != kind)]

        def read(before: InspectedPairs = self._found) -> InspectedPairs:
            found = read_pairs(service.reader(run_id), self._lineage(run_id), kinds)
            return before if found == before else found  # rows that are the same objects are compared at once

        def show(found: InspectedPairs) -> None:
            self._reading = False
            if not self._wanted_run and (run_id, kind) == (self.run_id, self.kinds.currentData()):
                self.kinds.setCurrentIndex(self.kinds.findData(found.kind))
                self._found = found
                self._show_pairs(list(found.rows))

        def failed(error: Exception) -> None:
            self._reading = False
            self.context.tasks.unhandled.emit(error)

        self._reading = True
        self.context.tasks.query(read, show, failed, owner=self, key="pairs")

    def _choose_kind(self) -> None:
        """Stay with the kind that the user chose, also where a run has none of its pairs."""
        self._kind_chosen = True
        self._read_pairs()

    def _run_moved(self, runs: Sequence[RunInfo]) -> None:
        """Read again while the run that is shown goes on, never before the last read ended."""
        if self.isVisible() and not self._reading and any(info.run_id == self.run_id and info.live for info in runs):
            self._read_pairs()

    def _lineage(self, run_id: str) -> RunLineage:
        if run_id not in self._lineages:
            self._lineages[run_id] = self.context.services.runs.lineage(run_id)
        return self._lineages[run_id]

    def _show_pairs(self, rows: list[LineageRow]) -> None:
        wanted, self._wanted_pair = self._wanted_pair, ""
        if rows != self._rows:
            self._rows = rows
            self.mode.set_pairs((row.pair_id, row.prompt) for row in rows)
            self.histogram.set_values([row.margin for row in rows])
        self._filter(wanted or self._missing)
        self._read_pair()

    def _filter(self, wanted: str = "") -> None:
        """List what brush and search leave, the pair ``wanted`` chosen; where it is not there, say so."""
        found = self._found
        shown = narrowed(self._rows, self._brush, self.search.text())
        self._missing = wanted if all(row.pair_id != wanted for row in shown) else ""
        self.table.set_rows(shown, wanted or self.table.current_pair(), or_first=not self._missing)
        if not self.table.current_pair():
            self.panel.show_nothing(f"Pair {self._missing} is not in this list" if self._missing else "")
            self.acts.forget()
        self.context.tasks.query(lambda: described(found, shown), self._describe, owner=self, key="count")

    def _describe(self, said: tuple[str, str]) -> None:
        self.count.set_chip(said[0])
        self.count.setToolTip(said[1])

    def _use_filter(self, wanted: SavedFilter) -> None:
        """Show the pairs of a saved filter; those of another kind are read first."""
        place = self.kinds.findData(wanted.kind)
        self.search.reset()
        self.search.setText(wanted.words)
        if wanted.low is None or wanted.high is None:
            self.histogram.clear_brush()
        else:
            self.histogram.brush(wanted.low, wanted.high)
        if place >= 0 and place != self.kinds.currentIndex():
            self.kinds.setCurrentIndex(place)
            self._choose_kind()
        else:
            self._filter()

    def _brushed(self, low: float, high: float) -> None:
        self._brush = (low, high)
        self._filter()

    def _read_pair(self) -> None:
        run_id, pair_id = self.run_id, self.table.current_pair()
        if not pair_id:
            return
        service, kind = self.context.services.runs, str(self.kinds.currentData())

        def read() -> PairView:
            lineage = self._lineage(run_id)
            visits = tuple(service.reader(run_id).pair_history(pair_id, kind))
            found = lineage.pair(pair_id), visits, lineage.judgements(pair_id), lineage.letters(pair_id)
            return PairView(pair_id, *found, run_id)

        def show(view: PairView) -> None:
            if (run_id, pair_id, kind) == (self.run_id, self.table.current_pair(), self.kinds.currentData()):
                self.panel.show_pair(view)
                self.acts.read(view, kind)

        self.context.tasks.query(read, show, owner=self, key="pair")

    def _worst_first(self) -> None:
        self._rows.sort(key=lambda row: row.margin)
        self._filter()
        self.table.selectRow(0)

    def _move(self, by: int) -> None:
        if self.mode.on:
            self.lab.go(by)
            return
        if rows := self.table.rows_model.rowCount():
            self.table.selectRow(min(rows - 1, max(0, self.table.currentIndex().row() + by)))

    def _annotate(self) -> None:
        if (pair_id := self.table.current_pair()).isdigit():
            self.context.navigate("annotate", pair_ids=(int(pair_id),))

"""All runs as a table: sort, filter, columns, runs to compare, and what can be done with a run beside training it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QCheckBox, QMenu, QVBoxLayout, QWidget

from app.context import AppContext
from app.local_time import local_time
from app.runs.compare_curves import run_token
from app.runs.interval_bars import IntervalBars, interval_of
from app.runs.presenter import STATE_TEXT
from app.widgets.buttons import push_button
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SearchField
from app.widgets.labels import text_label
from app.widgets.table import ROW, TableColumn, VirtualTable
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.run_comparison import letter_of
from core.domain.run_filter import HINT, Condition, read_filter
from core.services.runs.run_table import RunSummary

SORT_KEYS: dict[str, Callable[[RunSummary], object]] = {
    "name": lambda run: run.name.casefold(),
    "state": lambda run: run.state,
    "model": lambda run: run.model.casefold(),
    "dataset": lambda run: run.dataset.casefold(),
    "lr": lambda run: run.lr,
    "beta": lambda run: run.beta,
    "steps": lambda run: run.steps,
    "accuracy": lambda run: -1.0 if run.accuracy is None else run.accuracy,
    "margin": lambda run: float("-inf") if run.margin is None else run.margin,
    "h": lambda run: float("-inf") if run.h is None else run.h,
    "kl": lambda run: -1.0 if run.kl is None else run.kl,
    "time": lambda run: run.elapsed_s,
    "created": lambda run: run.created_ms,
}
"""By what a column is sorted; what was not measured comes last from the highest."""

HIDDEN = (
    "seed", "resumes", "model", "dataset", "loss", "margin", "note", "fingerprint", "parent", "created"
)  # fmt: skip
"""Columns that the menu *Columns* shows."""
MOST_ROWS = 9
"""Rows that are seen at once; more scroll."""
MOST_CHOSEN = 6
"""Runs that can be compared at once: as many as there are colours."""


def _steps(run: RunSummary) -> str:
    return f"{run.steps:,} / {run.total_steps:,}" if run.total_steps else f"{run.steps:,}"


def _about_h(run: RunSummary) -> str:
    if run.h is None:
        return ""
    text = f"{run.h_words} nats, n {run.pairs:,} at step {run.measured_step:,}; h = margin / β"
    return f"{text}; bootstrap 95 % by prompt"


def _resumes(run: RunSummary) -> str:
    return "" if run.resume_step is None else f"step {run.resume_step:,}"


COLUMNS: tuple[TableColumn, ...] = (
    TableColumn("name", "Name", lambda run: run.name, sortable=True, tip=lambda run: run.note),
    TableColumn("state", "State", lambda run: STATE_TEXT.get(run.state, (run.state, ""))[0], 80, sortable=True),
    TableColumn(
        "accuracy",
        "Held-out accuracy",
        lambda run: run.short_accuracy,
        184,
        sortable=True,
        tip=lambda r: r.accuracy_words,
    ),
    TableColumn("h", "Held-out h, nats", lambda run: run.h_words, 200, sortable=True, tip=_about_h),
    TableColumn("kl", "KL, nats", lambda run: run.short_kl, 112, sortable=True, tip=lambda r: r.kl_words),
    TableColumn("lr", "lr", lambda run: f"{run.lr:g}", 64, right=True, sortable=True, tip=lambda _: "Learning rate"),
    TableColumn("beta", "β", lambda run: f"{run.beta:g}", 46, right=True, sortable=True),
    TableColumn("seed", "Seed", lambda run: str(run.seed), 56, right=True),
    TableColumn("steps", "Steps", _steps, 78, right=True, sortable=True),
    TableColumn("time", "Time", lambda run: run.time_words, 84, right=True, sortable=True),
    TableColumn("resumes", "Resumes at", _resumes, 84),
    TableColumn("model", "Model", lambda run: run.model, 130, sortable=True),
    TableColumn("dataset", "Dataset", lambda run: run.dataset, 120, sortable=True),
    TableColumn("loss", "Loss", lambda run: run.loss, 80),
    TableColumn(
        "margin", "Margin (nats × β)", lambda run: "" if run.margin is None else f"{run.margin:.3f}", 110, True
    ),
    TableColumn("tags", "Tags", lambda run: ", ".join(run.tags), 70),
    TableColumn("note", "Note", lambda run: run.note, 160),
    TableColumn("fingerprint", "Fingerprint", lambda run: run.fingerprint[:8], 86, mono=True),
    TableColumn("parent", "Forked from", lambda run: run.parent_run, 110),
    TableColumn("created", "Created", lambda run: local_time(run.created_ms), 130, sortable=True),
)


def arranged(
    runs: Sequence[RunSummary], *, find: Condition, archived: bool, key: str, ascending: bool
) -> list[RunSummary]:
    """Return the runs that match a filter, in the order of a column; archived ones only when wanted."""
    kept = [run for run in runs if (archived or not run.archived) and find(run.filtered())]
    return sorted(kept, key=SORT_KEYS.get(key, SORT_KEYS["created"]), reverse=not ascending)  # type: ignore[arg-type]


class RunsTable(QWidget):
    """The table with its filter and buttons. It decides nothing; ``wanted(what, run_id)`` asks for a change.

    ``what`` is open, edit, like, archive, back, delete or deleted. ``chosen_changed()``: other runs are chosen to be
    compared, or another one is the baseline.
    """

    wanted = Signal(str, str)
    chosen_changed = Signal()

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._theme = context.theme
        self._runs: list[RunSummary] = []
        self._shown: list[RunSummary] = []
        self._chosen: list[str] = []
        self._left_out = ""
        self._key, self._ascending = "created", False
        self._matches = read_filter("")
        self.search = SearchField(context.theme, "Name, tag:sweep, beta<0.2, kl<6, state:finished")
        self.search.setToolTip(HINT)
        self.archived = QCheckBox("Archived runs too")
        name = replace(COLUMNS[0], colour=self._tone)
        columns = (TableColumn("chosen", "", self._mark, 46), name, *COLUMNS[1:])
        self.table = VirtualTable(
            context.tasks,
            context.theme,
            columns,
            name="Runs",
            settings=context.settings,
            state_key="runs3",
            multi=False,
        )
        self.table.hide_columns(HIDDEN)
        self.bars = IntervalBars(context.theme, self.table, lambda row: interval_of(self.table.model_.row(row)))
        self.table.setItemDelegateForColumn(1 + [column.key for column in COLUMNS].index("h"), self.bars)
        self.count, self.error = text_label("", "caption"), text_label("", "error", wrap=True)
        self._doers = {
            "open": push_button("Show the run", "primary"),
            "choose": push_button("Choose"),
            "baseline": push_button("Make it the baseline"),
            "edit": push_button("Name, tags, note…"),
            "like": push_button("New run like it…"),
            "archive": push_button("Archive"),
            "delete": push_button("Delete"),
        }
        self.restore = push_button("Deleted runs…", "flat")
        self._build()
        self.table.show_sorted(self._key, self._ascending)

    def _build(self) -> None:
        head, row, column = FlowLayout(), FlowLayout(), QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.search, self.archived, self._column_button(), self.count):
            head.addWidget(widget)
        for button in (*self._doers.values(), self.restore):
            row.addWidget(button)
        column.addLayout(head)
        column.addWidget(self.error)
        column.addWidget(self.table)
        column.addLayout(row)
        self.error.hide()
        self.search.searched.connect(lambda _: self._arrange())
        self.archived.toggled.connect(lambda _: self._arrange())
        self.table.sort_requested.connect(self._sort)
        self.table.opened.connect(lambda _: self._want("open"))
        self.table.current_changed.connect(lambda _: self._allow())
        self.table.clicked.connect(self._clicked)
        self.table.installEventFilter(self)
        self._theme.changed.connect(self._fit)
        for what, button in self._doers.items():
            button.clicked.connect(partial(self._want, what))
        self.restore.clicked.connect(lambda: self.wanted.emit("deleted", ""))
        self._allow()

    def _column_button(self) -> QWidget:
        button, menu = push_button("Columns"), QMenu(self)
        for column in COLUMNS[1:]:
            action = QAction(column.title, menu, checkable=True, checked=self.table.is_shown(column.key))
            action.toggled.connect(partial(self.table.show_column, column.key))
            menu.addAction(action)
        button.setMenu(menu)
        return button

    # The rows

    @property
    def current(self) -> RunSummary | None:
        """The run with the cursor."""
        place = self.table.current_id
        return self._shown[place] if place is not None and place < len(self._shown) else None

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Show the runs; the cursor stays on its run where that is still there, and so do the chosen ones."""
        self._runs = list(runs)
        known = {run.run_id for run in self._runs}
        kept = [run_id for run_id in self._chosen if run_id in known]
        is_other, self._chosen = kept != self._chosen, kept
        self._arrange()
        if is_other:
            self.chosen_changed.emit()

    def _arrange(self) -> None:
        kept = self.current
        try:
            self._matches = read_filter(self.search.text())
            self.error.hide()
        except UsageError as error:  # the rows stay as they are until the filter can be read
            self.error.setText(f"{error.message} {error.hint}")
            self.error.show()
            return
        self._shown = arranged(
            self._runs,
            find=self._matches,
            archived=self.archived.isChecked(),
            key=self._key,
            ascending=self._ascending,
        )
        shown = self._shown
        self.table.show_ids(range(len(shown)), lambda ids: [shown[i] for i in ids], keep=False)
        self._fit()
        place = next((i for i, run in enumerate(shown) if kept is not None and run.run_id == kept.run_id), 0)
        self.table.go_to(place)
        left_out = len(self._runs) - len(shown)
        self._left_out = f", {left_out:,} left out" if left_out else ""
        self._allow()

    def _fit(self) -> None:
        """Give the table the height of its rows, of which ``MOST_ROWS`` are seen at once, and its bars their scale."""
        intervals = [h for run in self._shown if (h := interval_of(run)) is not None]
        self.bars.scale_to(intervals, [run.h_words for run in self._shown])
        bars = self.table.horizontalHeader().sizeHint().height() + self.table.horizontalScrollBar().sizeHint().height()
        rows = min(max(len(self._shown), 3), MOST_ROWS)
        self.table.setFixedHeight(self._theme.px(ROW) * rows + bars + 4)

    def _sort(self, key: str, ascending: bool) -> None:
        self._key, self._ascending = key, ascending
        self._arrange()

    # The chosen runs

    @property
    def chosen(self) -> tuple[str, ...]:
        """Ids of the runs to compare, the baseline first."""
        return tuple(self._chosen)

    def choose(self, run_id: str, on: bool | None = None) -> None:
        """Choose a run to be compared, or leave it out; None turns it round. More than ``MOST_CHOSEN`` are refused."""
        is_chosen = run_id in self._chosen
        if on is is_chosen or (not is_chosen and len(self._chosen) >= MOST_CHOSEN):
            return
        if is_chosen:
            self._chosen.remove(run_id)
        else:
            self._chosen.append(run_id)
        self._told()

    def make_baseline(self, run_id: str) -> None:
        """Compare the others with this run, which is chosen by that."""
        self._chosen = [run_id, *(other for other in self._chosen if other != run_id)][:MOST_CHOSEN]
        self._told()

    def _told(self) -> None:
        self.table.viewport().update()
        self._allow()
        self.chosen_changed.emit()

    def _mark(self, run: RunSummary) -> str:
        if run.run_id not in self._chosen:
            return "☐"
        return f"☑ {letter_of(self._chosen.index(run.run_id))}"

    def _tone(self, run: RunSummary) -> str:
        return run_token(self._chosen.index(run.run_id)) if run.run_id in self._chosen else ""

    def _clicked(self, index: QModelIndex) -> None:
        if index.column() == 0:
            self._want("choose")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Choose the run with the cursor by Space, which is a shortcut of the page elsewhere."""
        kinds = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)
        if event.type() in kinds and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space:
            event.accept()
            if event.type() == QEvent.Type.KeyPress:
                self._want("choose")
            return True
        return super().eventFilter(watched, event)

    def _allow(self) -> None:
        run = self.current
        chosen = f", {len(self._chosen)} chosen" if self._chosen else ""
        self.count.setText(f"{counted(len(self._shown), 'run')}{self._left_out}{chosen}")
        for button in self._doers.values():
            button.setEnabled(run is not None)
        self._doers["archive"].setText("Take out of the archive" if run is not None and run.archived else "Archive")
        is_chosen = run is not None and run.run_id in self._chosen
        self._doers["choose"].setText("Leave out of the comparison" if is_chosen else "Compare")
        self._doers["choose"].setEnabled(is_chosen or (run is not None and len(self._chosen) < MOST_CHOSEN))
        self._doers["baseline"].setEnabled(run is not None and self._chosen[:1] != [run.run_id])

    def _want(self, what: str) -> None:
        run = self.current
        if run is None:
            return
        if what == "choose":
            self.choose(run.run_id)
        elif what == "baseline":
            self.make_baseline(run.run_id)
        else:
            self.wanted.emit("back" if what == "archive" and run.archived else what, run.run_id)

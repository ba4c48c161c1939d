"""All runs as a table: sort, filter, columns, and what can be done with a run beside training it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QMenu, QWidget

from app.context import AppContext
from app.local_time import local_time
from app.runs.presenter import STATE_TEXT
from app.widgets.buttons import push_button
from app.widgets.dialog import BaseDialog
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SearchField
from app.widgets.labels import text_label
from app.widgets.table import TableColumn, VirtualTable
from core.domain.counting import counted
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
    "kl": lambda run: -1.0 if run.kl is None else run.kl,
    "time": lambda run: run.elapsed_s,
    "created": lambda run: run.created_ms,
}
"""By what a column is sorted; what was not measured comes last from the highest."""

HIDDEN = ("dataset", "loss", "margin", "tags", "note", "parent")
"""Columns that the menu *Columns* shows."""


def _steps(run: RunSummary) -> str:
    return f"{run.steps:,} / {run.total_steps:,}" if run.total_steps else f"{run.steps:,}"


def _margin(run: RunSummary) -> str:
    return "" if run.margin is None else f"{run.margin:.3f}"


def _resumes(run: RunSummary) -> str:
    return "" if run.resume_step is None else f"step {run.resume_step:,}"


COLUMNS: tuple[TableColumn, ...] = (
    TableColumn("name", "Name", lambda run: run.name, sortable=True, tip=lambda run: run.note),
    TableColumn("state", "State", lambda run: STATE_TEXT.get(run.state, (run.state, ""))[0], 90, sortable=True),
    TableColumn("accuracy", "Held-out accuracy [95 %]", lambda run: run.accuracy_words, 232, sortable=True),
    TableColumn("kl", "KL to reference ± SE", lambda run: run.kl_words, 240, sortable=True),
    TableColumn("lr", "Learning rate", lambda run: f"{run.lr:g}", 96, right=True, sortable=True),
    TableColumn("beta", "β", lambda run: f"{run.beta:g}", 56, right=True, sortable=True),
    TableColumn("steps", "Steps", _steps, 86, right=True, sortable=True),
    TableColumn("time", "Time", lambda run: run.time_words, 84, right=True, sortable=True),
    TableColumn("resumes", "Resumes at", _resumes, 84),
    TableColumn("model", "Model", lambda run: run.model, 130, sortable=True),
    TableColumn("dataset", "Dataset", lambda run: run.dataset, 120, sortable=True),
    TableColumn("loss", "Loss", lambda run: run.loss, 80),
    TableColumn(
        "margin", "Margin (nats × β)", lambda run: "" if run.margin is None else f"{run.margin:.3f}", 110, True
    ),
    TableColumn("tags", "Tags", lambda run: ", ".join(run.tags), 100),
    TableColumn("note", "Note", lambda run: run.note, 160),
    TableColumn("parent", "Forked from", lambda run: run.parent_run, 110),
    TableColumn("created", "Created", lambda run: local_time(run.created_ms), 130, sortable=True),
)


def arranged(runs: Sequence[RunSummary], *, find: str, archived: bool, key: str, ascending: bool) -> list[RunSummary]:
    """Return the runs that hold ``find``, in the order of a column; archived ones only when wanted."""
    kept = [run for run in runs if (archived or not run.archived) and run.holds(find)]
    return sorted(kept, key=SORT_KEYS.get(key, SORT_KEYS["created"]), reverse=not ascending)  # type: ignore[arg-type]


class RunsTable(BaseDialog):
    """The table with its filter and buttons. It decides nothing; ``wanted(what, run_id)`` asks for a change.

    ``what`` is open, edit, archive, back, delete or deleted.
    """

    wanted = Signal(str, str)

    def __init__(self, parent: QWidget, context: AppContext) -> None:
        super().__init__(parent, "All runs", size=QSize(context.theme.px(1180), context.theme.px(520)))
        self._runs: list[RunSummary] = []
        self._shown: list[RunSummary] = []
        self._key, self._ascending = "created", False
        self.search = SearchField(context.theme, "Name, model, dataset, tag or note")
        self.archived = QCheckBox("Archived runs too")
        self.table = VirtualTable(
            context.tasks, context.theme, COLUMNS, name="Runs", settings=context.settings, state_key="runs", multi=False
        )
        self.table.hide_columns(HIDDEN)
        self.count = text_label("", "caption")
        self._doers = {
            "open": push_button("Show the run", "primary"),
            "edit": push_button("Name, tags, note…"),
            "archive": push_button("Archive"),
            "delete": push_button("Delete"),
        }
        self.restore = push_button("Deleted runs…", "flat")
        self._build()
        self.table.show_sorted(self._key, self._ascending)

    def _build(self) -> None:
        head, row = FlowLayout(), FlowLayout()
        for widget in (self.search, self.archived, self._column_button(), self.count):
            head.addWidget(widget)
        for button in (*self._doers.values(), self.restore):
            row.addWidget(button)
        self.column.addLayout(head)
        self.column.addWidget(self.table, 1)
        self.column.addLayout(row)
        self.add_buttons(reject="Close")
        self.search.searched.connect(lambda _: self._arrange())
        self.archived.toggled.connect(lambda _: self._arrange())
        self.table.sort_requested.connect(self._sort)
        self.table.opened.connect(lambda _: self._want("open"))
        self.table.current_changed.connect(lambda _: self._allow())
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

    @property
    def current(self) -> RunSummary | None:
        """The run with the cursor."""
        place = self.table.current_id
        return self._shown[place] if place is not None and place < len(self._shown) else None

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Show the runs; the cursor stays on its run where that is still there."""
        self._runs = list(runs)
        self._arrange()

    def _arrange(self) -> None:
        kept = self.current
        self._shown = arranged(
            self._runs,
            find=self.search.text().strip(),
            archived=self.archived.isChecked(),
            key=self._key,
            ascending=self._ascending,
        )
        shown = self._shown
        self.table.show_ids(range(len(shown)), lambda ids: [shown[i] for i in ids], keep=False)
        place = next((i for i, run in enumerate(shown) if kept is not None and run.run_id == kept.run_id), 0)
        self.table.go_to(place)
        left_out = len(self._runs) - len(shown)
        self.count.setText(counted(len(shown), "run") + (f", {left_out:,} left out" if left_out else ""))
        self._allow()

    def _sort(self, key: str, ascending: bool) -> None:
        self._key, self._ascending = key, ascending
        self._arrange()

    def _allow(self) -> None:
        run = self.current
        for button in self._doers.values():
            button.setEnabled(run is not None)
        self._doers["archive"].setText("Take out of the archive" if run is not None and run.archived else "Archive")

    def _want(self, what: str) -> None:
        run = self.current
        if run is not None:
            self.wanted.emit("back" if what == "archive" and run.archived else what, run.run_id)

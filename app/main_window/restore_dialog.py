"""Which backup to restore: each with its date, reason, counts and size, and whether it passed the checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QWidget

from app.background.task_runner import TaskRunner
from app.backup_words import count_words, date_words, reason_words
from app.widgets.column_fit import fit_columns
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label
from core.domain.counting import size_words

if TYPE_CHECKING:
    from core.services.workspace.service import BackupFile

COLUMNS = ("Made", "Checked", "Pairs", "Judgements", "Size", "Why")
_CHECKED, _WHY = COLUMNS.index("Checked"), COLUMNS.index("Why")
_RIGHT = ("Pairs", "Judgements", "Size")
_WIDE, _HIGH = 52, 26  # heights of a line
ALL_RIGHT, WAITS = "all right", "being checked…"


class RestoreDialog(BaseDialog):
    """Lists backups, newest first, and checks them one after the other; ``chosen`` is the one to restore.

    The newest one that nothing is known against is chosen until the user chooses another. One with a fault cannot be
    restored.

    Args:
        parent: a widget of the window.
        tasks: reads in the background.
        name: of the workspace.
        found: its backups, newest first.
        check: returns what is wrong with a file, empty when nothing is.
    """

    def __init__(
        self, parent: QWidget, tasks: TaskRunner, name: str, found: Sequence[BackupFile], check: Callable[[Path], str]
    ) -> None:
        line = parent.fontMetrics().height()
        super().__init__(parent, "Restore a backup", size=QSize(_WIDE * line, _HIGH * line))
        self._tasks, self._check, self._found = tasks, check, list(found)
        self._faults: dict[int, str] = {n: one.problem for n, one in enumerate(found) if one.problem}
        self._own_choice = False
        about = (
            f"The chosen backup of {name} becomes a workspace in a new folder beside it; nothing is overwritten. "
            "Run folders and models are not in a backup."
        )
        self.column.addWidget(text_label(about, "", wrap=True))
        self.table = QTableWidget(len(found), len(COLUMNS))
        self.words = text_label("", "caption", wrap=True)
        self._fill()
        self.column.addWidget(self.table, 1)
        self.column.addWidget(self.words)
        self.go = self.add_buttons("Restore")
        self.table.itemSelectionChanged.connect(self._show_choice)
        self.table.activated.connect(lambda _: self.go.click())
        self.table.setFocus()
        self._choose_safe()
        self._check_next(0)

    @property
    def chosen(self) -> BackupFile | None:
        """The backup to restore, or None where the one under the cursor has a fault."""
        row = self.table.currentRow()
        return self._found[row] if 0 <= row < len(self._found) and row not in self._faults else None

    def _fill(self) -> None:
        now = datetime.now()  # noqa: DTZ005 - backups carry local time
        table = self.table
        table.setAccessibleName("Backups")
        table.setHorizontalHeaderLabels(COLUMNS)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.horizontalHeader().setHighlightSections(False)
        for row, backup in enumerate(self._found):
            cells = (
                date_words(backup.made, now),
                backup.problem or WAITS,
                count_words(backup, "pairs"),
                count_words(backup, "judgements"),
                size_words(backup.size),
                reason_words(backup.why),
            )
            for column, words in enumerate(cells):
                item = QTableWidgetItem(words)
                item.setToolTip(str(backup.path))
                if COLUMNS[column] in _RIGHT:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                table.setItem(row, column, item)
        table.resizeColumnsToContents()
        self._fit()
        table.viewport().installEventFilter(self)
        table.installEventFilter(self)

    def _fit(self) -> None:
        """Give the last column what is left, and every column at least the width of its words; the list scrolls."""
        fit_columns(self.table, {_WHY}, self.table.sizeHintForColumn(_WHY))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the choice to the user once a key or the mouse touched the list; fit the columns to a new width."""
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress):
            self._own_choice = True
        if event.type() == QEvent.Type.Resize and watched is self.table.viewport():
            self._fit()
        return super().eventFilter(watched, event)

    def _choose_safe(self) -> None:
        """Choose the newest backup that nothing is known against, unless the user chose."""
        if not self._own_choice:
            safe = next((n for n in range(len(self._found)) if n not in self._faults), 0)
            self.table.setCurrentCell(safe, 0)
        self._show_choice()

    def _check_next(self, place: int) -> None:
        """Check the next backup that can be read, newest first."""
        place = next((n for n in range(place, len(self._found)) if n not in self._faults), -1)
        if place >= 0:
            work = partial(self._check, self._found[place].path)
            self._tasks.query(work, partial(self._note, place), partial(self._fail, place), owner=self)

    def _fail(self, place: int, error: Exception) -> None:
        self._note(place, f"It cannot be read: {error}")

    def _note(self, place: int, fault: str) -> None:
        """Show what the check of one backup found."""
        if fault:
            self._faults[place] = fault
        item = self.table.item(place, _CHECKED)
        if item is not None:
            item.setText(fault or ALL_RIGHT)
        self._choose_safe()
        self._check_next(place + 1)

    def _show_choice(self) -> None:
        fault = self._faults.get(self.table.currentRow(), "")
        self.go.setEnabled(self.chosen is not None)
        self.words.setText(f"This one cannot be restored: {fault}" if fault else "")

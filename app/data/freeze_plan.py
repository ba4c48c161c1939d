"""What a freeze would take and leave out: counts, notes, and a table of reasons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from app.widgets.column_fit import fit_columns
from app.widgets.labels import text_label
from core.domain.counting import counted, number, verb
from core.domain.dataset import FreezePlan

EXAMPLES = 4
"""Numbers of pairs named for each reason."""
LEAST_EMS = 8
"""The least width of the reasons, which break into lines, in heights of a line; with less room the table scrolls."""
COLUMNS = ("Pairs", "Left out because", "For example")


class FreezePlanView(QWidget):
    """Shows a plan, or the problem that prevents one."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(text_label("What this takes and leaves out", "section", wrap=True))
        self.counts = text_label("Counting…", "", wrap=True)
        self.notes = text_label("", "muted", wrap=True)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.setAccessibleName("What is left out, and why")
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        for widget in (self.counts, self.notes):
            column.addWidget(widget)
        column.addWidget(self.table, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the reasons what is left of the width."""
        super().resizeEvent(event)
        self._fit_columns()

    def _fit_columns(self) -> None:
        for column in (0, 2):
            self.table.resizeColumnToContents(column)
        fit_columns(self.table, (1,), LEAST_EMS * self.fontMetrics().height())
        self.table.resizeRowsToContents()

    def show_plan(self, plan: FreezePlan) -> None:
        """Show a plan."""
        self.counts.setProperty("type", "")
        self.counts.setText(counts_text(plan.counts))
        same = (f"The same content is frozen already as {plan.same_as}.",) if plan.same_as else ()
        self.notes.setText("\n".join((*same, *plan.notes)))
        self.notes.setVisible(bool(same or plan.notes))
        self.table.setRowCount(len(plan.left_out))
        for row, entry in enumerate(plan.left_out):
            examples = ", ".join(f"#{i}" for i in entry.pair_ids[:EXAMPLES])
            for place, words in enumerate((number(entry.count), entry.reason, examples)):
                item = QTableWidgetItem(words)
                if place == 0:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, place, item)
        self.table.setVisible(bool(plan.left_out))
        self._fit_columns()

    def show_problem(self, text: str) -> None:
        """Show why there is no plan."""
        self.counts.setText(text)
        self.notes.clear()
        self.table.setRowCount(0)

    def text(self) -> str:
        """Return the text above the table."""
        return f"{self.counts.text()}\n{self.notes.text()}".strip()


def counts_text(counts: dict[str, int]) -> str:
    """Return the counts of a plan or of a version in two sentences.

    >>> counts_text({"pairs": 9, "items": 6, "left_out": 3, "train": 4, "dev": 1, "test": 1, "judgements": 7})
    '6 of 9 pairs make items: 4 train, 1 dev, 1 sealed test. 7 judgements stand behind them; 3 pairs are left out.'
    """

    def n(name: str) -> str:
        return number(counts.get(name, 0))

    items, judgements, left = counts.get("items", 0), counts.get("judgements", 0), counts.get("left_out", 0)
    ties = counts.get("ties", 0)
    of_ties = f" {number(ties)} of them {verb(ties, 'is a tie', 'are ties')}." if ties else ""
    return (
        f"{number(items)} of {counted(counts.get('pairs', 0), 'pair')} {verb(items, 'makes an item', 'make items')}: "
        f"{n('train')} train, {n('dev')} dev, {n('test')} sealed test.{of_ties}"
        f" {counted(judgements, 'judgement')} {verb(judgements, 'stands', 'stand')} behind "
        f"{verb(items, 'it', 'them')}; "
        f"{counted(left, 'pair')} {verb(left, 'is', 'are')} left out."
    )

"""From n to n + 1: what changed in policy, data and measurement, and what each change bought."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate.cycle_sides import Side
from app.evaluate.figures import ItemsPlace, change_words, metric_words, number_words, p_words, row_cells
from app.widgets.containers import Card, ScrollColumn, clear_layout
from app.widgets.controls import ComboBox
from app.widgets.field_grid import FieldGrid
from app.widgets.flow import EvenFlow
from app.widgets.labels import text_label
from app.widgets.plots.chart_card import ChartCard, FigureTable, TableRow
from app.widgets.plots.interval_chart import IntervalChart, IntervalRow
from core.domain.evaluation_record import suite_words

if TYPE_CHECKING:  # it loads the store, which the window does not wait for
    from core.domain.bought import Bought
    from core.domain.estimate import Estimate
    from core.services.releases.cycle import Change, Cycle

Compare = Callable[[str, str, Callable[["Cycle"], object], Callable[[Exception], None]], object]
"""Compares two sides in the background; calls back with the cycle, or with the error."""
_PARTS: tuple[tuple[str, str, str], ...] = (
    ("decision", "Decision", "The gate and the people behind both are the same."),
    ("policy", "Policy", "Settings, base model and weights are the same."),
    ("data", "Data", "Both were trained on the same dataset version."),
    ("measurement", "Measurement", "Suites, settings, detector and thresholds are the same."),
)
_HEADS = (
    "Suite", "Metric", "Before [95 %] n", "After [95 %] n", "Same items, after − before", "p", "Reference, same items",
    "Due to other items", "Due to the detector",
)  # fmt: skip
_SHOWN = ("ranking_accuracy", "preference_accuracy", "over_refusal", "safe_refusal", "checks_passed")
"""Shares whose differences are drawn in points."""
_LEAST_CARD = 240
"""Design pixels below which what changed in policy, data and measurement stands one below the other."""


class CycleView(QWidget):
    """Compares two releases or evaluations; both can be chosen anew.

    Args:
        context: theme, settings and dialogs.
        compare: does it.

    Signals:
        items_wanted(ItemsPlace): a bar or a row was opened.
    """

    items_wanted = Signal(object)

    def __init__(self, context: AppContext, compare: Compare) -> None:
        super().__init__()
        self._theme, self._compare = context.theme, compare
        self.cycle: Cycle | None = None
        self.old, self.new = ComboBox(outside=True), ComboBox(outside=True)
        for combo, name in ((self.old, "Before (n)"), (self.new, "After (n + 1)")):
            combo.setAccessibleName(name)
            combo.activated.connect(lambda _: self.read_cycle())
        self.status = text_label("", "muted", wrap=True)
        self._changes = QWidget()
        self.parts = EvenFlow(self._changes, spacing=10, least=lambda: self._theme.px(_LEAST_CARD))
        self.chart = IntervalChart(
            context.theme, "What it bought", "after − before on the same items, points →", least=10
        )
        self.card = ChartCard(context, "What it bought", self.chart, ("Number", "After − before, points [95 %], n"))
        self.card.head.enlarge.setEnabled(False)
        self.table = FigureTable(context, "What each change bought", _HEADS, most=16)
        self.credit, self.notes = text_label("", "strong", wrap=True), text_label("", "caption", wrap=True)
        self._numbers = Card("Every number, and what it is due to")
        self._build()

    def _build(self) -> None:
        scroll = ScrollColumn(margin=12, spacing=10, name="What changed")
        rows = [(text_label(f"{combo.accessibleName()}", "muted"), combo) for combo in (self.old, self.new)]
        head = Card()
        for part in (FieldGrid(rows, most=2), self.status, self.credit):
            head.add(part)
        for widget in (self.table, self.notes):
            self._numbers.add(widget)
        for part in (head, self._changes, self.card, self._numbers):
            scroll.column.addWidget(part)
        scroll.column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self.chart.opened.connect(self.items_wanted)
        self.card.suite_wanted.connect(lambda suite: self.items_wanted.emit(ItemsPlace(suite)))
        self.table.opened.connect(lambda row: self.items_wanted.emit(ItemsPlace(row.suite)))
        self._show_nothing("Choose two different ones.")

    def set_sides(self, sides: Sequence[Side], old: str, new: str) -> None:
        """Offer other sides, compare the chosen ones."""
        for combo, chosen in ((self.old, old), (self.new, new)):
            combo.clear()
            for id_, words in sides:
                combo.addItem(words, id_)
            combo.setCurrentIndex(max(0, combo.findData(chosen)))
        self.read_cycle()

    def set_table(self, on: bool) -> None:
        """Show the chart as a table, or as the chart."""
        self.card.set_table(on)

    @property
    def sides(self) -> tuple[str, str]:
        """Ids of both chosen sides."""
        return str(self.old.currentData() or ""), str(self.new.currentData() or "")

    def read_cycle(self) -> None:
        """Compare what is chosen."""
        old, new = self.sides
        if not old or not new or old == new:
            self._show_nothing("Choose two different ones.")
            return
        self._show_nothing("Their answers are being compared, item by item.")
        self._compare(old, new, lambda cycle: self._show((old, new), cycle), self._failed)

    def _show_nothing(self, words: str) -> None:
        self.status.setText(words)
        for part in (self.credit, self._changes, self.card, self._numbers):
            part.hide()

    def _failed(self, error: Exception) -> None:
        self._show_nothing(str(error))

    def _show(self, asked: Side, cycle: Cycle) -> None:
        if asked != self.sides:
            return
        self.cycle = cycle
        self.status.setText(f"{cycle.old.title} → {cycle.new.title}")
        clear_layout(self.parts)
        for key, title, nothing in _PARTS:
            changes: Sequence[Change] = getattr(cycle, key)
            if changes or key != "decision":
                self.parts.addWidget(_card(title, changes, nothing))
        self.credit.setText(cycle.credit if cycle.bought else "")
        self.notes.setText("\n".join(cycle.notes))
        self.notes.setVisible(bool(cycle.notes))
        rows = chart_rows(cycle.bought)
        self.chart.show_rows(rows)
        missing = "No share was measured on the same items in both." if cycle.bought else " ".join(cycle.notes)
        about = "After − before on the items that both hold, judged by today's detector."
        self.card.show_figures(row_cells(rows), about=about, missing=missing)
        self.table.show_rows([table_row(row) for row in cycle.bought])
        for part in (self._changes, self.card):
            part.show()
        self.credit.setVisible(bool(self.credit.text()))
        self._numbers.setVisible(bool(cycle.bought))


def _card(title: str, changes: Sequence[Change], nothing: str) -> Card:
    card = Card(title, spacing=4)
    card.setAccessibleName(title)
    if not changes:
        card.add(text_label(nothing, "muted", wrap=True))
    for change in changes:
        words = f"{change.old} → {change.new}" if change.old else change.new
        card.add(text_label(f"{change.what}: {words}", "", wrap=True, selectable=True))
    return card


def chart_rows(bought: Sequence[Bought]) -> list[IntervalRow]:
    """Return the shares that are drawn: their differences on the same items in points."""
    rows = []
    for row in bought:
        change = row.same_items
        if change is None or change.unit or row.metric not in _SHOWN:
            continue
        text = f"{change_words(change)}  n {change.n:,}"
        label = f"{suite_words(row.suite)}: {metric_words(row.metric)}"
        value, low, high = (100 * end for end in (change.value, change.low, change.high))
        rows.append(IntervalRow(label, text, value, low, high, small=not math.isfinite(low), key=ItemsPlace(row.suite)))
    return rows


def table_row(row: Bought) -> TableRow:
    """Return a row of the table: what was reported, and what of the difference is due to what."""

    def change(estimate: Estimate | None, none: str = "") -> str:
        if estimate is None:
            return none
        return f"{change_words(estimate)} {estimate.unit or 'points'}, n {estimate.n:,}"

    before, after = suite_words(row.old_suite), suite_words(row.suite)
    suite = after if before == after else f"{before} → {after}"
    adjusted = f"{p_words(row.p_holm)}, Holm" if math.isfinite(row.p_holm) else p_words(row.p)
    return TableRow(
        (
            suite,
            metric_words(row.metric),
            f"{number_words(row.before, row.metric)}, n {row.before.n:,}",
            f"{number_words(row.after, row.metric)}, n {row.after.n:,}",
            change(row.same_items, "no item in common"),
            adjusted,
            change(row.reference),
            change(row.by_items, "none"),
            change(row.by_detector, "none"),
        ),
        row.suite,
    )

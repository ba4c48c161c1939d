"""From n to n + 1: what changed in policy, data and measurement, and what each change bought."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate.chart_card import FigureTable
from app.evaluate.figures import TableRow, change_words, metric_words, number_words, p_words
from app.widgets.containers import Card, ScrollColumn, clear_layout
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.field_grid import FieldGrid
from app.widgets.labels import text_label
from app.widgets.plots.interval_chart import IntervalChart, IntervalRow

if TYPE_CHECKING:  # it loads the store, which the window does not wait for
    from core.domain.bought import Bought
    from core.domain.estimate import Estimate
    from core.services.releases.cycle import Change, Cycle

Side = tuple[str, str]
"""Id of a release or evaluation, and its name with its kind."""
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


class CycleDialog(BaseDialog):
    """Compares two releases or evaluations; both can be chosen anew.

    Args:
        parent: a widget of the window.
        context: theme and settings.
        sides: what there is to compare, the newest first.
        old: id of the cycle n. new: of the cycle n + 1.
        compare: does it.
    """

    def __init__(
        self, parent: QWidget, context: AppContext, sides: Sequence[Side], old: str, new: str, compare: Compare
    ) -> None:
        theme = context.theme
        size = QSize(theme.px(900), theme.px(700))
        super().__init__(parent, "From n to n + 1", size=size, settings=context.settings)
        self._compare = compare
        self.cycle: Cycle | None = None
        self.old, self.new = ComboBox(outside=True), ComboBox(outside=True)
        for combo, name, chosen in ((self.old, "Before (n)", old), (self.new, "After (n + 1)", new)):
            combo.setAccessibleName(name)
            for id_, words in sides:
                combo.addItem(words, id_)
            combo.setCurrentIndex(max(0, combo.findData(chosen)))
            combo.currentIndexChanged.connect(lambda _: self.read())
        rows = [(text_label("Before (n)", "muted"), self.old), (text_label("After (n + 1)", "muted"), self.new)]
        self.column.addWidget(FieldGrid(rows, most=2))
        self.status = text_label("", "muted", wrap=True)
        self.column.addWidget(self.status)
        self.parts = QVBoxLayout()
        self.chart = IntervalChart(theme, "What it bought", "after − before on the same items, points →", least=10)
        self.table = FigureTable(context, "What each change bought", _HEADS, most=16)
        self.credit, self.notes = text_label("", "strong", wrap=True), text_label("", "caption", wrap=True)
        self._bought = Card("What it bought")
        for widget in (self.credit, self.chart, self.table, self.notes):
            self._bought.add(widget)
        scroll = ScrollColumn(margin=2, spacing=10, name="What changed")
        scroll.column.addLayout(self.parts)
        scroll.column.addWidget(self._bought)
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        self.add_buttons(reject="Close")
        self.read()

    def read(self) -> None:
        """Compare what is chosen."""
        clear_layout(self.parts)
        self._bought.hide()
        old, new = str(self.old.currentData() or ""), str(self.new.currentData() or "")
        if not old or not new or old == new:
            self.status.setText("Choose two different ones.")
            return
        self.status.setText("Their answers are being compared, item by item.")
        self._compare(old, new, lambda cycle: self._show((old, new), cycle), self._failed)

    def _failed(self, error: Exception) -> None:
        hint = str(getattr(error, "hint", ""))
        self.status.setText(f"{error} {hint}".strip())

    def _show(self, asked: Side, cycle: Cycle) -> None:
        if asked != (self.old.currentData(), self.new.currentData()):
            return
        self.cycle = cycle
        self.status.setText(f"{cycle.old.title} → {cycle.new.title}")
        for key, title, nothing in _PARTS:
            changes: Sequence[Change] = getattr(cycle, key)
            if changes or key != "decision":
                self.parts.addWidget(_card(title, changes, nothing))
        self.credit.setText(cycle.credit if cycle.bought else "")
        self.credit.setVisible(bool(cycle.bought))
        self.notes.setText("\n".join(cycle.notes))
        self.notes.setVisible(bool(cycle.notes))
        rows = chart_rows(cycle.bought)
        self.chart.show_rows(rows)
        self.chart.setVisible(bool(rows))
        self.table.show_rows([table_row(row) for row in cycle.bought])
        self.table.setVisible(bool(cycle.bought))
        self._bought.show()


def _card(title: str, changes: Sequence[Change], nothing: str) -> Card:
    card = Card(title, spacing=4)
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
        label = f"{row.suite}: {metric_words(row.metric)}"
        value, low, high = (100 * end for end in (change.value, change.low, change.high))
        rows.append(IntervalRow(label, text, value, low, high, small=not math.isfinite(low), key=row.metric))
    return rows


def table_row(row: Bought) -> TableRow:
    """Return a row of the table: what was reported, and what of the difference is due to what."""

    def change(estimate: Estimate | None, none: str = "") -> str:
        if estimate is None:
            return none
        return f"{change_words(estimate)} {estimate.unit or 'points'}, n {estimate.n:,}"

    suite = row.suite if row.suite == row.old_suite else f"{row.old_suite} → {row.suite}"
    adjusted = f"{p_words(row.p_holm)}, Holm" if math.isfinite(row.p_holm) else p_words(row.p)
    return TableRow(
        (
            suite,
            metric_words(row.metric),
            f"{number_words(row.before)}, n {row.before.n:,}",
            f"{number_words(row.after)}, n {row.after.n:,}",
            change(row.same_items, "no item in common"),
            adjusted,
            change(row.reference),
            change(row.by_items, "none"),
            change(row.by_detector, "none"),
        ),
        row.suite,
    )

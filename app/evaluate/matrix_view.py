"""Templates and languages as a page: the matrix of one arm, worst case and consistency of both, pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate import pair_figures
from app.evaluate.figures import Figures, ItemsPlace, row_cells
from app.evaluate.matrix_chart import MatrixChart
from app.evaluate.matrix_figures import HEADS, METRICS, MatrixFigures, matrices_of
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.labels import Chip, text_label
from app.widgets.messages import EmptyState
from app.widgets.plots.chart_card import ChartCard, FigureTable
from app.widgets.plots.interval_chart import IntervalChart
from core.domain.evaluation_record import suite_words

_NONE = (
    "It needs a suite that asks the same in several languages, such as the built-in suite languages. Choose it with "
    "Other chat templates in a new evaluation, or on the command line: evaluate WS RUN --suite languages --templates. "
    "Preference pairs, such as dev, are ranked under the other templates too."
)
_ALONE = (
    "Only the template of training was asked. A new evaluation with Other chat templates (evaluate --templates) tells "
    "whether the policy depends on it."
)


class MatrixView(QWidget):
    """Shows a matrix. ``items_wanted(ItemsPlace)`` fires for a cell or a row that is opened."""

    items_wanted = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        theme = context.theme
        self._shown: Mapping[str, Any] | None = None
        self._figures: Figures | None = None
        self.which, self.arm, self.mark = ComboBox(outside=True), ComboBox(outside=True), Chip("")
        self.which.setAccessibleName("Suite and measure")
        self.arm.setAccessibleName("Arm of the matrix")
        self.chart = MatrixChart(theme)
        self.levels = IntervalChart(theme, "Worst case and consistency", "answers as expected, % →", least=20)
        self.pairs = IntervalChart(theme, "Pairs by template and language", "pairs ranked right, % →", least=20)
        self.cards = {
            "matrix": ChartCard(context, "Template × language", self.chart, HEADS),
            "levels": ChartCard(context, "Worst case", self.levels, ("Template and arm", "% [95 %], n")),
            "pairs": ChartCard(context, "Pairs by template and language", self.pairs, pair_figures.HEADS),
        }
        self.overfit, self.verdict = Chip(""), text_label("", "", wrap=True)
        self.alone = text_label(_ALONE, "hint", wrap=True)
        self.summary = FigureTable(context, "Worst case and consistency", ("95 %", "Policy", "Reference"))
        self.empty = EmptyState(
            theme, "gate", "No matrix in this evaluation", _NONE,
            main=("New evaluation…", lambda: context.actions.run("evaluate.new")),
        )  # fmt: skip
        self._build()

    def _build(self) -> None:
        self._stack = QStackedWidget()
        scroll = ScrollColumn(margin=12, spacing=10, name="Matrix")
        bar = FlowLayout(row_spacing=4, middle=True)
        for widget in (self.which, self.arm, self.mark):
            bar.addWidget(widget)
        scroll.column.addLayout(bar)
        self._summary_card = Card("Worst case and consistency")
        self._summary_card.add_to_head(self.overfit)
        self._summary_card.add(self.summary)
        self._summary_card.add(self.verdict)
        for part in (self.cards["matrix"], self.alone, self._summary_card, self.cards["levels"], self.cards["pairs"]):
            scroll.column.addWidget(part)
        scroll.column.addStretch(1)
        nothing = ScrollColumn(name="No matrix")
        nothing.column.addWidget(self.empty, 1)
        self._stack.addWidget(nothing)
        self._stack.addWidget(scroll)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)
        for combo in (self.which, self.arm):
            combo.activated.connect(lambda _: self._show())
        for chart in (self.chart, self.levels, self.pairs):
            chart.opened.connect(self.items_wanted)
        self.summary.opened.connect(lambda row: self.items_wanted.emit(ItemsPlace(row.suite)))
        for card in self.cards.values():
            card.suite_wanted.connect(lambda suite: self.items_wanted.emit(ItemsPlace(suite)))
            card.enlarged.connect(self._enlarge)

    def _enlarge(self, wanted: ChartCard, on: bool) -> None:
        """Let one card fill the page, or show all again."""
        for card in self.cards.values():
            card.setVisible(self._has_numbers(card) and (card is wanted or not on))
            card.head.enlarge.setChecked(on and card is wanted)
        self._summary_card.setVisible(bool(self.which.count()) and not (on or self.alone.isVisibleTo(self)))

    def _has_numbers(self, card: ChartCard) -> bool:
        return bool(self.pairs.rows if card is self.cards["pairs"] else self.which.count())

    def set_table(self, on: bool) -> None:
        """Show every chart as a table, or as the chart."""
        for card in self.cards.values():
            card.set_table(on)

    def show_evidence(self, evidence: Mapping[str, Any]) -> None:
        """Show the matrices of an evaluation; the same ones stay as they are."""
        if evidence is self._shown:
            return
        self._shown, self._figures = evidence, Figures(evidence)
        found = matrices_of(self._figures)
        self._show_pairs(self._figures)
        self._stack.setCurrentIndex(int(bool(found or self.pairs.rows)))
        self.which.clear()
        for suite, metric in found:
            self.which.addItem(f"{suite_words(suite)}: {METRICS[metric][0].lower()}", (suite, metric))
        self.which.setVisible(len(found) > 1)
        self.arm.clear()
        if found:
            arms = MatrixFigures(self._figures, *found[0], "").arms
            self.arm.addItems(arms)
            self.arm.setCurrentText(self._figures.aligned)
            self._show()
        else:
            self.alone.hide()
        self.arm.setVisible(bool(found))
        self._enlarge(self.cards["matrix"], False)

    def _show_pairs(self, figures: Figures) -> None:
        rows = pair_figures.pair_chart(figures)
        self.pairs.show_rows(rows)
        about = f"{pair_figures.ABOUT} {pair_figures.pair_words(figures)}"
        self.cards["pairs"].show_figures(pair_figures.pair_table(figures), about=about, missing="")

    def _show(self) -> None:
        """Show the chosen matrix."""
        if self._figures is None or self.which.currentData() is None:
            return
        suite, metric = self.which.currentData()
        figures = MatrixFigures(self._figures, suite, metric, self.arm.currentText())
        self.chart.show_matrix(figures.columns, figures.rows())
        is_refusal = "refus" in METRICS[figures.metric][1] or figures.metric == "answered"
        raw = next((mark for mark in self._figures.watermarks if "audit" in mark), "") if is_refusal else ""
        self.cards["matrix"].show_figures(figures.table(), about=figures.about, missing="", mark=raw)
        rows = figures.levels()
        self.levels.show_rows(rows)
        self.cards["levels"].show_figures(
            row_cells(rows), about="Over all languages; a request is one case.", missing=""
        )
        heads = ["95 %", *(arm.capitalize() for arm in figures.arms)]
        self.summary.setColumnCount(len(heads))
        self.summary.setHorizontalHeaderLabels(heads)
        self.summary.show_rows(figures.summary())
        words, is_warning = figures.verdict()
        self.overfit.set_chip("template overfit" if is_warning else "", "warn")
        self.verdict.setText(words)
        self.verdict.setVisible(bool(words))
        self.alone.setVisible(figures.is_alone)
        self._summary_card.setVisible(not figures.is_alone)

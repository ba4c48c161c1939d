"""The votes of an evaluation: the win rate while they arrive, slices, and every number; or which step comes next."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate import votes_figures as figures
from app.evaluate.figures import ItemsPlace, row_cells
from app.evaluate.length_chart import LengthChart
from app.evaluate.votes_chart import VotesChart
from app.evaluate.votes_figures import ItemOfVotes, VotesData
from app.widgets.buttons import action_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.flow import EvenFlow, FlowLayout
from app.widgets.labels import Chip, short, text_label
from app.widgets.messages import EmptyState
from app.widgets.plots.chart_card import ChartCard, FigureTable, TableRow
from app.widgets.plots.interval_chart import IntervalChart

_LEAST_CARD, _SMALL = 380, 30
_ROUND_LETTERS = 20
"""Letters of the name of a round that are seen at least: "Votes 12 on" and some of the evaluation's name."""
_ABOUT_LENGTH = "Logistic fit with its 95 % band, rates of equal parts, and a tick for each item, which opens it."
_NO_LENGTH = "The curve needs items that were won and lost, and answers of different lengths."
_NUMBER_HEADS = ("Number", "Value [95 %]", "n", "Estimator")


class VotesView(QWidget):
    """Shows a round of votes.

    Signals:
        ask_wanted(): people are to be asked. vote_wanted(int, str): a round is to be voted on; its id and name.
        round_wanted(int): another round was chosen.
        item_wanted(ItemOfVotes), items_wanted(ItemsPlace): a mark or a slice was opened.
    """

    ask_wanted = Signal()
    vote_wanted = Signal(int, str)
    round_wanted = Signal(int)
    item_wanted = Signal(object)
    items_wanted = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._theme = theme = context.theme
        self.data = VotesData()
        self.nobody = EmptyState(
            theme,
            "annotate",
            "Nobody has been asked yet",
            "People see both answers to an item without knowing which arm gave them, and say which is better. "
            "Choose what they are asked; they find it as a queue in Annotate.",
            main=("Ask people…", self.ask_wanted.emit),
        )
        self.rounds, self.first = ComboBox(outside=True), Chip("")
        self.rounds.setAccessibleName("Round of votes")
        self.rounds.setMinimumContentsLength(_ROUND_LETTERS)
        self.rubric, self.said, self.progress = (
            Chip(""),
            text_label("", "", wrap=True),
            text_label("", "caption", wrap=True),
        )
        self.cautions = text_label("", "muted", wrap=True)
        self.vote = action_button(context.actions, "evaluate.vote", kind="primary", theme=theme)
        self.ask = action_button(context.actions, "evaluate.ask_people", theme=theme)
        self.chart = VotesChart(theme)
        self.length = LengthChart(theme)
        self.slices = IntervalChart(theme, "Votes by slice", "win rate − 50, points →", least=20)
        self.cards = {
            "path": ChartCard(context, "Win rate while votes arrive", self.chart, figures.PATH_HEADS),
            "length": ChartCard(context, "Win rate by length", self.length, figures.LENGTH_HEADS),
            "slices": ChartCard(context, "By slice", self.slices, ("Slice", "Win rate % [95 %], n")),
        }
        self.numbers = FigureTable(context, "Numbers of the votes", _NUMBER_HEADS, most=12)
        self._stack = QStackedWidget()
        self._build()
        self._connect()
        self.show_votes(VotesData())

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)
        scroll = ScrollColumn(margin=12, spacing=10, name="Votes")
        empty = ScrollColumn(name="No votes yet")
        empty.column.addWidget(self.nobody, 1)
        self._stack.addWidget(empty)
        self._stack.addWidget(scroll)
        head = Card()
        row = FlowLayout(row_spacing=4, middle=True)
        for widget in (self.rounds, self.first, self.rubric):
            row.addWidget(widget)
        row.add_gap()
        for widget in (self.ask, self.vote):
            row.addWidget(widget)
        head.add(row)
        for part in (self.said, self.progress, self.cautions):
            head.add(part)
        scroll.column.addWidget(head)
        flow, frame = EvenFlow(spacing=10, least=lambda: self._theme.px(_LEAST_CARD)), QWidget()
        for card in self.cards.values():
            flow.addWidget(card)
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(flow)
        scroll.column.addWidget(frame)
        self._numbers_card = Card("All numbers")
        self._numbers_card.add(self.numbers)
        scroll.column.addWidget(self._numbers_card)
        scroll.column.addStretch(1)

    def _connect(self) -> None:
        self.rounds.activated.connect(lambda _: self.round_wanted.emit(int(self.rounds.currentData() or 0)))
        self.chart.opened.connect(self.item_wanted)
        self.length.opened.connect(self.item_wanted)
        self.slices.opened.connect(self._slice_opened)
        self.cards["path"].table.opened.connect(self._row_opened)
        self.cards["slices"].suite_wanted.connect(lambda suite: self.items_wanted.emit(ItemsPlace(suite)))
        for card in self.cards.values():
            card.enlarged.connect(self._enlarge)

    @property
    def round(self) -> tuple[int, str]:
        """Id and name of the round that is shown; (0, "") without one."""
        one = self.data.chosen
        return (one.round.id, one.round.name) if one is not None else (0, "")

    def set_table(self, on: bool) -> None:
        """Show every chart as a table, or as the chart."""
        for card in self.cards.values():
            card.set_table(on)

    def show_votes(self, data: VotesData) -> None:
        """Show the rounds and the chosen one."""
        self.data = data
        self._stack.setCurrentIndex(int(data.chosen is not None))
        one = data.chosen
        if one is None:
            return
        self.rounds.clear()
        for known in data.rounds:
            self.rounds.addItem(known.round.name, known.round.id)
        self.rounds.setCurrentIndex(self.rounds.findData(one.round.id))
        self.first.set_chip(short(f"{one.round.first_arm} against {one.round.second_arm}", 60), "accent")
        self.rubric.set_chip(f"Rubric: {short(one.round.rubric)}", "neutral")
        self.said.setText(figures.headline(data))
        self.progress.setText(figures.progress_words(data))
        cautions = figures.caution_words(data)
        self.cautions.setText(cautions)
        self.cautions.setVisible(bool(cautions))
        self._show_charts(data)

    def _show_charts(self, data: VotesData) -> None:
        assert data.chosen is not None
        marks = figures.marks(data)
        self.chart.show_marks(marks, planned=data.chosen.round.planned, arm=data.chosen.round.first_arm)
        about = "The band holds the true rate at every look with probability 95 %. A mark opens its item."
        rows = figures.path_rows(data)
        missing = "No item is settled yet. Vote on some: the queue has the name of this round in Annotate."
        self.cards["path"].show_figures(rows, about=about, missing=missing)
        self.length.show_picture(figures.length_picture(data))
        self.cards["length"].show_figures(figures.length_rows(data), about=_ABOUT_LENGTH, missing=_NO_LENGTH)
        parts = figures.slice_rows(data, _SMALL)
        self.slices.show_rows(parts)
        words = f"Below n {_SMALL} a slice is hollow: it says little."
        self.cards["slices"].show_figures(row_cells(parts), about=words, missing="No item is settled yet.")
        numbers = figures.number_rows(data)
        self.numbers.show_rows(numbers)
        self._numbers_card.setVisible(bool(numbers))

    def _slice_opened(self, place: ItemsPlace) -> None:
        """Open a suite, or the suites' items of a slice: the first suite of the round that has it."""
        suite = place.suite or self._suite_of(place.slice, place.value)
        if suite:
            self.items_wanted.emit(ItemsPlace(suite, place.slice, place.value))

    def _suite_of(self, name: str, value: str) -> str:
        items = self.data.results.items if self.data.results is not None else ()
        return next((item.suite for item in items if item.slices.get(name) == value), "")

    def _row_opened(self, row: TableRow) -> None:
        self.item_wanted.emit(ItemOfVotes(row.suite, row.cells[1]))

    def _enlarge(self, wanted: ChartCard, on: bool) -> None:
        """Let one card fill the page, or show all again."""
        for card in self.cards.values():
            card.setVisible(card is wanted or not on)
            card.head.enlarge.setChecked(on and card is wanted)
        self._numbers_card.setVisible(not on and bool(self.numbers.rows))

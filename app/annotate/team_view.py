"""The body of the Team tab: accounting, reviewers, agreement by clause, drift on gold items, and what needs a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.annotate import team_figures as figures
from app.annotate.mode_tabs import TEAM, ModeTabs
from app.annotate.team_accounting import TeamAccounting
from app.annotate.team_batch_figures import TeamRead
from app.annotate.team_clauses_chart import ClausesChart
from app.annotate.team_drift_chart import DriftChart, point_words
from app.annotate.team_figures import PairsPlace
from app.annotate.team_looks import LooksCard
from app.annotate.team_policy_card import BatchPolicyCard
from app.annotate.team_quiz_card import TeamQuizCard
from app.annotate.team_reviewers_chart import ReviewersChart
from app.local_time import local_time
from app.theme.theme import Theme
from app.widgets.buttons import action_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.coverage_grid import CoverageGrid
from app.widgets.flow import EvenFlow, FlowLayout
from app.widgets.header import PageHeader
from app.widgets.labels import text_label
from app.widgets.messages import EmptyState, ProgressLine
from app.widgets.plots.chart_card import ChartCard, TableRow
from app.widgets.plots.interval_chart import IntervalChart
from app.widgets.plots.painted_chart import PaintedChart
from core.domain.counting import number
from core.domain.team import ClauseBoard, DriftLine, DriftPoint, TeamReport

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.batches.views import BatchState
    from core.services.workspace.service import Accounting

MakeCard = Callable[[str, PaintedChart, Sequence[str]], ChartCard]
"""Makes a card of a title, a chart and the heads of its table."""
_LEAST_CARD = 440
ALL_LABELS = "All labels"
_TOOLS = ("team.refresh", "team.table")
_OF_REVIEWERS = ("team.reviewers", "team.export")
_WHISKERS = "Whiskers: 95 % intervals, Wilson; length by logistic regression. Every number opens its pairs."
_NO_GOLD = (
    "Nobody has five gold answers under one version yet. Adjudicate some pairs: they become gold items, which a queue "
    "of gold items then shows."
)
_NO_CLAUSES = "No pair has labels of two reviewers yet. Let a second reviewer label some of the same pairs."


class TeamView(QWidget):
    """Shows a report, or the one next step.

    Signals:
        pairs_wanted(PairsPlace): a number was opened.
        step_wanted(): the button of the empty state was pressed.
        batch_chosen(): another batch is shown, or the same one anew.
        report_wanted(): the figures of the chosen batch, or of all labels, are to be read.
    """

    pairs_wanted = Signal(object)
    step_wanted = Signal()
    batch_chosen = Signal()
    report_wanted = Signal()

    def __init__(self, actions: ActionRegistry, theme: Theme, make_card: MakeCard) -> None:
        super().__init__()
        self._actions, self._theme = actions, theme
        self.report: TeamReport | None = None
        self._read: TeamRead | None = None
        self._points: list[tuple[DriftLine, DriftPoint]] = []
        self.header, self.tabs = PageHeader("Annotate"), ModeTabs(TEAM)
        self.progress = ProgressLine(title="Quality of the labels")
        self.problem = text_label("", "error", wrap=True)
        self.empty = EmptyState(
            theme,
            "users",
            "No labels yet",
            "Agreement is known once two reviewers have labelled the same pairs.",
            main=("Label pairs", self.step_wanted.emit),
        )
        self.accounting = TeamAccounting(theme)
        self.reviewers, self.clauses, self.drift = ReviewersChart(theme), ClausesChart(theme), DriftChart(theme)
        self.pairs = IntervalChart(
            theme, "Agreement by pair of reviewers", "Cohen κ; 95 % item bootstrap", least=0.5, digits=2
        )
        self.boards, self.coefficient, self.batches = ComboBox(outside=True), ComboBox(), ComboBox(outside=True)
        self.policy = BatchPolicyCard(actions, theme)
        self.looks, self.quiz = LooksCard(theme), TeamQuizCard(actions, theme)
        self.coverage, self._coverage_card = CoverageGrid(theme), Card("Clauses that labels answer, by source")
        self._coverage_card.add(self.coverage)
        self.cards = {
            "accounts": make_card("Accounting", self.accounting.bars, figures.ACCOUNT_HEADS),
            "reviewers": make_card("Reviewers", self.reviewers, figures.REVIEWER_HEADS),
            "clauses": make_card("Agreement by clause", self.clauses, figures.CLAUSE_HEADS),
            "drift": make_card("Drift on gold items", self.drift, figures.DRIFT_HEADS),
            "pairs": make_card("Agreement by pair of reviewers", self.pairs, figures.PAIR_HEADS),
        }
        self._stack = QStackedWidget()
        self._build()
        self._connect()

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self.header.add_left(self.tabs)
        for action_id in _TOOLS:
            self.header.add_right(action_button(self._actions, action_id, icon_only=True, theme=self._theme))
        self.batches.setAccessibleName("Batch")
        self.batches.addItem(ALL_LABELS, None)
        self.header.add_right(self.batches)
        self.header.add_right(action_button(self._actions, "team.bundles", theme=self._theme))
        self.header.add_right(action_button(self._actions, "team.new_batch", kind="primary", theme=self._theme))
        outer.addWidget(self.header)
        head = QVBoxLayout()
        head.setContentsMargins(12, 8, 12, 0)
        for part in (self.progress, self.problem):
            part.hide()
            head.addWidget(part)
        outer.addLayout(head)
        outer.addWidget(self._stack, 1)
        scroll, nothing = ScrollColumn(margin=12, spacing=10, name="The team"), ScrollColumn(name="No labels yet")
        nothing.column.addWidget(self.empty, 1)
        self._stack.addWidget(QWidget())
        self._stack.addWidget(nothing)
        self._stack.addWidget(scroll)
        self.boards.setAccessibleName("Rubric")
        self.coefficient.setAccessibleName("Coefficient of agreement")
        for key, words in figures.COEFFICIENTS:
            self.coefficient.addItem(words, key)
        row = FlowLayout(row_spacing=4, middle=True)
        row.addWidget(self.boards)
        row.addWidget(self.coefficient)
        row.addWidget(action_button(self._actions, "team.ask", theme=self._theme))
        self.cards["clauses"].column.insertLayout(1, row)
        row = FlowLayout(row_spacing=4, middle=True)
        for action_id in _OF_REVIEWERS:
            row.addWidget(action_button(self._actions, action_id, theme=self._theme))
        self.cards["reviewers"].column.insertLayout(1, row)
        self.accounting.put_into(self.cards["accounts"])
        for key in ("accounts", "reviewers"):
            scroll.column.addWidget(self.cards[key])
        frame, flow = QWidget(), EvenFlow(spacing=10, least=lambda: self._theme.px(_LEAST_CARD))
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(0, 0, 0, 0)
        charts = (self.cards["clauses"], self.cards["drift"])
        for part in (self.policy, *charts, self.looks, self.quiz, self._coverage_card, self.cards["pairs"]):
            flow.addWidget(part)
        self.policy.hide()
        inner.addLayout(flow)
        scroll.add_later([frame])
        scroll.column.addStretch(1)

    def _connect(self) -> None:
        for chart in (self.accounting.bars, self.reviewers, self.clauses, self.drift):
            chart.opened.connect(self._open)
        self.looks.opened.connect(self.pairs_wanted)
        self.quiz.opened.connect(self.pairs_wanted)
        self.coverage.opened.connect(self._open_cell)
        self.batches.activated.connect(lambda _: self._show_read())
        self.boards.activated.connect(lambda _: self._show_clauses())
        self.coefficient.activated.connect(lambda _: self._show_clauses())
        self.cards["reviewers"].table.opened.connect(self._open_number)
        self.cards["clauses"].table.opened.connect(self._open_clause)
        self.cards["drift"].table.opened.connect(self._open_point)
        for card in self.cards.values():
            card.enlarged.connect(self._enlarge)

    def first_focus(self) -> QWidget:
        """Return where the keyboard starts: the reviewers, or the way on where there are none."""
        return self.reviewers if self._stack.currentIndex() == 2 else self.tabs

    # What is shown

    def show_empty(self) -> None:
        """Show that there is no label, and the step that brings one."""
        self.report = None
        self._stack.setCurrentIndex(1)

    @property
    def batch(self) -> BatchState | None:
        """The chosen batch; None for all labels."""
        states = self._read.batches if self._read is not None else ()
        return next((one for one in states if one.batch.id == self.batches.currentData()), None)

    @property
    def batch_id(self) -> int:
        """The chosen batch; 0 for all labels."""
        return int(self.batches.currentData() or 0)

    @property
    def board(self) -> ClauseBoard | None:
        """The clauses that are shown."""
        boards = self.report.boards if self.report is not None else ()
        return boards[self.boards.currentIndex()] if boards else None

    def show_report(self, read: TeamRead, current: str) -> None:
        """Show what was read; ``current`` is the name of who sits at this desk. The chosen batch stays chosen."""
        self._read, self._current = read, current
        chosen = self.batches.currentData()
        self.batches.clear()
        self.batches.addItem(ALL_LABELS, None)
        for state in read.batches:
            self.batches.addItem(state.batch.name, state.batch.id)
        self.choose(chosen)

    def choose(self, batch_id: int | None) -> None:
        """Show a batch, or with None all labels; one that is not there yet is chosen once it is read."""
        place = self.batches.findData(batch_id)
        if place < 0 and batch_id is not None:
            self.batches.addItem("…", batch_id)
            place = self.batches.count() - 1
        self.batches.setCurrentIndex(max(place, 0))
        self._show_read()

    def _show_read(self) -> None:
        """Show the report with the accounting and progress of the chosen batch."""
        if self._read is None:
            return
        report, accounting, current, batch = self._read.report, self._read.accounting, self._current, self.batch
        self.batch_chosen.emit()
        if batch is None and report.quality.everything is None and not report.quality.reviewers:
            self.show_empty()
            return
        self.report = report
        self._stack.setCurrentIndex(2)
        if batch is None:
            self.accounting.show_labels(accounting, report.quality)
        else:
            self.accounting.show_batch(batch)
        self._show_reviewers(accounting, current)
        self.policy.setVisible(batch is not None)
        if batch is not None:
            self.policy.show_batch(batch, self._read)
        self._show_boards()
        self._show_drift()
        rows = figures.pair_rows(report.quality)
        self.pairs.show_rows(rows)
        table = [TableRow((row.label, row.text)) for row in rows]
        self.cards["pairs"].show_figures(table, about="", missing=_NO_CLAUSES)
        self.looks.show_looks(report.looks)
        self.quiz.show_quizzes(self._read.quizzes)
        if self._read.batch_id != self.batch_id:
            self.report_wanted.emit()

    def set_table(self, on: bool) -> None:
        """Show the numbers of all charts as tables, or the charts."""
        for card in self.cards.values():
            card.set_table(on)

    def _show_reviewers(self, accounting: Accounting, current: str) -> None:
        assert self.report is not None
        quality = self.report.quality
        slots = self.batch.by_reviewer if self.batch is not None else None
        self.reviewers.show_lines(figures.reviewer_lines(quality, accounting, current, slots))
        self.cards["reviewers"].show_figures(
            figures.reviewer_rows(quality), about=self._about_reviewers(), missing="Nobody has labelled yet."
        )

    def _about_reviewers(self) -> str:
        out = self.reviewers.left_out
        return f"{_WHISKERS} In the table: {', '.join(out).lower()}." if out else _WHISKERS

    def _show_boards(self) -> None:
        assert self.report is not None
        names, chosen = [one.rubric for one in self.report.boards], self.boards.currentText()
        self.boards.clear()
        self.boards.addItems(names)
        self.boards.setCurrentIndex(max(0, names.index(chosen) if chosen in names else 0))
        self.boards.setVisible(bool(names))
        self.coefficient.setVisible(bool(names))
        self._show_clauses()

    def _show_clauses(self) -> None:
        assert self.report is not None
        key, card = str(self.coefficient.currentData()), self.cards["clauses"]
        self._coverage_card.setVisible(bool(self.report.boards))
        if not self.report.boards:
            card.show_figures((), about="", missing=_NO_CLAUSES)
            return
        board = self.report.boards[self.boards.currentIndex()]
        axis = f"{self.coefficient.currentText()}; 95 % item bootstrap"
        lines = figures.clause_lines(board, key)
        self.coverage.set_coverage(board.coverage.table)
        self.clauses.show_lines(lines, board.versions, axis, limits=key != "percent")
        card.show_figures(figures.clause_rows(board, key), about="", missing=_NO_CLAUSES)

    def _show_drift(self) -> None:
        assert self.report is not None
        drift = self.report.drift
        self._points = [(line, point) for line in drift.lines for point in line.points]
        rows = [_drift_row(line, point) for line, point in self._points]
        self.drift.show_drift(drift)
        about = f"All together: {drift.trend.words()}." if drift.trend is not None else ""
        self.cards["drift"].show_figures(rows, about=about, missing=_NO_GOLD)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say again which numbers stand in the table only."""
        super().resizeEvent(event)
        if self.report is not None:
            self.cards["reviewers"].about.setText(self._about_reviewers())

    # What is opened

    def _open(self, key: object) -> None:
        if isinstance(key, PairsPlace) and (key.pair_ids or key.reviewer_id is not None):
            self.pairs_wanted.emit(key)

    def _open_number(self, row: TableRow) -> None:
        assert self.report is not None
        places = figures.reviewer_places(self.report.quality)
        self._open(places[self.cards["reviewers"].table.rows.index(row)])

    def _open_clause(self, row: TableRow) -> None:
        assert self.report is not None
        places: Sequence[PairsPlace] = figures.clause_places(self.report.boards[self.boards.currentIndex()])
        self._open(places[self.cards["clauses"].table.rows.index(row)])

    def _open_cell(self, clause: str, source: str) -> None:
        """Open the pairs of a cell; without a source those of all."""
        assert self.report is not None
        coverage = self.report.boards[self.boards.currentIndex()].coverage
        name, of = dict(coverage.table.clauses)[clause], dict(coverage.table.slices).get(source, "all sources")
        self._open(PairsPlace(f"{name} answered, {of}", coverage.pairs.get((clause, source), ())))

    def _open_point(self, row: TableRow) -> None:
        line, point = self._points[self.cards["drift"].table.rows.index(row)]
        self._open(PairsPlace(point_words(line, point), point.pairs))

    def _enlarge(self, wanted: ChartCard, on: bool) -> None:
        """Let one card fill the page, or show all again."""
        wanted.head.show_enlarged(on)
        for card in (*self.cards.values(), self.looks, self.quiz, self._coverage_card):
            card.setVisible(card is wanted or not on)
        self.policy.setVisible(not on and self.batch is not None)


def _drift_row(line: DriftLine, point: DriftPoint) -> TableRow:
    share = figures.percent_words(point.share)
    return TableRow((line.name, line.version, local_time(point.at_ms), share, number(point.share.n)))

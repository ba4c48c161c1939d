"""The gate: its outcome, every check with what decides it, the plots of what n would, and the release it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate.figures import change_words
from app.evaluate.gate_chart import DecisionChart, curve_words
from app.evaluate.gate_steps import CURVE, FAILED, FAILURES, GateData, GateStep, first_failed, steps_of, undecided_curve
from app.evaluate.gate_table import GateTable
from app.evaluate.votes_chart import VotesChart
from app.evaluate.votes_figures import PATH_HEADS, ItemOfVotes, marks_of, rows_of
from app.widgets.buttons import action_button, push_button
from app.widgets.containers import Card, ScrollColumn, WholeColumn, clear_layout
from app.widgets.flow import FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.labels import Chip, short, text_label
from app.widgets.messages import Banner, BannerLevel
from app.widgets.plots.chart_card import ChartCard, TableRow
from core.domain.counting import counted
from core.domain.evaluation_record import suite_words
from core.domain.release_gate import STATE_WORDS, GateState

if TYPE_CHECKING:  # these load the model exports, which the window does not wait for
    from core.domain.release_gate import GateCheck, GateDecision
    from core.services.releases.draft import DecisionCurve, ReleaseDraft
    from core.services.votes.outlook import VotesOutlook

_LEVELS: Mapping[GateState, BannerLevel] = {"passed": "ok", "failed": "error", "insufficient": "warn"}
_ABOUT: Mapping[GateState, str] = {
    "passed": "A release can be made by somebody who did not run the evaluation.",
    "failed": "What failed forbids a release.",
    "insufficient": "Nothing speaks against this policy so far; too little was measured to let it out.",
}
_APPROVER = "Only somebody who approves is missing; a release names who does."
_VOTES_PX = 170
_HEADS = ("n", "if the number stays", "if it is 0")
_CONTENT = (
    "The policy as adapter, merged weights or GGUF",
    "contract.json: hashes, seeds, settings, versions",
    "MODEL_CARD.md and DATASET_CARD.md",
    "report.html, which opens offline and states which audits were not done",
    "evaluation/: request and evidence, to measure it again",
)


class GateView(ScrollColumn):
    """Shows what the gate says. It is decided anew each time it is shown.

    Signals:
        place_wanted(object): a check was opened; its items or its evidence shall be shown.
        item_wanted(ItemOfVotes): a mark of the votes was opened.
    """

    place_wanted = Signal(object)
    item_wanted = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__(margin=12, spacing=10, name="Gate")
        self._context, self._theme = context, context.theme
        self.data: GateData | None = None
        self.banner: Banner | None = None
        self._top = QVBoxLayout()
        self.column.addLayout(self._top)
        self.table, self.chart = GateTable(context.theme), DecisionChart(context.theme, "What n decides")
        self.chart_card = ChartCard(context, "What n decides", self.chart, _HEADS)
        self.votes = VotesChart(context.theme, _VOTES_PX)
        self.votes_card = ChartCard(context, "What n decides: win rate", self.votes, PATH_HEADS)
        for card in (self.chart_card, self.votes_card):
            card.head.enlarge.setEnabled(False)
        self.title = text_label("", "strong", wrap=True)
        self.reason, self.figures = text_label("", "", wrap=True, selectable=True), text_label("", "caption", wrap=True)
        self.show_items = push_button("Show what is behind it", theme=context.theme, icon="arrow_right")
        self._chips, self.people = QFrame(), QVBoxLayout()
        self.release_chips = FlowLayout(self._chips, spacing=6, row_spacing=4)
        self._split = FoldingSplit(
            (self._left(), self._right()), (716, 248), heights=(500, 500), least=(30, 15), grows=0
        )
        self.column.addWidget(self._split)
        self.column.addStretch(1)
        self.table.moved.connect(self._show_check)
        self.table.opened.connect(self.place_wanted)
        self.chart.opened.connect(lambda _: self._open_current())
        self.votes.opened.connect(self.item_wanted)
        self.votes_card.table.opened.connect(lambda row: self.item_wanted.emit(ItemOfVotes(row.suite, row.cells[1])))
        self.show_items.clicked.connect(self._open_current)
        self.say("No gate yet", "It is decided when this page is shown.")

    @property
    def draft(self) -> ReleaseDraft | None:
        """What a release would be; None before it was decided."""
        return self.data.draft if self.data is not None else None

    @property
    def decision(self) -> GateDecision | None:
        """What the gate says; None before it was decided."""
        return self.draft.decision if self.draft is not None else None

    def _left(self) -> QWidget:
        part = WholeColumn(spacing=10)
        column = part.column
        checks, detail = Card("Checks", spacing=6), Card(spacing=4)
        checks.add(self.table)
        for widget in (self.title, self.reason, self.figures):
            detail.add(widget)
        row = QHBoxLayout()
        row.addWidget(self.show_items)
        row.addStretch(1)
        detail.add(row)
        column.addWidget(checks)
        column.addWidget(detail)
        column.addStretch(1)
        return part

    def _right(self) -> QWidget:
        part = WholeColumn(spacing=10)
        column = part.column
        release, people = Card("The release", spacing=4), Card("Who approves", spacing=4)
        release.add(self._chips)
        for line in _CONTENT:
            release.add(text_label(f"· {line}", "caption", wrap=True))
        release.add(action_button(self._context.actions, "evaluate.release", theme=self._theme))
        people.add(text_label("Never the person who ran the evaluation.", "hint", wrap=True))
        people.add(self.people)
        for card in (self.chart_card, self.votes_card, release, people):
            column.addWidget(card)
        column.addStretch(1)
        return part

    def say(self, title: str, text: str) -> None:
        """Show that there is no decision, and why."""
        self.data = self.banner = None
        clear_layout(self._top)
        card = Card(title)
        card.add(text_label(text, "muted", wrap=True))
        self._top.addWidget(card)
        self._split.hide()

    def show_gate(self, data: GateData) -> None:
        """Show every check, and the release that they lead to."""
        if data == self.data:
            return
        self.data = data
        decision = data.draft.decision
        clear_layout(self._top)
        words = f"{counts_words(decision)} {_ABOUT[decision.outcome]}"
        if decision.outcome == "insufficient" and not data.draft.missing:
            words = f"{counts_words(decision)} {_APPROVER}"
        self.banner = Banner(
            self._theme,
            STATE_WORDS[decision.outcome],
            words,
            level=_LEVELS[decision.outcome],
            buttons=[(step.label, partial(self._take_step, step)) for step in steps_of(data)],
            closable=False,
            wrap=True,
        )
        self._top.addWidget(self.banner)
        self._show_release(data.draft)
        self._show_people(data.draft, data.outlook)
        self._show_votes(data.outlook)
        self._split.show()
        self.table.show_checks(decision.checks)

    def _take_step(self, step: GateStep) -> None:
        """Do what a button of the banner says."""
        if self.draft is None:
            return
        if step.act == FAILURES:
            found = next(check for check in self.draft.decision.checks if check.key == "failure_queue")
            self.place_wanted.emit(found)
        elif step.act in (CURVE, FAILED):
            check = undecided_curve(self.draft) if step.act == CURVE else first_failed(self.draft.decision)
            if check is not None:
                self.table.choose(check)
                self.table.setFocus()
                self._show_check(check)
        else:
            self._context.actions.run(step.act)

    def _show_votes(self, outlook: VotesOutlook) -> None:
        """Show the win rate while votes arrived, and how its interval goes on."""
        ahead = [(n, 100 * low, 100 * high) for n, low, high in outlook.ahead]
        marks = marks_of(outlook.items, outlook.path)
        self.votes.show_marks(marks, planned=outlook.planned, arm=outlook.arm, ahead=ahead, decides=outlook.decides)
        words = "Dashed: the interval if the rate stays what it is." if ahead else "The planned n is reached."
        missing = "No item is settled yet." if outlook.planned else "Nobody was asked; no votes speak for this policy."
        self.votes_card.show_figures(rows_of(outlook.items, outlook.path), about=words, missing=missing)

    def _show_release(self, draft: ReleaseDraft) -> None:
        clear_layout(self.release_chips)
        suites = counted(len(draft.of["suites"].split(", ")), "suite")
        for what in (draft.of["policy"], draft.of["rubrics"], draft.of["dataset"], suites):
            if what:
                self.release_chips.addWidget(Chip(short(what, 28), "neutral"))

    def _show_people(self, draft: ReleaseDraft, outlook: VotesOutlook) -> None:
        clear_layout(self.people)
        for person in draft.approvers:
            row = FlowLayout(spacing=8, row_spacing=2, middle=True)
            row.addWidget(text_label(person.name, "strong"))
            if votes := outlook.voters.get(person.name):
                row.addWidget(text_label(counted(votes, "vote"), "caption"))
            said = f"{person.against}: cannot approve" if person.against else "can approve"
            row.addWidget(Chip(said, "bad" if person.against else "ok"))
            frame = QWidget()
            frame.setLayout(row)
            self.people.addWidget(frame)
        if not draft.approvers:
            self.people.addWidget(text_label("No person is known in this workspace yet.", "muted", wrap=True))

    def _show_check(self, check: GateCheck) -> None:
        inner = self.widget()
        if inner is not None and self.table.hasFocus():  # the page scrolls, not the table
            at = self.table.mapTo(inner, self.table.current_area().center())
            self.ensureVisible(at.x(), at.y(), 0, self._theme.px(60))
        self.title.setText(f"{check.title}: {STATE_WORDS[check.state].lower()}")
        decides = f"{check.reason} What decides it: {check.needed}" if check.needed else check.reason
        self.reason.setText(decides)
        figures = [
            f"{name}: {change_words(figure)} {figure.unit or '%'}, n {figure.n:,}; {figure.estimator}"
            for name, figure in check.figures.items()
        ]
        self.figures.setText("\n".join(figures))
        self.figures.setVisible(bool(figures))
        self.show_items.setText(place_words(check))
        self.chart_card.head.set_title(f"What n decides: {check.title.lower()}")
        self._show_curve(self._curve_of(check))

    def _curve_of(self, check: GateCheck) -> DecisionCurve | None:
        curves = {curve.check: curve for curve in self.draft.curves} if self.draft is not None else {}
        return curves.get(check.key)

    def _show_curve(self, curve: DecisionCurve | None) -> None:
        self.chart.show_curve(curve)
        rows = []
        if curve is not None:
            scale = 1.0 if curve.now.unit else 100.0
            other = dict(curve.no_change)
            rows = [
                TableRow((f"{n:,.0f}", f"{scale * end:.3g}", f"{scale * other[n]:.3g}" if n in other else ""))
                for n, end in curve.stays[::6]
            ]
        about = curve_words(curve) if curve is not None else ""
        self.chart_card.show_figures(rows, about=about, missing="No interval decides this check; no n would.")

    def _open_current(self) -> None:
        if self.table.current is not None:
            self.place_wanted.emit(self.table.current)

    def set_table(self, on: bool) -> None:
        """Show the plot as a table, or as the plot."""
        self.chart_card.set_table(on)
        self.votes_card.set_table(on)


def place_words(check: GateCheck) -> str:
    """Return what opening a check shows."""
    if check.key == "failure_queue":
        return "Open the failure queue"
    if check.suite:
        return (
            f"Show the items of {suite_words(check.suite)}"
            if not any(check.part)
            else f"Show the slice {check.part[1]}"
        )
    return "Show the evidence"


def counts_words(decision: GateDecision) -> str:
    """Return how many checks hold, are open and failed."""
    count = {state: sum(check.state == state for check in decision.checks) for state in STATE_WORDS}
    held = f"{count['passed']} {'check holds' if count['passed'] == 1 else 'checks hold'}"
    open_ = f"{count['insufficient']} {'is' if count['insufficient'] == 1 else 'are'} open"
    return f"{held}, {open_}, {count['failed']} failed."

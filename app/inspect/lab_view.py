"""The objective lab: the answers to one prompt, the optimum over them at a beta, its frontier, and five steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.inspect.beta_bar import BetaBar
from app.inspect.draw_dialog import DrawDialog
from app.inspect.lab_chart import LabFrontier, LabMark
from app.inspect.lab_presenter import (
    FRONTIER_HEADS,
    MARKED,
    DrawChoices,
    LabPrompt,
    LabState,
    chips_of,
    lab_request,
    number_word,
    point_name,
    y_name,
)
from app.inspect.lab_table import LabTable
from app.inspect.share_chart import OverBetaChart
from app.inspect.step_cards import StepCards
from app.widgets.containers import Card, ScrollColumn, WholeColumn
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import short, text_label
from app.widgets.messages import EmptyState, ProgressLine, announce
from app.widgets.plots.chart_card import ChartCard
from core.domain.counting import counted
from core.domain.number_text import format_value
from core.domain.prompt_lab import PromptLab, Weighing

_HIGH = 860
"""Design pixels of the height from which two further plots have room above the steps."""
_NOTHING = "Choose a prompt and draw answers: policy and reference score each of them, and beta can be moved then."


class LabView(QWidget):
    """All of the objective lab below the header of Inspect.

    Signals:
        described(str, str): how many answers there are and the seed, for the header; empty without a lab.
        prompt_changed(LabPrompt): another prompt than the one that was chosen is looked at.
    """

    described = Signal(str, str)
    prompt_changed = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        theme = context.theme
        self.context, self.state, self.choices = context, LabState(), DrawChoices()
        self.run_id, self.prompt = "", LabPrompt("")
        self._runs: Sequence[tuple[str, str]] = ()
        self._job: BackgroundTask | None = None
        self._drawn: tuple[str, LabPrompt] | None = None
        self.bar, self.table, self.chart = BetaBar(theme), LabTable(theme), LabFrontier(theme)
        self.frontier = ChartCard(context, "Frontier", self.chart, FRONTIER_HEADS)
        self.shares = OverBetaChart(theme, "Share of each answer over beta", "↑ π*(y), share")
        self.effective = OverBetaChart(theme, "Effective answers over beta", "↑ 1 / Σ π*²")
        self.share_card, self.effective_card = Card("Share of each answer over β"), Card("Effective answers")
        self.share_card.add(self.shares, 1)
        self.effective_card.add(self.effective, 1)
        self.steps = StepCards(theme)
        self.weighing = SegmentedControl(
            "How the reference weighs the answers", [("reference", "π ref renormalised"), ("equal", "each alike")]
        )
        self.winner, self.loser = ComboBox(), ComboBox()
        self.note, self.notes = (
            text_label("", "caption", wrap=True),
            text_label("", "caption", wrap=True, selectable=True),
        )
        self.line, self.error = ProgressLine(title="Drawing answers"), text_label("", "error", wrap=True)
        self.empty = EmptyState(
            theme, "inspect", "No answers yet", _NOTHING, main=("Draw answers", self.draw),
            second=("Choose how…", self.ask),
        )  # fmt: skip
        self._build()
        self._connect()

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(self.line)
        outer.addWidget(self.error)
        scroll = ScrollColumn(name="The objective lab")
        answers, tools = Card(spacing=6), FlowLayout(spacing=8, row_spacing=4)
        tools.addWidget(text_label("Answers and the optimum", "section"))
        tools.add_gap()
        tools.addWidget(self.weighing)
        answers.add(tools)
        answers.add(self.table, 1)
        foot = FlowLayout(spacing=8, row_spacing=4)
        for name, box in (("y_w", self.winner), ("y_l", self.loser)):
            box.setAccessibleName(f"{name}, an answer of 5.3 and 5.5")
            foot.addWidget(text_label(f"{name} {'▲' if box is self.winner else '▼'}", "caption"))
            foot.addWidget(box)
        foot.add(self.note, least=16)
        answers.add(foot)
        left = WholeColumn(spacing=0)
        self.frontier.enlarged.connect(lambda _, on: left.setVisible(not on))
        left.column.addWidget(answers, 1)
        split = FoldingSplit((left, self.frontier), (740, 440), heights=(420, 380), least=(36, 22), grows=None)
        self.more = FoldingSplit((self.share_card, self.effective_card), (640, 440), least=(22, 22), grows=None)
        self.more.hide()
        for part in (self.bar, split, self.more, self.steps, self.notes):
            scroll.column.addWidget(part)
        scroll.column.addStretch(1)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(scroll)
        outer.addWidget(self.stack, 1)
        self.line.hide()
        self.error.hide()

    def _connect(self) -> None:
        self.bar.changed.connect(self.set_beta)
        for chart in (self.chart, self.shares, self.effective):
            chart.opened.connect(self._open_mark)
        self.table.chosen.connect(self._choose_answer)
        self.weighing.changed.connect(self._weigh)
        self.winner.activated.connect(lambda place: self._choose_pair(winner=place))
        self.loser.activated.connect(lambda place: self._choose_pair(loser=place))

    # What is looked at

    def set_run(self, run_id: str, runs: Sequence[tuple[str, str]]) -> None:
        """Take another run; ``runs`` are (id, name) of all. What was drawn for another one goes away."""
        self._runs = runs
        if run_id != self.run_id:
            self.run_id = run_id
            self._clear()

    def set_prompt(self, prompt: LabPrompt) -> None:
        """Take another prompt; what was drawn for another one goes away."""
        if prompt != self.prompt:
            self.prompt = prompt
            self._clear()

    def _clear(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self.state.lab, self._drawn = None, None
        self.stack.setCurrentIndex(0)
        self.error.hide()
        self.described.emit("", "")

    @property
    def busy(self) -> bool:
        """Whether answers are being drawn."""
        return self._job is not None

    def ask(self) -> None:
        """Ask how answers are got, and draw them."""
        others = [(run_id, name) for run_id, name in self._runs if run_id != self.run_id]
        dialog = DrawDialog(self, self.context, self.prompt, self.choices, others)
        if not self.context.dialogs.run(dialog):
            return
        self.choices = dialog.choices
        if dialog.prompt != self.prompt:
            self.set_prompt(dialog.prompt)
            self.prompt_changed.emit(dialog.prompt)
        self.draw()

    def draw_again(self) -> None:
        """Draw answers; with the next seed where those of this prompt are shown."""
        if self.state.lab is not None and self._drawn == (self.run_id, self.prompt):
            self.choices = self.choices.again()
        self.draw()

    def draw(self) -> None:
        """Draw and score answers in the background; Cancel ends the process."""
        if self._job is not None or not self.run_id or not self.prompt.text.strip():
            return
        service, wanted = self.context.services.lab, (self.run_id, self.prompt)
        request = lab_request(self.run_id, self.prompt, self.choices)

        def work(control: TaskControl) -> PromptLab:
            return service.make(request, on_progress=control.progress, cancelled=lambda: control.cancelled)

        def done(found: PromptLab) -> None:
            if (self.run_id, self.prompt) == wanted:
                self._drawn = wanted
                self.show_lab(found)

        self.error.hide()
        self._job = self.context.tasks.job("Drawing answers", work, done, self._failed, owner=self)
        self._job.ended.connect(self._ended)
        self.line.follow(self._job)
        self.line.show()

    def _failed(self, error: Exception) -> None:
        self.error.setText(str(error))
        self.error.show()

    def _ended(self) -> None:
        self._job = None
        self.line.hide()

    # Showing

    def show_lab(self, lab: PromptLab) -> None:
        """Show a lab at the beta of its run."""
        self.state.show(lab)
        count = len(lab.answers)
        self.weighing.set_value(self.state.weighing)
        self.weighing.buttons()[1].setText(f"each 1/{sum(one.count for one in lab.answers)}")
        for box in (self.winner, self.loser):
            box.clear()
            for place in range(count):
                box.addItem(y_name(place), place)
        self.notes.setText("\n".join(lab.notes))
        self.described.emit(*chips_of(lab, self.choices))
        self.stack.setCurrentIndex(1)
        self._show()
        announce(self, counted(count, "answer"))

    def set_beta(self, beta: float) -> None:
        """Look at another beta."""
        if self.state.lab is not None and beta > 0:
            self.state.beta = beta
            self._show()

    def set_table(self, on: bool) -> None:
        """Show the frontier as a table, or as the chart."""
        self.frontier.set_table(on)

    def go(self, by: int) -> None:
        """Go to the next answer, or back."""
        rows = self.table.rowCount()
        if rows:
            self.table.setCurrentCell(min(rows - 1, max(0, self.table.currentRow() + by)), 1)

    def _open_mark(self, beta: object) -> None:
        if isinstance(beta, float) and math.isfinite(beta):
            self.set_beta(beta)

    def _choose_answer(self, place: int) -> None:
        self.state.of = place
        self._show()

    def _choose_pair(self, *, winner: int | None = None, loser: int | None = None) -> None:
        self.state.choose(winner=winner, loser=loser)
        self._show()

    def _weigh(self, weighing: Weighing) -> None:
        self.state.weigh(weighing)
        self._show()

    def _show(self) -> None:
        """Show what follows from the present beta, weighing and answers."""
        state, lab = self.state, self.state.lab
        if lab is None:
            return
        self.bar.show_beta(state.beta, lab.beta, state.ends)
        self.bar.show_results(state.results())
        self.table.show_rows(state.rows(), state.of)
        self.winner.setCurrentIndex(state.winner)
        self.loser.setCurrentIndex(state.loser)
        self.note.setText(state.note())
        self.steps.show_steps(state.steps())
        self._show_frontier(len(lab.answers))
        if not self.more.isHidden():
            self._show_over_beta(lab)

    def _show_over_beta(self, lab: PromptLab) -> None:
        state = self.state
        betas, shares, effective = state.over_beta()
        at = {"beta": state.beta, "trained": lab.beta}
        self.shares.show_lines(betas, shares, top=1.0, **at)
        self.effective.show_lines(betas, [("", effective)], top=float(len(lab.answers)), **at)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the plots over beta where a high window has room for them."""
        super().resizeEvent(event)
        shown = self.height() >= self.context.theme.px(_HIGH)
        if shown == self.more.isHidden():
            self.more.setVisible(shown)
            if shown and self.state.lab is not None:
                self._show_over_beta(self.state.lab)

    def _show_frontier(self, count: int) -> None:
        state, lab = self.state, self.state.lab
        assert lab is not None
        path = [(one.kl, one.reward) for one in state.frontier]
        end = state.objective
        path.append((end.largest_kl, end.best))
        marks = [LabMark("reference", "reference, β → ∞", path[0][0], path[0][1])]
        for beta in sorted({*MARKED, lab.beta}):
            if not math.isclose(beta, state.beta, rel_tol=0.01):
                at = end.at(beta)
                marks.append(LabMark("beta", point_name(state, beta), at.kl, at.reward, beta))
        now = state.optimum
        marks.append(LabMark("now", point_name(state, state.beta), now.kl, now.reward, state.beta))
        for name, placed in state.placed():
            words = f"{short(name, 24)}, {'below the line' if placed.gap else 'on the line'}"
            marks.append(LabMark("other", words, placed.kl, placed.reward))
        best = f"best of the {number_word(count)}, {format_value(end.best, 3)}"
        self.chart.show_frontier(path, marks, beta=state.beta, best=end.best, words=best)
        about = f"E[r] {format_value(now.reward)} at KL {format_value(now.kl)} nats, β {state.beta:.3g}"
        self.frontier.show_figures(state.frontier_rows(), about=about, missing="")

"""One pair in full: both texts, its margin over all steps, the labels behind it."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Self

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.context import AppContext
from app.inspect.over_runs_chart import HEADS, OverRunsChart
from app.inspect.step_cards import StepCard
from app.inspect.token_card import TokenCard
from app.local_time import local_time
from app.widgets.buttons import action_button
from app.widgets.containers import Card, ScrollColumn, WholeColumn
from app.widgets.flow import FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.height_fit import HeightFit
from app.widgets.labels import Chip, FitLabel, text_label
from app.widgets.plots.chart_card import ChartCard, TableRow
from app.widgets.plots.curves import CurveSpec, nearest
from app.widgets.plots.metric_plot import MetricPlot
from app.widgets.safe_text import SafeText
from app.widgets.wrapped_list import WrappedList
from core.domain.counting import counted
from core.domain.judgement import Judgement, describe
from core.domain.number_text import format_value, signed
from core.domain.pair import TrainingPair
from core.domain.pair_dossier import PairDossier
from core.domain.pair_tags import SEPARATOR
from core.services.runs.views import PairVisit


@dataclass(frozen=True, slots=True)
class PairView:
    """What the panel shows: the pair as it was trained on, its visits, its judgements."""

    pair_id: str
    pair: TrainingPair | None
    visits: tuple[PairVisit, ...]
    judgements: Sequence[Judgement]
    letters: tuple[str, str] = ("", "")
    """Which canonical answer, A or B, was chosen and which rejected; empty for a run from a bare file."""
    run_id: str = ""


_LEAST_ANSWER, _MOST_PROMPT = 120, 84
_DISPLACEMENT = "Displacement: log-prob under the policy minus log-prob under the reference, summed over the tokens"
LEAST_CURVE = 96
"""Pixels of the curve's canvas where large text leaves little room."""


class PairPanel(QFrame):
    """The right half of Inspect.

    Signals:
        step_picked(int): a visit was clicked in the plot.
        run_wanted(str): another run was opened, in which the pair is looked at then.
        pair_wanted(str): another pair was opened.
    """

    step_picked = Signal(int)
    run_wanted = Signal(str)
    pair_wanted = Signal(str)

    @classmethod
    def made_in_slices(cls, context: AppContext) -> Generator[None, None, Self]:
        """Make the panel, with a yield after each of its costly parts."""
        curve = _margin_curve(context)
        yield
        tokens = TokenCard(context)
        yield
        return cls(context, curve, tokens)

    def __init__(self, context: AppContext, curve: MetricPlot | None = None, tokens: TokenCard | None = None) -> None:
        """Make the panel; ``curve`` and ``tokens`` are its costly parts, where they were made before."""
        super().__init__()
        self._texts: tuple[str, TrainingPair | None] | None = None
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        scroll = ScrollColumn(name="The pair")
        outer.addWidget(scroll)
        column = scroll.column
        self.head = Card()
        self.title = text_label("No pair chosen", "section")
        self.margin, self.below = Chip(""), Chip("")
        head = FlowLayout(row_spacing=4)
        for part in (self.title, self.margin, self.below):
            head.addWidget(part)
        head.add_gap()
        for action_id in ("inspect.annotate", "inspect.leave_out", "inspect.note", "inspect.tag"):
            head.addWidget(action_button(context.actions, action_id, theme=context.theme))
        self.head.add(head)
        self.note = text_label("", "caption", wrap=True, selectable=True)
        self.note.hide()
        self.head.add(self.note)
        self.prompt = SafeText(context.theme, "Prompt", size=13)
        HeightFit((self.prompt,), lambda: context.theme.px(_MOST_PROMPT))
        self.head.add(self.prompt)
        column.addWidget(self.head)
        self.chosen = SafeText(context.theme, "Chosen answer", size=13)
        self.rejected = SafeText(context.theme, "Rejected answer", size=13)
        self.stats: dict[str, FitLabel] = {}
        self.sides: dict[str, Chip] = {}
        cards = []
        for name, view in (("Chosen", self.chosen), ("Rejected", self.rejected)):
            card = Card(spacing=4)
            view.setMinimumHeight(context.theme.px(_LEAST_ANSWER))
            self.stats[name], self.sides[name] = FitLabel("", kind="caption"), Chip("")
            card.head.addWidget(text_label(name, "section"))
            card.head.addWidget(self.sides[name])
            card.head.addStretch(1)
            card.add(card.head)
            card.add(self.stats[name])
            card.add(view, 1)
            cards.append(card)
        answers = FoldingSplit(cards, (400, 400), least=(16, 16), grows=None)
        column.addWidget(answers, 3)
        self.token_card = tokens or TokenCard(context)
        self.token_card.pair_wanted.connect(self.pair_wanted)
        column.addWidget(self.token_card)
        self.curve = curve or _margin_curve(context)
        self.curve.plot.setMinimumHeight(LEAST_CURVE)
        self.curve.picked.connect(self.step_picked)
        self.curve.hovered.connect(self.curve.set_crosshair)
        self.curve.plot.installEventFilter(self)
        self.curve.plot.setToolTip("← → go from visit to visit, Enter opens the step in Runs")
        labels = Card("Labels behind it")
        self.labels = WrappedList("Labels behind the pair")
        labels.add(self.labels, 1)
        self.loss, self.runs_chart = StepCard(context.theme), OverRunsChart(context.theme)
        self.over_runs = ChartCard(context, "Over runs", self.runs_chart, HEADS)
        self.over_runs.enlarged.connect(lambda _, on: self.curve.setVisible(not on))
        self.runs_chart.opened.connect(lambda run_id: self.run_wanted.emit(str(run_id)))
        beside = WholeColumn(spacing=0), WholeColumn(spacing=0)
        for part, card in zip(beside, (self.loss, self.over_runs), strict=True):
            part.column.addWidget(card, 1)
            card.hide()
        upper = FoldingSplit((self.curve, beside[1]), (400, 400), least=(17, 17), grows=None)
        lower = FoldingSplit((beside[0], labels), (400, 400), least=(17, 14), grows=None)
        column.addWidget(upper, 1)
        column.addWidget(lower, 2)
        bar = scroll.verticalScrollBar()
        self.styled_parts: tuple[QWidget, ...] = self.head, answers, self.token_card, upper, lower, bar

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go along the visits of the curve and open one by keyboard, before the page's shortcuts see the keys."""
        keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if isinstance(event, QKeyEvent) and event.key() in keys:
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._go({keys[0]: -1, keys[1]: 1}.get(Qt.Key(event.key()), 0))
                return True
        return super().eventFilter(watched, event)

    def _go(self, by: int) -> None:
        """Move the crosshair by visits, or with 0 open the step it is on."""
        steps = self.curve.curves["pair"].steps
        if not steps.size:
            return
        at = self.curve.crosshair
        place = steps.size - 1 if math.isnan(at) else nearest(steps, at) + by
        step = float(steps[min(steps.size - 1, max(0, place))])
        self.curve.set_crosshair(step)
        value = format_value(self.curve.curves["pair"].at(step))
        self.curve.plot.setAccessibleDescription(f"step {step:g}, margin {value}")
        if by == 0:
            self.step_picked.emit(round(step))

    def show_pair(self, view: PairView) -> None:
        """Show a pair; texts are plain, whatever they hold. Those of the pair that is shown stay as they are scrolled.

        While a run goes on, the same pair comes again every two seconds with other numbers.
        """
        self.title.setText(f"Pair {view.pair_id}")
        if self._texts != (view.pair_id, view.pair):
            self._texts = (view.pair_id, view.pair)
            missing = "This run's pairs file does not hold the pair."
            self._set_texts(view.pair, _conversation(view.pair) if view.pair else missing)
        for name, letter in zip(("Chosen", "Rejected"), view.letters, strict=True):
            self.sides[name].set_chip(letter, letter.lower() if letter else "neutral")  # type: ignore[arg-type]
        last = view.visits[-1].row if view.visits else None
        if last is None:
            self.margin.set_chip("not visited yet", "neutral")
            self._clear_stats()
        else:
            words = f"z {signed(last.margin)} · h {signed(last.h)} nats · {visit_words(view.visits[-1])}"
            self.margin.set_chip(words, "bad" if last.margin < 0 else "ok")
            moved = (last.logp_chosen - last.ref_chosen, last.logp_rejected - last.ref_rejected)
            for name, change, tokens in zip(
                ("Chosen", "Rejected"), moved, (last.tokens_chosen, last.tokens_rejected), strict=True
            ):
                moved_by = f"{change:+.2f}".replace("-", "−")
                words = f"{counted(tokens, 'token')} · {moved_by} nats"
                self.stats[name].set_texts([f"{words} against the reference", words], _DISPLACEMENT)
        self.token_card.set_pair(view.run_id, view.pair_id if view.pair is not None else "")
        self.curve.set_curve("pair", [v.step for v in view.visits], [v.row.margin for v in view.visits])
        self.curve.fit(1.2 * self.curve.last_step())
        self._set_labels([judgement_line(j) for j in view.judgements] or ["No labels: the run has a bare file."])

    def show_dossier(self, found: PairDossier | None) -> None:
        """Show the loss with its numbers, and the pair over all runs; None where the run did not measure it."""
        for card in (self.loss, self.over_runs):
            card.setVisible(found is not None)
        self.below.set_chip("")
        if found is None:
            return
        if len(found.runs) > 1:
            words = f"below zero in {found.below} of {counted(len(found.runs), 'run')}"
            self.below.set_chip(words, "warn" if found.below else "neutral")
        self.loss.show_step(found.loss)
        self.runs_chart.show_runs(found.runs, found.run_id)
        rows = [
            TableRow((
                one.name, f"{one.kind}, step {one.step}", signed(one.h, 3), signed(one.margin, 3),
                signed(one.median_h, 3), f"{one.pairs}", "" if one.same_fingerprint else "another objective",
            ))
            for one in found.runs
        ]  # fmt: skip
        about = "Dot: h of this pair. Tick: median of the pairs of that look. Hollow: another objective."
        self.over_runs.show_figures(rows, about=about, missing="No run measured this pair.")

    def show_said(self, note: str, tags: Sequence[str]) -> None:
        """Show the reviewer's note on the pair and its tags; without them no room is taken."""
        lines = (f"Tags: {SEPARATOR.join(tags)}" if tags else "", f"Note: {note}" if note else "")
        self.note.setText("\n".join(line for line in lines if line))
        self.note.setVisible(bool(note or tags))

    def show_nothing(self, why: str = "") -> None:
        """Show no pair; ``why`` stands as the title."""
        self._texts = None
        self.title.setText(why or "No pair chosen")
        self._set_texts(None, "")
        for chip in (self.margin, *self.sides.values()):
            chip.set_chip("", "neutral")
        self._clear_stats()
        self.token_card.set_pair("", "")
        self.show_dossier(None)
        self.show_said("", ())
        self.curve.set_curve("pair", [], [])
        self._set_labels([])

    def _set_texts(self, pair: TrainingPair | None, prompt: str) -> None:
        self.prompt.set_text(prompt)
        self.chosen.set_text(pair.chosen if pair else "")
        self.rejected.set_text(pair.rejected if pair else "")

    def _clear_stats(self) -> None:
        for stats in self.stats.values():
            stats.set_texts([""])

    def _set_labels(self, lines: list[str]) -> None:
        """List the labels; the same ones stay as they are scrolled."""
        if lines != [self.labels.item(row).text() for row in range(self.labels.count())]:
            self.labels.clear()
            self.labels.addItems(lines)


def _margin_curve(context: AppContext) -> MetricPlot:
    """Return the plot of the margin of a pair over the visits to it."""
    spec = CurveSpec("pair", "plot_margin", "margin", True, unit="nats × β")
    return MetricPlot(context.theme, "Margin of this pair", (spec,), axis="z = β·h, nats × β", zero=True)


def judgement_line(judgement: Judgement) -> str:
    """Return one judgement as lines: who, what, under which rubric version, clause by clause, why."""
    draft = judgement.draft
    parts = [f"{judgement.reviewer.name}: {describe(draft)}", judgement.rubric_title, local_time(judgement.at_ms)]
    if not judgement.current:
        parts.append("no longer current")
    line = " · ".join(parts)
    if draft and draft.criteria:
        line += "\n" + ", ".join(f"{key} {value:+d}" for key, value in draft.criteria.items()).replace("-", "−")
    if draft and draft.rationale:
        line += f"\n“{draft.rationale[:500]}”"
    return line


def visit_words(visit: PairVisit) -> str:
    """Return at which step a pair was measured, and as what."""
    kind = {"dev": "held-out", "probe_train": "train probe", "train": "in its batch"}.get(visit.kind, visit.kind)
    return f"step {visit.step}, {kind}"


def _conversation(pair: TrainingPair) -> str:
    if len(pair.prompt.messages) == 1:
        return pair.prompt.last_text
    return "\n\n".join(f"{m.role.capitalize()}: {m.content}" for m in pair.prompt.messages)

"""The card *Reward by token* of a pair: scored on demand in a process of its own, then walked token by token."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.inspect.reward_strip import LOOKS, SIDES, RewardStrip
from app.widgets.buttons import action_button
from app.widgets.containers import Card
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import text_label
from app.widgets.messages import ProgressLine
from app.widgets.plots.chart_card import FigureTable, TableRow
from app.widgets.token_strip import TokenStrip
from app.widgets.token_texts import LIKELY_HEADS, likely_rows, token_sentence
from core.domain.number_text import signed

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.lab.dossier import ScoredPair

NEAR_HEADS = ("Pair", "Similarity", "z", "Prompt")
_KEPT = 8
_ABOUT = (
    "Policy and reference of the run's result read both answers, in a process of its own: what each token adds to h, "
    "and the likeliest tokens of both at its place. Nothing is stored."
)


class TokenCard(Card):
    """Scores a pair and shows its tokens. ``pair_wanted(str)`` fires when a near pair was opened."""

    pair_wanted = Signal(str)

    def __init__(self, context: AppContext) -> None:
        super().__init__(spacing=6)
        theme = context.theme
        self._context, self._key = context, ("", "")
        self._kept: OrderedDict[tuple[str, str], ScoredPair] = OrderedDict()
        self._job: BackgroundTask | None = None
        self.strip, self.tokens = RewardStrip(theme), TokenStrip(theme)
        self.looks = SegmentedControl("How rewards are drawn", LOOKS)
        self.score = action_button(context.actions, "inspect.tokens", theme=theme)
        self.token = text_label("", "", wrap=True, selectable=True)
        self.likely = FigureTable(context, "Likeliest tokens at this place", LIKELY_HEADS, most=10)
        self.nearest = FigureTable(context, "Neighbours by prompt", NEAR_HEADS, most=5)
        self.line, self.error = ProgressLine(title="Scoring tokens"), text_label("", "error", wrap=True)
        self._about, self._near_title = (
            text_label(_ABOUT, "hint", wrap=True),
            text_label("Neighbours by prompt", "section"),
        )
        head = FlowLayout(spacing=8, row_spacing=4)
        head.addWidget(text_label("Reward by token", "section"))
        head.add_gap()
        for part in (self.looks, self.score):
            head.addWidget(part)
        self.add(head)
        self._scored: list[QWidget] = [self.strip, self.tokens, self.token, self.likely, self._near_title, self.nearest]
        for part in (self._about, self.line, self.error, *self._scored):
            self.add(part)
        self.looks.set_value("bars")
        self.looks.changed.connect(self.strip.set_look)
        self.strip.moved.connect(self._show_token)
        self.tokens.moved.connect(self._follow)
        self.nearest.opened.connect(lambda row: self.pair_wanted.emit(row.cells[0]))
        self.line.hide()
        self.error.hide()
        self._side = 0
        self._show()

    def set_pair(self, run_id: str, pair_id: str) -> None:
        """Take another pair; one that was scored before is shown at once, and a scoring that goes on ends."""
        if (run_id, pair_id) == self._key:
            return
        if self._job is not None:
            self._job.cancel()
        self._key = run_id, pair_id
        self.error.hide()
        self._show()

    @property
    def scored(self) -> ScoredPair | None:
        """The tokens of the pair that is shown; None before they were scored."""
        return self._kept.get(self._key)

    def start(self) -> None:
        """Score the pair in the background."""
        run_id, pair_id = self._key
        if self._job is not None or not pair_id:
            return
        service, key = self._context.services.dossier, self._key

        def work(control: TaskControl) -> ScoredPair:
            return service.tokens(run_id, pair_id, on_progress=control.progress, cancelled=lambda: control.cancelled)

        def done(found: ScoredPair) -> None:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            if key == self._key:
                self._show()

        self.error.hide()
        self._job = self._context.tasks.job("Scoring tokens", work, done, self._failed, owner=self)
        self._job.ended.connect(self._ended)
        self.line.follow(self._job)
        self.line.show()

    def _failed(self, error: Exception) -> None:
        self.error.setText(str(error))
        self.error.show()

    def _ended(self) -> None:
        self._job = None
        self.line.hide()

    def _show(self) -> None:
        found = self.scored
        for part in (*self._scored, self.looks):
            part.setVisible(found is not None)
        self._about.setVisible(found is None)
        if found is None:
            self.strip.show_answers(())
            return
        answers, near = found.inspection.answers, found.inspection.nearest
        self.strip.show_answers(answers)
        rows = [
            TableRow((
                one.pair_id, f"{one.similarity:.2f}",
                signed(found.margins[one.pair_id], 3) if one.pair_id in found.margins else "–",
                " ".join(one.prompt.split())[:200],
            ))
            for one in near
        ]  # fmt: skip
        self.nearest.show_rows(rows)
        for part in (self._near_title, self.nearest):
            part.setVisible(bool(rows))
        self._side = -1
        if answers and answers[0].tokens:
            self.strip.go(0, answers[0].most_changed(1)[0][0])

    def _show_token(self, side: int, place: int) -> None:
        found = self.scored
        if found is None:
            return
        answers = found.inspection.answers
        token = answers[side].tokens[place]
        if side != self._side:
            self._side = side
            reach = max([1.0, *(abs(one.displacement) for answer in answers for one in answer.tokens)])
            self.tokens.show_answer(answers[side], reach)
        if self.tokens.current != place:
            self.tokens.go(place)
        self.token.setText(f"{SIDES[side]}: {token_sentence(place, token)}")
        self.likely.show_rows(likely_rows(token))

    def _follow(self, place: int) -> None:
        self.strip.go(self._side, place)

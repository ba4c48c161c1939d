"""The tab *Votes*: reads the rounds of the shown evaluation, asks people, and leads to their queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.context import AppContext
from app.evaluate.votes_dialog import VotesDialog
from app.evaluate.votes_figures import VoteChoices, VotesData, read_vote_choices, read_votes
from app.evaluate.votes_view import VotesView
from core.domain.changes import Outcome
from core.domain.votes import VoteRequest
from core.services.evaluations.views import EvaluationInfo

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.votes.service import AskedRound


class VotesPart(VotesView):
    """The view together with what its buttons do."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._context = context
        self._info: EvaluationInfo | None = None
        self._wanted = 0
        self._is_read = False
        self.ask_wanted.connect(self.ask_people)
        self.round_wanted.connect(self.show_round)

    def set_evaluation(self, info: EvaluationInfo) -> None:
        """Take another evaluation; its votes are read when they are shown."""
        if self._info is None or info.evaluation_id != self._info.evaluation_id:
            self._is_read = False
            self.show_votes(VotesData())
        self._info = info

    def forget(self) -> None:
        """Read again when it is shown next: somebody may have voted."""
        self._is_read = False

    def read(self) -> None:
        """Read what is not read yet."""
        info = self._info
        if info is None or self._is_read:
            return
        self._is_read = True
        services, reviewer, wanted = self._context.services, self._context.session.reviewer_id, self._wanted

        def show(data: VotesData) -> None:
            if self._info is not None and self._info.evaluation_id == info.evaluation_id:
                self.show_votes(data)

        self._context.tasks.query(
            lambda: read_votes(services, info.evaluation_id, reviewer, wanted), show, owner=self, key="votes"
        )

    def show_round(self, round_id: int) -> None:
        """Show a round, the newest where the evaluation does not have it."""
        self._wanted, self._is_read = round_id, False
        self.read()

    def vote_now(self) -> None:
        """Open the queue of the shown round in Annotate; without one ask people first."""
        round_id, name = self.round
        if round_id:
            self._context.navigate("annotate", vote_round=round_id, title=name)
        else:
            self.ask_people()

    def ask_people(self) -> None:
        """Read what there is to choose from, then ask what people are asked."""
        services, info = self._context.services, self._info
        if info is None or info.state != "finished":
            self._context.notices.post(
                "Nothing can be asked yet.",
                "warn",
                hint="People compare answers; wait until the evaluation is measured.",
            )
            return
        self._context.tasks.query(
            lambda: read_vote_choices(services, info), self._show_dialog, owner=self, key="vote choices"
        )

    def _show_dialog(self, choices: VoteChoices) -> None:
        dialog = VotesDialog(self, self._context, choices, self._send)
        self._context.dialogs.run(dialog)
        dialog.deleteLater()

    def _send(self, request: VoteRequest, asked: Callable[[], object], failed: Callable[[Exception], None]) -> None:
        service = self._context.services.votes

        def done(outcome: Outcome[AskedRound]) -> None:
            asked()
            self._asked(outcome)

        self._context.ops.mutate(lambda: service.ask(request), done, failed, owner=self)

    def _asked(self, outcome: Outcome[Any]) -> None:
        one = outcome.value.round
        words = f"{one.name} is a queue in Annotate now." if outcome.value.is_new else f"{one.name} asks this already."
        self._context.notices.post(words, hint=" ".join(outcome.value.told))
        self.show_round(one.id)

"""What comes of a talk: votes, names, pairs with their judgements, failures, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.context import AppContext
from app.runs.talk_vote_bar import TalkVoteBar
from core.domain.errors import UserError
from core.domain.judgement import Verdict
from core.domain.talk import Exchange, TalkVote

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.domain.changes import Outcome
    from core.domain.feedback import FeedbackEvent
    from core.services.annotation.views import UndoStep
    from core.services.talks.service import SavedExchange
    from core.services.talks.session import TalkSession

_NOBODY = "Nobody is named as reviewer; nothing was saved."


class TalkSaving(QObject):
    """Acts on the newest exchange of a talk.

    Args:
        context: services, notices, dialogs.
        page: that it belongs to.
        session: returns the talk.
        bar: returns the votes.
        show: shows the talk again.
        read: reads what may be shown now.
    """

    def __init__(
        self,
        context: AppContext,
        page: QObject,
        session: Callable[[], TalkSession | None],
        bar: Callable[[], TalkVoteBar],
        show: Callable[[], None],
        read: Callable[[], None],
    ) -> None:
        super().__init__(page)
        self._context, self._session_of, self._bar, self._show, self._read = context, session, bar, show, read

    def _voted(self) -> TalkSession | None:
        """Return the talk where there is an exchange to act on and nobody answers."""
        session = self._session_of()
        return session if session is not None and session.talk.exchanges and not session.is_answering else None

    def vote(self, strength: int | None) -> None:
        """Vote on the newest exchange: a strength, 0 for a tie, None for neither."""
        verdict = Verdict.NEITHER if strength is None else Verdict.PREFER if strength else Verdict.TIE
        self.cast(self._bar().vote(verdict, strength or None))

    def cast(self, vote: TalkVote) -> None:
        """Take a vote; where there are not two whole answers, say so."""
        session = self._voted()
        if session is None:
            return
        try:
            session.vote(len(session.talk.exchanges), vote)
        except UserError as error:
            self._context.notices.post(error.message, "warn", hint=error.hint)
        self._show()

    def say_again(self) -> None:
        """Give the vote that there is another clause or reason."""
        session = self._voted()
        last = session.talk.last if session is not None else None
        if last is not None and last.vote is not None:
            said = self._bar().vote(last.vote.verdict, last.vote.strength)
            if (said.clause, said.rationale) != (last.vote.clause, last.vote.rationale):
                self.cast(said)

    def no_vote(self) -> None:
        """Take the vote back that is not saved."""
        if (session := self._voted()) is not None:
            session.without_vote(len(session.talk.exchanges))
            self._show()

    def names(self) -> None:
        """Show which answer is whose."""
        if (session := self._voted()) is not None:
            session.reveal(len(session.talk.exchanges))
            self._show()
            self._read()

    def _reviewer(self) -> int | None:
        reviewer = self._context.session.reviewer_id
        if reviewer is None:
            self._context.notices.post(
                "Nobody is named as reviewer; nothing was saved.", "warn", hint="Choose who labels."
            )
        return reviewer

    def pair(self) -> None:
        """Save the newest exchange as a pair, with the vote as judgement."""
        session = self._voted()
        reviewer = self._reviewer() if session is not None else None
        if session is None or reviewer is None:
            return
        self.say_again()
        number, version, service = len(session.talk.exchanges), self._bar().version, self._context.services.talks
        version_id = version.id if version is not None else None

        def saved(outcome: Outcome[SavedExchange]) -> None:
            said = "with your vote" if outcome.value.judgement is not None else "without a vote"
            self._context.notices.post(f"Saved as pair {outcome.value.pair_id} {said}.", "ok")
            self._show()
            self._read()

        self._context.ops.mutate(lambda: service.save_pair(session, number, reviewer, version_id), saved, owner=self)

    def failure(self) -> None:
        """Save an answer as feedback, with a note."""
        session = self._voted()
        reviewer = self._reviewer() if session is not None else None
        if session is None or reviewer is None:
            return
        number, service = len(session.talk.exchanges), self._context.services.talks
        arm, words = self._failed_answer(session.talk.exchange(number))
        note = self._context.dialogs.text("Save as failure", f"What is wrong with {words}?", lines=3, accept="Save")
        if note is None:
            return

        def saved(outcome: Outcome[FeedbackEvent]) -> None:
            self._context.notices.post(f"Saved as feedback {outcome.value.id}; it waits in Data, Feedback.", "ok")

        self._context.ops.mutate(lambda: service.save_failure(session, number, arm, reviewer, note), saved, owner=self)

    @staticmethod
    def _failed_answer(exchange: Exchange) -> tuple[str, str]:
        """Return which answer a failure is about: the one that lost the vote, or the policy's."""
        if exchange.vote is not None and exchange.vote.strength is not None:
            place = 1 if exchange.vote.strength < 0 else 0
            return exchange.order[place], f"the {('left', 'right')[place]} answer"
        policy = "policy" if "policy" in exchange.order else exchange.order[0]
        return policy, "the policy's answer"

    def undo(self) -> None:
        """Undo the reviewer's last label, wherever it was given."""
        reviewer, service = self._reviewer(), self._context.services.annotation
        if reviewer is None:
            return

        def undone(outcome: Outcome[UndoStep | None]) -> None:
            words = f"Undone: {outcome.undo_label}." if outcome.value is not None else "There is nothing to undo."
            self._context.notices.post(words)

        self._context.ops.mutate(lambda: service.undo(reviewer), undone, owner=self)

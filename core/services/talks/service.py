"""Talks with a policy: begin one, and save its exchanges as pairs with their votes, or as failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput, UsageError
from core.domain.evaluation_record import Arm
from core.domain.feedback import FeedbackContent, FeedbackEvent
from core.domain.judgement import Judgement
from core.domain.pair import Response, Side
from core.domain.talk import Exchange, History, TalkSettings, require_two_answers
from core.runs.folder import RunFolder
from core.runs.run_control import find_run
from core.services.annotation.service import AnnotationService
from core.services.feedback.service import FeedbackService
from core.services.importing.limits import RowRejected
from core.services.importing.prepare import prepare
from core.services.importing.rows import ParsedPair
from core.services.talks.arms import arms_of, generation_of
from core.services.talks.session import StartProcess, TalkSession
from core.store import events, reviewers, talk_pairs
from core.store.import_rows import NewPair
from core.store.sqlite.database import Session, Store


@dataclass(frozen=True, slots=True)
class SavedExchange:
    """An exchange as it was saved: its pair, the vote as judgement if there was one, and the exchange after it."""

    pair_id: int
    judgement: Judgement | None
    exchange: Exchange


class TalksService:
    """Begins talks and saves what comes of them. Thread-safe.

    Attributes:
        start: makes the process that answers a talk; None is the real one.
    """

    def __init__(self, store: Store, annotation: AnnotationService, feedback: FeedbackService) -> None:
        self._store, self._annotation, self._feedback = store, annotation, feedback
        self.start: StartProcess | None = None

    def arms(
        self, run: str, *, step: int = 0, policy: bool = True, reference: bool = True, against: str = ""
    ) -> tuple[Arm, ...]:
        """Return who answers in a talk; see :func:`core.services.talks.arms.arms_of`.

        Args:
            run: id, name or folder of a run of the workspace.
            step: of its checkpoint; 0 is the result.
            policy: whether its policy answers.
            reference: whether its reference does.
            against: another run; "" for none.

        Raises:
            NotFound, UsageError: as there; also for a run that is not there.
        """
        other = find_run(against, self._store.folder) if against else None
        found = find_run(run, self._store.folder)
        return arms_of(found, step=step, policy=policy, reference=reference, against=other)

    def begin(
        self,
        arms: tuple[Arm, ...],
        *,
        system: str = "",
        history: History = "own",
        blind: bool = False,
        settings: TalkSettings | None = None,
    ) -> TalkSession:
        """Return a new talk; its models are loaded with the first question."""
        return TalkSession(arms, system=system, history=history, blind=blind, settings=settings, start=self.start)

    # What comes of it

    def save_pair(
        self, talk: TalkSession, number: int, reviewer_id: int, rubric_version_id: int | None
    ) -> Outcome[SavedExchange]:
        """Store an exchange as a pair, and its vote as a judgement, in one transaction; then show its names.

        The pair's prompt is what both arms were asked, its earlier turns and the system prompt included. Undoing the
        reviewer's last step takes the judgement back, as for any other label.

        Args:
            talk: with the exchange.
            number: of the exchange, from 1.
            reviewer_id: who votes.
            rubric_version_id: a published version; may be None where there is no vote.

        Raises:
            UsageError: when there are not two whole answers, or they answer different prompts, or a vote has no rubric.
            BadInput: when both answers are the same text, or the clause is none of the rubric version.
        """
        exchange = talk.talk.exchange(number)
        require_two_answers(exchange)
        left, right = (talk.talk.arm(name) for name in exchange.order)
        new, name = _pair(exchange, left, right), f"Talks with {_run_name(left if left.is_policy else right)}"
        runs = sorted({left.run_id, right.run_id})
        if exchange.vote is None:
            saved = self._stored(new, name, runs, reviewer_id)
            return Outcome(
                SavedExchange(saved.value, None, talk.saved(number, saved.value)), saved.changes, saved.undo_label
            )
        if rubric_version_id is None:
            raise UsageError("A vote needs a published rubric that says what better means.", "Publish one in Rubrics.")
        left_is: Side = "A" if new.left_is == "A" else "B"
        draft = exchange.vote.draft(
            left_is, talk={"blind": exchange.vote.blind, "left": left.name, "right": right.name, "run": left.run_id}
        )
        outcome = self._annotation.commit_shown(
            lambda session, context: talk_pairs.shown(
                talk_pairs.add(session, name, runs, new, context), reviewer_id, rubric_version_id, left_is
            ),
            draft,
        )
        judgement = outcome.value
        shown = talk.saved(number, judgement.pair_id)
        return Outcome(
            SavedExchange(judgement.pair_id, judgement, shown), outcome.changes | Changes.WORKSPACE, outcome.undo_label
        )

    def _stored(self, new: NewPair, name: str, runs: Sequence[str], reviewer_id: int) -> Outcome[int]:
        """Store a pair without a vote."""
        context = self._store.write_context()

        def job(session: Session) -> int:
            reviewers.get(session, reviewer_id)
            key = talk_pairs.add(session, name, runs, new, context)
            summary = f"Saved pair {key} of a talk without a vote"
            events.log(session, context, "talk.pair", summary, reviewer_id=reviewer_id, subject="pair", subject_id=key)
            return key

        return Outcome(self._store.write(job, "saving a pair of a talk"), Changes.PAIRS | Changes.WORKSPACE)

    def save_failure(
        self, talk: TalkSession, number: int, arm: str, reviewer_id: int, note: str = ""
    ) -> Outcome[FeedbackEvent]:
        """Store an answer as an event of feedback, thumb down, with its prompt and how it was made.

        The failure queue of an evaluation is computed from its items, so an answer of a talk is none of it. As an event
        it waits in the inbox of feedback, where triage makes a pair, a suite's item or a change of the rubric of it.

        Raises:
            UsageError: when the arm has not answered.
        """
        exchange = talk.talk.exchange(number)
        reply = exchange.replies.get(arm)
        if reply is None or not reply.text:
            raise UsageError("There is no answer that could be saved as a failure.", "Ask first.")
        with self._store.read() as session:
            author = reviewers.get(session, reviewer_id).name
        who = talk.talk.arm(arm)
        generation = generation_of(who, exchange, reply).to_plain()
        return self._feedback.add(
            FeedbackContent(
                "thumbs", exchange.prompts[arm], reply.text, thumb=-1, note=note.strip(), author=author,
                run=who.run_id, generation=generation,
            )
        )  # fmt: skip


def _pair(exchange: Exchange, left: Arm, right: Arm) -> NewPair:
    """Return the pair of an exchange, the left answer first.

    Raises:
        UsageError: when the two arms answered different prompts.
        BadInput: when both answers are the same text.
    """
    prompt = exchange.shared_prompt()
    if prompt is None:
        raise UsageError(
            "Each side answered behind its own earlier answers, so there is no one prompt that a pair could have.",
            "Let both go on from one history (History: one), then ask again; nothing was saved.",
        )
    first, second = (
        Response(exchange.replies[arm.name].text, generation_of(arm, exchange, exchange.replies[arm.name]))
        for arm in (left, right)
    )
    try:
        return prepare(ParsedPair(prompt, first, second))
    except RowRejected as error:
        raise BadInput(
            f"No pair can be made: {error.reason}.", "Nothing was saved. Ask again with a new seed."
        ) from error


def _run_name(arm: Arm) -> str:
    return RunFolder(Path(arm.run_dir)).record().name

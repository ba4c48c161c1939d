"""Adjudication: pairs in conflict, first picks, and the decisions that stand beside the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.domain.adjudication import CHANGE_REQUEST, OUTCOMES, ConflictDecision, DecisionDraft
from core.domain.changes import Changes, Outcome
from core.domain.conflict import LabelSaid, conflict_of
from core.domain.errors import BadInput
from core.domain.judgement import Judgement, Task
from core.domain.rubric import RubricState, RubricVersion
from core.services.adjudication.views import ConflictPair, OpenedConflict, hidden
from core.store import adjudications, change_requests, conflicts, events, judgement_views, rubrics
from core.store.plain import chunks
from core.store.sqlite.database import Session, Store
from core.store.sqlite.writer import Priority

_CHANGES = Changes.JUDGEMENTS | Changes.RUBRICS


class AdjudicationService:
    """Finds the pairs in conflict and keeps what was decided of them. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def conflicts(self, version_id: int | None = None) -> list[ConflictPair]:
        """Return the pairs in conflict in the order of import, open and decided, names hidden.

        Args:
            version_id: a published rubric version; labels under versions of the same major number are compared. None
                takes the newest published version of each rubric.

        Raises:
            NotFound: there is no such version.
        """
        with self._store.read() as session:
            versions = _newest(session) if version_id is None else [rubrics.get(session, version_id)]
            return [pair for version in versions for pair in _conflicts(session, version)]

    def opened(self, pair_id: int, version_id: int, reviewer_id: int) -> OpenedConflict:
        """Return the labels of a pair and its conflict, names hidden, to the adjudicator who has judged it first.

        Raises:
            BadInput: there is no first pick of this reviewer yet.
        """
        with self._store.read() as session:
            return _opened(session, pair_id, version_id, reviewer_id)

    def picked(self, reviewer_id: int, version_id: int) -> list[int]:
        """Return the pairs that a reviewer picked first and has not decided, oldest pick first."""
        with self._store.read() as session:
            accepted = rubrics.compatible_ids(session, version_id)
            decided = adjudications.current(session, accepted)
            picks = conflicts.picks_of(session, reviewer_id, accepted)
            return [pair_id for pair_id in picks if pair_id not in decided]

    def decided(self, version_id: int) -> dict[str, int]:
        """Return outcome -> decisions under versions of the same meaning, in the order of ``OUTCOMES``."""
        with self._store.read() as session:
            found = adjudications.current(session, rubrics.compatible_ids(session, version_id))
        counts = Counter(one.outcome for one in found.values())
        return {key: counts[key] for key in OUTCOMES}

    def decide(self, pair_id: int, version_id: int, reviewer_id: int, said: DecisionDraft) -> Outcome[ConflictDecision]:
        """Store a decision on a pair after its first pick; a second one of the same adjudicator replaces it.

        What stands as the verdict is the adjudicator's judgement as it is now: the first pick, or what it was amended
        to after the labels were seen. A change request is stored with it, in the same transaction.

        Raises:
            BadInput: there is no first pick, or the rubric has no such clause.
        """
        context = self._store.write_context()

        def job(session: Session) -> ConflictDecision:
            opened = _opened(session, pair_id, version_id, reviewer_id)
            version = rubrics.get(session, opened.pick.rubric_version_id)
            if said.clause and said.clause not in {clause.id for clause in version.body.criteria}:
                names = ", ".join(clause.id for clause in version.body.criteria)
                raise BadInput(f"{version.title} has no clause {said.clause!r}.", f"Its clauses are {names}.")
            request_id = None
            if said.outcome == CHANGE_REQUEST:
                request = (version.rubric_id, said.clause, said.request, pair_id, reviewer_id)
                request_id = change_requests.ask(session, *request, context)
            inputs = tuple(one.judgement.id for one in opened.labels)
            ids = (pair_id, reviewer_id, version.id, opened.first_id, opened.pick.id)
            new = ConflictDecision(0, *ids, said.cause, said.outcome, request_id, said.note, inputs, context.at_ms)
            adjudications.add(session, new, context, said=said, request_id=request_id)
            _log(session, context, "adjudicate.decide", f"Decided pair {pair_id}: {OUTCOMES[said.outcome][0]}", new)
            return adjudications.current(session, (version.id,))[pair_id]

        label = f"Decision on pair {pair_id}"
        return Outcome(self._store.write(job, "saving a decision", Priority.LABEL), _CHANGES, label)

    def take_back(self, reviewer_id: int) -> Outcome[ConflictDecision | None]:
        """Take back the newest decision of a reviewer; the first pick stays. The value is None without any.

        A change request that came with it is rejected.
        """
        context = self._store.write_context()

        def job(session: Session) -> ConflictDecision | None:
            last = adjudications.last_of(session, reviewer_id)
            if last is not None:
                adjudications.add(session, last, context, said=None, request_id=None)
                if last.request_id is not None:
                    change_requests.step(session, last.request_id, "reject", reviewer_id, context)
                _log(session, context, "adjudicate.undo", f"Took back the decision on pair {last.pair_id}", last)
            return last

        last = self._store.write(job, "taking back a decision", Priority.LABEL)
        return Outcome(last, _CHANGES if last is not None else Changes.NOTHING)


def _newest(session: Session) -> list[RubricVersion]:
    found = (rubrics.latest(session, key, RubricState.PUBLISHED) for key, _, _ in rubrics.names(session))
    return [version for version in found if version is not None]


def _conflicts(session: Session, version: RubricVersion) -> list[ConflictPair]:
    accepted = rubrics.compatible_ids(session, version.id)
    decided = adjudications.current(session, accepted)
    found = []
    for part in chunks(conflicts.pairs_in_conflict(session, accepted)):
        labels = conflicts.labels_of(session, part, accepted)
        found += [_pair(key, version, labels[key], decided.get(key)) for key in part]
    return found


def _pair(
    pair_id: int, version: RubricVersion, judgements: Sequence[Judgement], decision: ConflictDecision | None
) -> ConflictPair:
    labels = [one for one in judgements if one.task is not Task.ADJUDICATE]
    conflict = conflict_of(LabelSaid(d.verdict, d.strength, d.flags) for d in (one.draft for one in labels) if d)
    assert conflict is not None  # the query that found the pair applies the same rule
    state = "open" if len(labels) == len(judgements) else "decided"
    return ConflictPair(pair_id, version.id, version.title, conflict, hidden(labels), state, decision)


def _opened(session: Session, pair_id: int, version_id: int, reviewer_id: int) -> OpenedConflict:
    accepted = rubrics.compatible_ids(session, version_id)
    judged = conflicts.labels_of(session, [pair_id], accepted).get(pair_id, [])
    picks = [one for one in judged if one.task is Task.ADJUDICATE and one.reviewer.id == reviewer_id]
    if not picks:
        raise BadInput(
            f"Pair {pair_id} has no first pick of this adjudicator, so its labels stay hidden.", "Judge the pair first."
        )
    labels = [one for one in judged if one.task is not Task.ADJUDICATE]
    conflict = conflict_of(LabelSaid(d.verdict, d.strength, d.flags) for d in (one.draft for one in labels) if d)
    pick = picks[-1]
    first_id = conflicts.first_pick(session, pick.presentation_id)
    stands = judgement_views.get(session, first_id).draft == pick.draft
    decision = adjudications.current(session, accepted).get(pair_id)
    return OpenedConflict(pair_id, pick, first_id, stands, conflict, hidden(labels), decision)


def _log(session: Session, context: events.WriteContext, op: str, summary: str, decision: ConflictDecision) -> None:
    events.log(
        session,
        context,
        op,
        summary,
        reviewer_id=decision.reviewer_id,
        subject="pair",
        subject_id=decision.pair_id,
    )

"""Batches of work for several people: plan and make them, open a reviewer's queue, add what is due, account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.batch import BatchPolicy, LabelBatch, Slot, SlotKind
from core.domain.changes import Changes, Outcome
from core.domain.clock import now_ms
from core.domain.conflict import LabelSaid, conflict_of
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound
from core.domain.judgement import ReviewerKind, Task
from core.domain.rubric import RubricState
from core.domain.suspects import SuspectMark, SuspectReport
from core.services.annotation.views import QueueSettings
from core.services.batches.drawing import DrawnSlots, draw
from core.services.batches.due import Facts, due
from core.services.batches.material import Margins, labels_of_reviewers, margins_of, material_of
from core.services.batches.views import BatchPlan, BatchState, state_of
from core.services.qualification.standing import unqualified
from core.services.quality.suspects import SuspectsService
from core.services.runs.service import RunsService
from core.store import batches, conflicts, events, pairs, reviewers, rubrics, slot_links
from core.store.sqlite.database import Session, Store
from core.store.sqlite.write_context import WriteContext

_CHANGED = Changes.JUDGEMENTS | Changes.PAIRS

_WIDEN = (
    "Without a filter a batch takes pairs that have no label, imported ones included, "
    "and that no other batch waits for."
)


@dataclass(frozen=True, slots=True)
class _OfRuns:
    """What an order reads of runs."""

    margins: Margins = ()
    suspects: SuspectReport | None = None


class BatchesService:
    """Makes batches and tells how far they are. Thread-safe."""

    def __init__(self, store: Store, runs: RunsService, suspects: SuspectsService) -> None:
        """Args: store: of the open workspace. runs, suspects: whose margins or suspects an order may read."""
        self._store, self._runs, self._suspects = store, runs, suspects

    # Making

    def plan(self, version_id: int, policy: BatchPolicy) -> BatchPlan:
        """Return what a policy comes to, without storing anything.

        Raises:
            BadInput, NotFound: as :meth:`create`.
        """
        read = self._of_runs(policy)
        with self._store.read() as session:
            drawn = _drawn(session, version_id, policy, read)
            names = _names(session)
        kinds = {kind.value: sum(one.kind is kind for one in drawn.slots) for kind in SlotKind}
        people = {names[key]: sum(one.reviewer_id == key for one in drawn.slots) for key in policy.reviewers}
        pairs = len({one.pair_id for one in drawn.slots})
        return BatchPlan(pairs, {key: count for key, count in kinds.items() if count}, people, drawn.told)

    def create(
        self,
        name: str,
        version_id: int,
        policy: BatchPolicy,
        by: int | None = None,
        *,
        margins: Margins | None = None,
    ) -> Outcome[LabelBatch]:
        """Make a batch with all slots that its policy draws; the same policy on the same data draws the same slots.

        Args:
            name: of the batch; no other has it.
            version_id: the published rubric version that is labelled under.
            policy: what is wanted.
            by: the reviewer who makes it.
            margins: what the policy's runs say of pairs that they were not trained on; None reads their ledgers.

        Raises:
            BadInput: the name is taken, the version is a draft, a reviewer is inactive, or no pair is left.
            NotFound: there is no such version, reviewer or run.
        """
        read = self._of_runs(policy) if margins is None else _OfRuns(margins)
        context = self._store.write_context()

        def job(session: Session) -> LabelBatch:
            drawn = _drawn(session, version_id, policy, read)
            if not drawn.slots:
                raise BadInput("No pair is left for this batch; nothing was made.", " ".join((_WIDEN, *drawn.told)))
            plain = policy.to_plain(batches.reviewer_uids(session))
            marks = _marks(drawn, read.suspects)
            key = batches.add(session, name, version_id, plain, by, drawn.told, context, marks)
            batches.add_draw(session, key, "start", drawn.slots, context)
            made = batches.get(session, key)
            summary = f"Made the batch {made.name} with {counted(len(drawn.slots), 'slot')}"
            detail = {"batch": made.uid, "slots": len(drawn.slots)}
            events.log(
                session,
                context,
                "batch.create",
                summary,
                reviewer_id=by,
                subject="batch",
                subject_id=key,
                detail=detail,
            )
            return made

        return Outcome(self._store.write(job, "making a batch"), _CHANGED)

    def draw_due(self, batch_id: int) -> Outcome[int]:
        """Add the slots that labels have made due, and return how many; 0 where nothing is due.

        Raises:
            NotFound: there is no such batch.
        """
        context = self._store.write_context()

        def job(session: Session) -> int:
            batch = batches.get(session, batch_id)
            found = [] if batch.home_uuid else due(batch.policy, batches.slots(session, batch), _facts(session, batch))
            if found:
                batches.add_draw(session, batch.id, "due", found, context)
                summary = f"{counted(len(found), 'slot')} became due in the batch {batch.name}"
                _log(session, context, "batch.due", summary, batch)
            return len(found)

        added = self._store.write(job, "adding slots that are due")
        return Outcome(added, _CHANGED if added else Changes.NOTHING)

    def hand_over(
        self, batch_id: int, reviewer_id: int, to: int | None, by: int | None = None, reason: str = ""
    ) -> Outcome[int]:
        """Give a reviewer's open slots to another one, or to all (None); return how many.

        A slot stays where the other may not answer it: a retest, a pair that the other labels already, and a gold or
        relabel slot, which is about this reviewer. Slots on a desk go too: what the desk sends back is merged all the
        same.

        Raises:
            BadInput: both are the same person.
        """
        if to == reviewer_id:
            raise BadInput(
                "These slots are this reviewer's already; nothing was handed over.",
                "Slots on a desk that was lost are opened again with: batch reopen WS BATCH --reviewer NAME",
            )
        context = self._store.write_context()

        def job(session: Session) -> int:
            batch = batches.get(session, batch_id)
            everything = batches.slots(session, batch)
            theirs = {one.pair_id for one in everything if to is not None and one.reviewer_id == to}
            if to is not None:
                theirs |= labels_of_reviewers(session, [to], batch.rubric_version_id)[to]
            moved = [
                one
                for one in everything
                if one.reviewer_id == reviewer_id and one.state == "open" and one.pair_id not in theirs
                if one.kind in (SlotKind.FIRST, SlotKind.SECOND, SlotKind.THIRD)
            ]
            for one in moved:
                slot_links.assign(session, one.id, to, by, reason, context)
            if moved:
                name = reviewers.get(session, reviewer_id).name
                goes_to = reviewers.get(session, to).name if to is not None else "all"
                summary = f"{counted(len(moved), 'slot')} of {name} in {batch.name} handed over to {goes_to}"
                _log(session, context, "batch.hand_over", summary, batch, by)
            return len(moved)

        return Outcome(self._store.write(job, "handing slots over"), _CHANGED)

    def reopen(self, batch_id: int, reviewer_id: int, by: int | None = None, reason: str = "") -> Outcome[int]:
        """Ask a reviewer here again for the slots of a desk that was lost, gold pairs and retests too; return how many.

        They can be answered here from then on, or exported anew. What the lost desk sends back after all is merged
        while none of its pairs was labelled here meanwhile, and else refused with the reason.
        """
        context = self._store.write_context()

        def job(session: Session) -> int:
            batch = batches.get(session, batch_id)
            away = [
                one
                for one in batches.slots(session, batch)
                if one.reviewer_id == reviewer_id and one.in_bundle and one.state != "labelled"
            ]
            for one in away:
                slot_links.assign(session, one.id, reviewer_id, by, reason or "the desk was lost", context)
            if away:
                name = reviewers.get(session, reviewer_id).name
                summary = f"{counted(len(away), 'slot')} of {name} in {batch.name} opened again: the desk was lost"
                _log(session, context, "batch.reopen", summary, batch, by)
            return len(away)

        opened = self._store.write(job, "opening slots again")
        return Outcome(opened, _CHANGED if opened else Changes.NOTHING)

    # Reading

    def list(self) -> list[BatchState]:
        """Return every batch with how far it is, oldest first."""
        with self._store.read() as session:
            return [_state(session, batch) for batch in batches.listed(session)]

    def find(self, text: str | int) -> LabelBatch:
        """Return the batch of an id or a name.

        Raises:
            NotFound: when there is none.
        """
        with self._store.read() as session:
            for one in batches.listed(session):
                if str(text).casefold() in (str(one.id), one.name.casefold(), one.uid):
                    return one
        raise NotFound(f"There is no batch {str(text)!r}.", "See them with: batch list WS")

    def waiting_for(self, reviewer_id: int) -> Sequence[tuple[LabelBatch, int]]:
        """Return the batches with slots that a reviewer may answer here and has not, skipped ones included."""
        with self._store.read() as session:
            found = [(batch, batches.slots(session, batch)) for batch in batches.listed(session)]
        counts = [(batch, sum(_waits(one, reviewer_id) for one in slots)) for batch, slots in found]
        return [(batch, count) for batch, count in counts if count]

    def state(self, batch_id: int) -> BatchState:
        """Return how far a batch is.

        Raises:
            NotFound: there is no such batch.
        """
        with self._store.read() as session:
            return _state(session, batches.get(session, batch_id))

    def slots(self, batch_id: int) -> Sequence[Slot]:
        """Return the slots of a batch by number, for a lead: they say which pairs are gold or repeated.

        Raises:
            NotFound: there is no such batch.
        """
        with self._store.read() as session:
            return batches.slots(session, batches.get(session, batch_id))

    def queue(self, batch_id: int, reviewer_id: int, *, revisit_skipped: bool = False) -> QueueSettings:
        """Return the queue of a reviewer in a batch, for ``AnnotationService.open_queue``.

        Raises:
            NotFound: there is no such batch.
        """
        with self._store.read() as session:
            batch = batches.get(session, batch_id)
        return QueueSettings(
            reviewer_id, batch.rubric_version_id, batch=batch.id, seed=batch.seed, revisit_skipped=revisit_skipped
        )

    def _of_runs(self, policy: BatchPolicy) -> _OfRuns:
        if not policy.runs:
            return _OfRuns()
        if policy.order == "suspects":
            return _OfRuns(suspects=self._suspects.of_run(policy.runs[0]))
        with self._store.read() as session:
            wanted = [str(key) for key in pairs.ids(session, policy.filter)]
        return _OfRuns(margins_of([self._runs.reader(run_id) for run_id in policy.runs], wanted))


def _waits(slot: Slot, reviewer_id: int) -> bool:
    return slot.state != "labelled" and not slot.in_bundle and slot.reviewer_id in (None, reviewer_id)


def _marks(drawn: DrawnSlots, report: SuspectReport | None) -> list[SuspectMark]:
    """Return what is kept of the suspects that were drawn: rank, label and probability; then the random share."""
    if report is None:
        return []
    asked = {one.pair_id for one in drawn.slots if one.kind in (SlotKind.FIRST, SlotKind.RETEST)}
    ranked = [one for one in report.suspects if one.pair_id in asked]
    marks = [SuspectMark(one.pair_id, one.judgement_id, rank, one.right) for rank, one in enumerate(ranked, 1)]
    return marks + [SuspectMark(key, label, 0) for key, label in report.others.items() if key in asked]


def _drawn(session: Session, version_id: int, policy: BatchPolicy, read: _OfRuns) -> DrawnSlots:
    if rubrics.get(session, version_id).state is not RubricState.PUBLISHED:
        raise BadInput("A batch is labelled under a published rubric version.", "Publish the draft first.")
    inactive = reviewers.inactive_ids(session)
    for key in (*policy.reviewers, *policy.adjudicators):
        one = reviewers.get(session, key)
        if one.kind is not ReviewerKind.HUMAN:
            raise BadInput(f"{one.name} is no person but a reviewer of kind {one.kind.value}.", "Name people.")
        if key in inactive:
            raise BadInput(f"{one.name} is inactive and gets no slots.", f"See reviewers WS --activate {one.name!r}.")
    material, told = material_of(session, policy, version_id, read.margins, now_ms(), read.suspects)
    drawn = draw(policy, material)
    hint = unqualified(session, version_id, policy.reviewers)
    return DrawnSlots(drawn.slots, (*told, *drawn.told, *filter(None, [hint])))


def _facts(session: Session, batch: LabelBatch) -> Facts:
    ids = {uid: key for key, uid in batches.reviewer_uids(session).items()}
    away = reviewers.inactive_ids(session)
    people, deciders = (
        [ids[uid] for uid in batch.policy[key] if uid in ids and ids[uid] not in away]
        for key in ("reviewers", "adjudicators")
    )
    accepted = rubrics.compatible_ids(session, batch.rubric_version_id)
    disputed = conflicts.pairs_in_conflict(session, accepted)
    split = set()
    for pair_id, labels in conflicts.labels_of(session, disputed, accepted).items():
        said = [one.draft for one in labels if one.draft and one.task is not Task.ADJUDICATE]
        found = conflict_of(LabelSaid(draft.verdict, draft.strength) for draft in said)
        split |= {pair_id} if found else set()
    known = labels_of_reviewers(session, [*people, *deciders], batch.rubric_version_id)
    return Facts(split, set(disputed), batches.flagged_pairs(session), people, deciders, known)


def _state(session: Session, batch: LabelBatch) -> BatchState:
    return state_of(batch, batches.slots(session, batch), _names(session), batches.reviewer_uids(session))


def _log(
    session: Session,
    context: WriteContext,
    op: str,
    summary: str,
    batch: LabelBatch,
    by: int | None = None,
    detail: dict[str, object] | None = None,
) -> None:
    events.log(session, context, op, summary, reviewer_id=by, subject="batch", subject_id=batch.id, detail=detail)


def _names(session: Session) -> dict[int, str]:
    return {one.id: one.name for one in reviewers.listed(session)}

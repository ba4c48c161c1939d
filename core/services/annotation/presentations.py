"""Open queues and the presentations that they issued. In memory only: everything that must last is in the store."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from core.domain.clock import now_ms
from core.domain.errors import BadInput, NotFound, UserError
from core.domain.ids import new_uid
from core.domain.judgement import JudgementDraft, Side, Task
from core.domain.rubric import RubricState
from core.domain.rubric_clauses import ChangedSince
from core.services.annotation.batch_queue import BatchQueue, next_slots, open_batch
from core.services.annotation.open_queue import OpenQueue, arrange
from core.services.annotation.views import PresentationView, QueueInfo, QueueSettings, UnsavedDraft
from core.store import (
    adjudications,
    bundles,
    conflicts,
    datasets,
    drafts,
    earlier_labels,
    judgements,
    pairs,
    queue,
    reviewers,
    rubrics,
    stale_labels,
    undo_steps,
    votes,
)
from core.store.judgements import Presentation
from core.store.sqlite.database import Session, Store
from core.store.withdrawn import consent_mark, withdrawn_pairs


class QueueManager:
    """Issues the presentations of open queues and remembers those without an answer. Thread-safe."""

    def __init__(self, store: Store, rng: random.Random) -> None:
        """Args: store: of the open workspace. rng: draws which response is left."""
        self._store, self._rng = store, rng
        self._lock = threading.RLock()
        self._queues: dict[str, OpenQueue] = {}
        self._issued: dict[str, Presentation] = {}

    def open(self, settings: QueueSettings) -> QueueInfo:
        """Open a queue; see ``AnnotationService.open_queue``."""
        with self._store.read() as session:
            reviewers.get(session, settings.reviewer_id)
            if rubrics.get(session, settings.rubric_version_id).state is not RubricState.PUBLISHED:
                raise BadInput("Pairs are labelled under published rubric versions only.", "Publish the draft first.")
            opened = self._arranged(session, settings)
        with self._lock:
            self._queues[opened.uid] = opened
        return opened.info()

    def close(self, uid: str, keep: Collection[str] = ()) -> None:
        """Close a queue and forget its open presentations, except those in ``keep``."""
        with self._lock:
            self._queues.pop(uid, None)
            self._issued = {
                key: presentation
                for key, presentation in self._issued.items()
                if presentation.queue != uid or key in keep
            }

    def info(self, uid: str) -> QueueInfo:
        """Return the counts of a queue."""
        with self._lock, self._store.read() as session:
            opened = self._queue(uid)
            _hide_what_left(session, opened)
            return opened.info()

    def issue(self, uid: str, n: int) -> list[PresentationView]:
        """Issue the next ``n`` presentations; one that was open before an interruption comes back as it was."""
        with self._lock, self._store.read() as session:
            opened = self._queue(uid)
            _hide_what_left(session, opened)
            if isinstance(opened, BatchQueue):
                taken = {one.slot_id for one in self._issued.values() if one.slot_id and one.queue != uid}
                issued = next_slots(session, opened, n, taken, self._rng)
            else:
                issued = self._next_pairs(session, opened, n)
            for presentation in issued:
                self._issued[presentation.uid] = presentation
                opened.issued.add(presentation.slot_id or presentation.pair_id)
                opened.cursor = presentation.position
            return self.views(session, issued, opened.total)

    def _next_pairs(self, session: Session, opened: OpenQueue, n: int) -> list[Presentation]:
        picked = self._pick(session, opened, n)
        shown = self._sides_shown(session, opened, [pair_id for _, pair_id in picked])
        fresh = [self._presentation(opened, index, pair_id, shown) for index, pair_id in picked]
        if not fresh:
            return []
        begun = judgements.open_presentations(session, fresh[0], [s.pair_id for s in fresh])
        return [_resumed(begun.get(s.pair_id), s) for s in fresh]

    def reissue(self, step: undo_steps.UndoEntry) -> PresentationView:
        """Issue a new presentation of an undone step's pair: same sides, the former answer filled in."""
        again = undo_steps.reopened(step.presentation, self._store.write_context())
        with self._lock:
            self._issued[again.uid] = again
            self.update(again, done=False, skipped=False)
            opened = self._queues.get(again.queue)
            if opened is not None:
                opened.issued.update(opened.keys_of(again))
            total = opened.total if opened else 0
        with self._store.read() as session:
            return self.views(session, [again], total, step.answer)[0]

    def find(self, presentation_uid: str) -> Presentation:
        """Return a presentation that was issued or stored.

        Raises:
            NotFound: when there is neither.
        """
        with self._lock:
            presentation = self._issued.get(presentation_uid)
        if presentation is not None:
            return presentation
        with self._store.read() as session:
            stored = judgements.find_presentation(session, presentation_uid)
        if stored is None:
            raise NotFound("This presentation does not exist any more; nothing was saved.", "Open the queue again.")
        return stored

    def close_presentation(self, presentation_uid: str) -> None:
        """Forget an issued presentation that was answered or skipped."""
        with self._lock:
            self._issued.pop(presentation_uid, None)

    def update(self, presentation: Presentation, *, done: bool | None, skipped: bool) -> None:
        """Mark a pair in every open queue of its reviewer; ``done`` None keeps what the queue knows."""
        with self._lock:
            for opened in self._queues.values():
                own = opened.settings.reviewer_id == presentation.reviewer_id
                if own and presentation.rubric_version_id in opened.accepted:
                    for key in opened.keys_of(presentation):
                        opened.mark(key, done=done, skipped=skipped)

    def with_texts(self, one: UnsavedDraft) -> UnsavedDraft:
        """Return a draft with its texts, as far as the file that is held open can still be read."""
        try:
            with self._store.read() as session:
                (view,) = self.views(session, [one.presentation], 0)
                return replace(
                    one,
                    behind=drafts.behind(session, one.presentation),
                    reviewer=reviewers.get(session, one.presentation.reviewer_id).name,
                    prompt="\n\n".join(turn.content for turn in view.prompt.messages),
                    left=view.left,
                    right=view.right,
                )
        except (UserError, KeyError):
            return one

    def views(
        self, session: Session, presentations: list[Presentation], total: int, answer: JudgementDraft | None = None
    ) -> list[PresentationView]:
        """Return presentations with their texts by screen side, and the draft of each, if any."""
        texts = queue.texts(session, [s.pair_id for s in presentations])
        kept = drafts.load_many(session, [s.uid for s in presentations])
        changed = _changed(session, presentations, told=answer is not None)
        found = []
        for s in presentations:
            text = texts[s.pair_id]
            left, right = (text.a, text.b) if s.left_is == "A" else (text.b, text.a)
            draft = json.loads(kept[s.uid]) if s.uid in kept else None
            found.append(
                PresentationView(
                    s.uid,
                    s.pair_id,
                    text.prompt,
                    left,
                    right,
                    s.left_is,
                    s.position,
                    total,
                    Task.LABEL if s.slot_id and s.task in (Task.GOLD, Task.RETEST) else s.task,
                    s.rubric_version_id,
                    draft,
                    answer,
                    changed.get(s.pair_id),
                )
            )
        return found

    def _arranged(self, session: Session, settings: QueueSettings) -> OpenQueue:
        accepted = rubrics.compatible_ids(session, settings.rubric_version_id)
        if settings.batch:
            return open_batch(session, settings, accepted, now_ms())
        tasks = judgements.alike(settings.task)
        done = queue.labelled_by(session, settings.reviewer_id, accepted, tasks)
        if settings.task is Task.LABEL:
            done |= stale_labels.pairs_of(session, settings.reviewer_id, settings.rubric_version_id)[1]
        sealed, newest = queue.sealed_pair_ids(session) - done, datasets.newest_id(session)
        now = now_ms()
        withdrawn = withdrawn_pairs(session, now) - done - sealed
        everything = self._candidates(session, settings, accepted)
        if away := bundles.pairs_on_desks(session, settings.reviewer_id, accepted) - done:
            everything = [i for i in everything if i not in away]
        offered = [i for i in everything if i not in sealed] if sealed else everything
        candidates = [i for i in offered if i not in withdrawn] if withdrawn else offered
        others: dict[int, int] = {}
        if settings.labels_per_pair and settings.task in (Task.LABEL, Task.RELABEL):
            others = queue.labels_by_others(session, settings.reviewer_id, accepted)
        shas = queue.pair_hashes(session, others) if settings.overlap_share else {}
        ids = arrange(candidates, settings, done, others, shas)
        skipped = set()
        if not settings.revisit_skipped:
            skipped = queue.skipped_by(session, settings.reviewer_id, settings.rubric_version_id, tasks) - done
        members = frozenset(ids)
        return OpenQueue(
            *(new_uid(), settings, ids, members, accepted, done & members, skipped & members),
            left_out=len(everything) - len(offered),
            newest_dataset=newest,
            left_without_consent=len(offered) - len(candidates),
            consent=consent_mark(session, now),
            clarified=earlier_labels.clarification(session, settings.reviewer_id, settings.rubric_version_id),
        )

    def _candidates(self, session: Session, settings: QueueSettings, accepted: Sequence[int]) -> Sequence[int]:
        """Return the pairs that the queue's task and filter are about, in the order of import."""
        if settings.vote_round:
            return votes.pair_ids(session, settings.vote_round)
        found, apart = self._labelled_or_open(session, settings, accepted), votes.all_pair_ids(session)
        return [i for i in found if i not in apart] if apart else found

    def _labelled_or_open(self, session: Session, settings: QueueSettings, accepted: Sequence[int]) -> Sequence[int]:
        wanted = settings.filter
        match settings.task:
            case Task.RELABEL:
                stale, _ = stale_labels.pairs_of(session, settings.reviewer_id, settings.rubric_version_id)
                found = sorted(stale)
            case Task.RETEST:
                found = sorted(queue.labelled_by(session, settings.reviewer_id, accepted))
            case Task.ADJUDICATE:
                found = conflicts.to_decide(session, settings.reviewer_id, accepted)
            case Task.GOLD:
                found = queue.adjudicated_by_others(session, settings.reviewer_id, accepted)
                apart = adjudications.not_gold(session, accepted)
                found = [key for key in found if key not in apart]
            case _:
                return queue.all_pair_ids(session) if wanted is None else pairs.ids(session, wanted)
        if wanted is not None:
            allowed = set(pairs.ids(session, wanted))
            found = [i for i in found if i in allowed]
        return found

    def _pick(self, session: Session, opened: OpenQueue, n: int) -> list[tuple[int, int]]:
        """Return the next ``n`` (index, pair id) that are still wanted, after asking the database."""
        picked: list[tuple[int, int]] = []
        tasks = judgements.alike(opened.settings.task)
        for batch in opened.waiting():
            on = queue.labels_on(session, [pair_id for _, pair_id in batch], opened.accepted, tasks)
            shas = queue.pair_hashes(session, on) if opened.settings.labels_per_pair else {}
            for index, pair_id in batch:
                reviewers_on = on.get(pair_id, set())
                if opened.settings.reviewer_id in reviewers_on:
                    opened.done.add(pair_id)
                    continue
                limit = 1 if opened.settings.task is Task.ADJUDICATE else opened.wanted_by_others(shas.get(pair_id, ""))
                if limit and len(reviewers_on) >= limit:
                    continue
                picked.append((index, pair_id))
                if len(picked) == n:
                    return picked
        return picked

    def _sides_shown(self, session: Session, opened: OpenQueue, pair_ids: Sequence[int]) -> dict[int, int]:
        """Return for pairs of a round of votes how much more often A stood left; other pairs are drawn freely."""
        return votes.sides_shown(session, pair_ids, opened.accepted) if opened.settings.vote_round else {}

    def _presentation(self, opened: OpenQueue, index: int, pair_id: int, shown: Mapping[int, int]) -> Presentation:
        settings = opened.settings
        return Presentation(
            new_uid(),
            pair_id,
            settings.reviewer_id,
            settings.rubric_version_id,
            settings.task,
            self._draw_left_side(shown.get(pair_id, 0)),
            opened.uid,
            index + 1,
        )

    def _draw_left_side(self, a_ahead: int) -> Side:
        """Return which answer, A or B, is shown on the left: the one that stood there less often, else by a draw."""
        drawn: Side = "A" if self._rng.random() < 0.5 else "B"
        return drawn if not a_ahead else "B" if a_ahead > 0 else "A"

    def _queue(self, uid: str) -> OpenQueue:
        opened = self._queues.get(uid)
        if opened is None:
            raise NotFound("This queue is closed.", "Open it again.")
        return opened


def _hide_what_left(session: Session, opened: OpenQueue) -> None:
    """Hide what was sealed since the queue was opened, and what lost its consent. Almost always two lookups."""
    if (newest := datasets.newest_id(session)) != opened.newest_dataset:
        opened.seal(queue.sealed_pair_ids(session), newest)
    if not opened.consent.holds(session, now := now_ms()):
        opened.withdraw(withdrawn_pairs(session, now), consent_mark(session, now))


def _changed(session: Session, presentations: Sequence[Presentation], *, told: bool) -> dict[int, ChangedSince]:
    """Return pair -> what changed since the reviewer's earlier label; all are of one reviewer and version."""
    of = [one for one in presentations if one.task.value in judgements.LABEL_TASKS]
    if not of:
        return {}
    pairs_of = [one.pair_id for one in of]
    return earlier_labels.changed_since(session, of[0].reviewer_id, of[0].rubric_version_id, pairs_of, told=told)


def _resumed(begun: Presentation | None, fresh: Presentation) -> Presentation:
    return fresh if begun is None else replace(begun, queue=fresh.queue, position=fresh.position)

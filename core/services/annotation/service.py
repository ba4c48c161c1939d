"""Labelling: queues, showings, commits, undo and redo.

A commit returns only after the database has committed. Left and right are drawn anew for each showing and stored
with it; a showing can be committed once. Everything that was acknowledged, the undo stack included, is there
after a restart.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Collection
from datetime import datetime
from typing import Any

from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput
from core.domain.ids import canonical_json
from core.domain.judgement import Judgement, JudgementDraft
from core.services.annotation.queue_manager import QueueManager
from core.services.annotation.views import (
    PresentationView,
    QueueInfo,
    QueueProgress,
    QueueSettings,
    UndoStep,
    step_label,
)
from core.store import drafts, events, judgement_views, judgements, queue, rubrics, undo_steps
from core.store.judgements import Presentation
from core.store.sqlite.database import Session, Store
from core.store.sqlite.writer import Priority

_LABELS = Changes.JUDGEMENTS | Changes.PAIRS


class AnnotationService:
    """The labelling desk of one workspace. Thread-safe; one service serves any number of queues."""

    def __init__(self, store: Store, rng: random.Random | None = None) -> None:
        """Args: store: of the open workspace. rng: draws the sides; the system's randomness unless a test gives one."""
        self._store = store
        self._desk = QueueManager(store, rng or random.SystemRandom())
        self._clauses: dict[int, frozenset[str]] = {}

    def open_queue(self, settings: QueueSettings) -> QueueInfo:
        """Open a queue for one reviewer under one published rubric version.

        Raises:
            BadInput: the version is a draft. NotFound: reviewer or version does not exist.
        """
        return self._desk.open(settings)

    def close_queue(self, queue_uid: str | QueueInfo, keep: Collection[str] = ()) -> None:
        """Forget a queue and what it handed out but the showings of ``keep``; nothing stored is lost."""
        self._desk.close(_uid(queue_uid), keep)

    def next(self, queue_uid: str | QueueInfo, n: int = 1) -> list[PresentationView]:
        """Hand out the next ``n`` showings, fewer at the end; call it ahead of time, so that no one waits.

        A showing that was begun before an interruption comes back as it was, sides and draft included.
        Nothing is stored until :meth:`shown`, a draft, a skip or a commit.
        """
        return self._desk.hand_out(_uid(queue_uid), n)

    def shown(self, presentation_uid: str) -> None:
        """Note that a showing is on the screen; stored in the background, so that sides survive a crash."""
        shown, context = self._desk.find(presentation_uid), self._store.write_context()
        self._store.submit(
            lambda session: judgements.present(session, shown, context), "noting a showing", Priority.LABEL
        )

    def commit(self, presentation_uid: str, draft: JudgementDraft) -> Outcome[Judgement]:
        """Store a judgement; returns after COMMIT.

        Committing the same showing again changes nothing and returns what was stored first.

        Args:
            presentation_uid: the showing that is answered.
            draft: the answer in canonical sides (see ``core.domain.judgement.from_screen``).

        Raises:
            UserError: nothing was stored, and why.
        """
        shown, context = self._desk.find(presentation_uid), self._store.write_context()

        def job(session: Session) -> tuple[Judgement, bool, str]:
            presentation_id = judgements.present(session, shown, context)
            if (stored := judgements.first_of(session, presentation_id)) is not None:
                return judgement_views.get(session, stored), False, ""
            self._check_clauses(session, shown.rubric_version_id, draft)
            tip = judgements.tip(session, shown, presentation_id)
            kind = "amend" if tip is not None and tip.draft is not None else "label"
            key = judgements.append(
                session,
                presentation_id,
                draft,
                op="amend" if kind == "amend" else "commit",
                revision=0,
                supersedes=tip.id if tip else None,
                context=context,
                presentation=shown,
            )
            label = step_label(kind, shown.pair_id, draft, shown.left_is)
            undo_steps.push(session, shown.reviewer_id, kind, label, presentation_id, key, context)
            drafts.remove(session, presentation_id)
            self._log(session, context, "label.commit", label, shown)
            return judgement_views.get(session, key), True, label

        judgement, new, label = self._store.write(job, "saving the label", Priority.LABEL)
        self._desk.take_in(presentation_uid)
        self._desk.mark(shown, done=True, skipped=False)
        return Outcome(judgement, _LABELS if new else Changes.NOTHING, label)

    def amend(self, judgement_id: int, draft: JudgementDraft) -> Outcome[Judgement]:
        """Replace a label that counts by another answer; the old one stays in the history and in frozen datasets.

        Raises:
            BadInput: the judgement no longer counts, the answer is the same, or it names criteria of another version.
        """
        context = self._store.write_context()

        def job(session: Session) -> tuple[Judgement, str]:
            entry = judgements.entry(session, judgement_id)
            shown = judgements.get_presentation(session, entry.presentation_id)
            tip = judgements.tip(session, shown, entry.presentation_id)
            if tip is None or tip.id != judgement_id or entry.draft is None:
                raise BadInput("This judgement was replaced or taken back meanwhile.", "Look at the newest one.")
            if entry.draft == draft:
                raise BadInput("The answer is the same as before; there is nothing to amend.")
            self._check_clauses(session, shown.rubric_version_id, draft)
            revision = judgements.next_revision(session, entry.presentation_id)
            key = judgements.append(
                session,
                entry.presentation_id,
                draft,
                op="amend",
                revision=revision,
                supersedes=judgement_id,
                context=context,
            )
            label = step_label("amend", shown.pair_id, draft, shown.left_is)
            undo_steps.push(session, shown.reviewer_id, "amend", label, entry.presentation_id, key, context)
            self._log(session, context, "label.amend", label, shown)
            return judgement_views.get(session, key), label

        judgement, label = self._store.write(job, "saving the amended label", Priority.LABEL)
        return Outcome(judgement, _LABELS, label)

    def skip(self, presentation_uid: str, reason: str = "") -> Outcome[None]:
        """Put a showing aside; the pair is offered again by a queue opened with ``revisit_skipped``."""
        shown, context = self._desk.find(presentation_uid), self._store.write_context()
        label = step_label("skip", shown.pair_id, None, shown.left_is)

        def job(session: Session) -> bool:
            presentation_id = judgements.present(session, shown, context)
            if judgements.first_of(session, presentation_id) is not None:
                return False
            new = queue.store_skip(session, shown, presentation_id, reason, context.at_ms)
            if new:
                undo_steps.push(session, shown.reviewer_id, "skip", label, presentation_id, None, context)
                self._log(session, context, "label.skip", label, shown)
            return new

        new = self._store.write(job, "putting a pair aside", Priority.LABEL)
        self._desk.take_in(presentation_uid)
        self._desk.mark(shown, done=None, skipped=True)
        return Outcome(None, Changes.JUDGEMENTS if new else Changes.NOTHING, label if new else "")

    def undo(self, reviewer_id: int) -> Outcome[UndoStep | None]:
        """Take a reviewer's last step back; the value is None when there is none.

        Raises:
            ImmutableError: a frozen dataset version stands on the label.
        """
        context = self._store.write_context()

        def job(session: Session) -> undo_steps.UndoEntry | None:
            step = undo_steps.undo(session, reviewer_id, context)
            if step is not None:
                self._log(session, context, "label.undo", f"Undid: {step.label}", step.presentation)
            return step

        step = self._store.write(job, "undoing", Priority.LABEL)
        if step is None:
            return Outcome(None)
        presented = None if step.kind == "amend" else self._desk.hand_back(step)
        value = UndoStep(step.label, step.kind, step.presentation.pair_id, presented, step.judgement_id)
        return Outcome(value, _LABELS, step.label)

    def redo(self, reviewer_id: int) -> Outcome[UndoStep | None]:
        """Do the step again that was undone last; the value is None when there is none."""
        context = self._store.write_context()

        def job(session: Session) -> undo_steps.UndoEntry | None:
            step = undo_steps.redo(session, reviewer_id, context)
            if step is not None:
                self._log(session, context, "label.redo", f"Redid: {step.label}", step.presentation)
            return step

        step = self._store.write(job, "redoing", Priority.LABEL)
        if step is None:
            return Outcome(None)
        self._desk.mark(step.presentation, done=step.kind != "skip" or None, skipped=step.kind == "skip")
        return Outcome(
            UndoStep(step.label, step.kind, step.presentation.pair_id, None, step.judgement_id), _LABELS, step.label
        )

    def undo_label(self, reviewer_id: int) -> str:
        """Return the name of the step that undo would take back, or ''."""
        with self._store.read() as session:
            step = undo_steps.next_undo(session, reviewer_id)
        return step.label if step else ""

    def redo_label(self, reviewer_id: int) -> str:
        """Return the name of the step that redo would do again, or ''."""
        with self._store.read() as session:
            step = undo_steps.next_redo(session, reviewer_id)
        return step.label if step else ""

    def recent(self, reviewer_id: int, limit: int = 10) -> list[Judgement]:
        """Return a reviewer's newest labels that count, newest first."""
        with self._store.read() as session:
            return judgement_views.recent(session, reviewer_id, limit)

    def look_again(self, judgement_id: int) -> PresentationView:
        """Return the showing of an earlier judgement as it was, with its answer, to read or to amend."""
        with self._store.read() as session:
            entry = judgements.entry(session, judgement_id)
            shown = judgements.get_presentation(session, entry.presentation_id)
            return self._desk.presented(session, [shown], 0, entry.draft)[0]

    def progress(self, queue_uid: str | QueueInfo) -> QueueProgress:
        """Return where the queue's reviewer stands."""
        midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        info = self._desk.info(_uid(queue_uid))
        reviewer_id = info.settings.reviewer_id
        with self._store.read() as session:
            today = judgement_views.committed_since(session, reviewer_id, int(midnight.timestamp() * 1000))
            seconds = judgement_views.recent_seconds(session, reviewer_id, 20)
        median = statistics.median(seconds) if seconds else None
        return QueueProgress(info.done, info.total, info.skipped, today, median)

    def labelled_pairs(self, reviewer_id: int | None = None, rubric_version_id: int | None = None) -> int:
        """Count labelled pairs: of a reviewer under a version (or one that means the same), else of all people.

        Labels that were imported or scripted are not counted: nobody here has read those pairs.
        """
        with self._store.read() as session:
            if reviewer_id is None or rubric_version_id is None:
                return queue.count_labelled_by_people(session)
            return queue.count_labelled_by(session, reviewer_id, rubrics.compatible_ids(session, rubric_version_id))

    def save_draft(self, presentation_uid: str, body: dict[str, Any]) -> None:
        """Keep what a reviewer has filled in so far, plain JSON values; replaces the draft before."""
        shown, context, text = self._desk.find(presentation_uid), self._store.write_context(), canonical_json(body)

        def job(session: Session) -> None:
            presentation_id = judgements.present(session, shown, context)
            if judgements.first_of(session, presentation_id) is None:
                drafts.save(session, presentation_id, text, context.at_ms)

        self._store.write(job, "keeping a draft", Priority.LABEL)

    def bookmark(self, reviewer_id: int, pair_id: int, on: bool = True, note: str = "") -> Outcome[None]:
        """Mark a pair to come back to, or take the mark away."""
        context = self._store.write_context()
        self._store.write(
            lambda session: drafts.bookmark(session, reviewer_id, pair_id, on, note, context.at_ms),
            "setting a bookmark",
        )
        return Outcome(None, Changes.PAIRS)

    def bookmarks(self, reviewer_id: int) -> list[tuple[int, str]]:
        """Return (pair id, note) of a reviewer's bookmarks, newest first."""
        with self._store.read() as session:
            return [(pair_id, note) for pair_id, note, _ in queue.bookmarks(session, reviewer_id)]

    def _check_clauses(self, session: Session, version_id: int, draft: JudgementDraft) -> None:
        """Refuse an answer to a clause that its rubric version does not have; published versions never change."""
        if not draft.criteria:
            return
        if version_id not in self._clauses:
            self._clauses[version_id] = frozenset(c.id for c in rubrics.get(session, version_id).body.criteria)
        if unknown := draft.criteria.keys() - self._clauses[version_id]:
            raise BadInput(
                f"The answer is about criteria that its rubric version does not have: {', '.join(sorted(unknown))}.",
                "Nothing was saved; open the pair again.",
            )

    def _log(
        self, session: Session, context: judgements.WriteContext, op: str, summary: str, shown: Presentation
    ) -> None:
        events.log(
            session, context, op, summary, reviewer_id=shown.reviewer_id, subject="pair", subject_id=shown.pair_id
        )


def _uid(queue_uid: str | QueueInfo) -> str:
    return queue_uid if isinstance(queue_uid, str) else queue_uid.uid

"""Labelling: queues, presentations, commits, undo and redo.

A commit returns only after the database has committed. Left and right are drawn for each presentation and stored
with it; a presentation can be committed once. Everything that was acknowledged survives a restart, the undo stack
included.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial

from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput, UserError, WorkspaceReplaced
from core.domain.ids import canonical_json
from core.domain.judgement import Judgement, JudgementDraft
from core.services.annotation.presentations import QueueManager
from core.services.annotation.views import (
    PresentationView,
    QueueInfo,
    QueueProgress,
    QueueSettings,
    UndoStep,
    UnsavedDraft,
    step_label,
)
from core.store import drafts, events, judgement_views, judgements, queue, rubrics, undo_steps
from core.store.judgements import Presentation
from core.store.sqlite.database import Session, Store
from core.store.sqlite.errors import ConstraintError
from core.store.sqlite.writer import Priority

_LABELS = Changes.JUDGEMENTS | Changes.PAIRS
Show = Callable[[Session, judgements.WriteContext], Presentation]
_Apply = Callable[[Session, int, judgements.WriteContext], undo_steps.UndoEntry | None]


class AnnotationService:
    """Labels the pairs of one workspace. Thread-safe; one service serves any number of queues."""

    def __init__(self, store: Store, rng: random.Random | None = None) -> None:
        """Args: store: of the open workspace. rng: draws the sides; the operating system's randomness when None."""
        self._store = store
        self._queues = QueueManager(store, rng or random.SystemRandom())
        self._clauses: dict[int, frozenset[str]] = {}
        self._unsaved: dict[str, UnsavedDraft] = {}

    def open_queue(self, settings: QueueSettings) -> QueueInfo:
        """Open a queue for one reviewer under one published rubric version.

        Raises:
            BadInput: the version is a draft.
            NotFound: the reviewer or the version does not exist.
        """
        return self._queues.open(settings)

    def close_queue(self, queue_uid: str | QueueInfo, keep: Collection[str] = ()) -> None:
        """Close a queue and forget its open presentations, except those in ``keep``; nothing stored is lost."""
        self._queues.close(_uid(queue_uid), keep)

    def next(self, queue_uid: str | QueueInfo, n: int = 1) -> list[PresentationView]:
        """Return the next ``n`` presentations, fewer at the end of the queue; call it ahead of time to avoid a wait.

        A presentation that was open before an interruption comes back with its sides and its draft. Nothing is stored
        until :meth:`mark_presented`, a draft, a skip or a commit.
        """
        return self._queues.issue(_uid(queue_uid), n)

    def mark_presented(self, presentation_uid: str) -> None:
        """Store in the background that a presentation is on the screen, so that its sides survive a crash."""
        presentation, context = self._queues.find(presentation_uid), self._store.write_context()
        self._store.submit(
            lambda session: judgements.present(session, presentation, context), "storing a presentation", Priority.LABEL
        )

    def commit(self, presentation_uid: str, draft: JudgementDraft) -> Outcome[Judgement]:
        """Store a judgement; returns after COMMIT.

        A second commit of the same presentation changes nothing and returns what was stored first.

        Args:
            presentation_uid: the presentation that is answered.
            draft: the answer in canonical sides (see ``core.domain.judgement.from_screen``).

        Raises:
            UserError: nothing was stored; the message says why.
        """
        presentation = self._queues.find(presentation_uid)
        outcome = self.commit_shown(lambda _session, _context: presentation, draft)
        self._queues.close_presentation(presentation_uid)
        return outcome

    def commit_shown(self, show: Show, draft: JudgementDraft) -> Outcome[Judgement]:
        """Do what :meth:`commit` does for a pair that was shown outside a queue.

        ``show`` stores what is missing of the pair, in the transaction of the judgement, and returns the presentation.
        """
        context = self._store.write_context()

        def job(session: Session) -> tuple[Judgement, bool, str, Presentation]:
            presentation = show(session, context)
            presentation_id = judgements.present(session, presentation, context)
            if (stored := judgements.first_of(session, presentation_id)) is not None:
                return judgement_views.get(session, stored), False, "", presentation
            self._check_clauses(session, presentation.rubric_version_id, draft)
            tip = judgements.tip(session, presentation, presentation_id)
            kind = "amend" if tip is not None and tip.draft is not None else "label"
            key = judgements.append(
                session,
                presentation_id,
                draft,
                op="amend" if kind == "amend" else "commit",
                revision=0,
                supersedes=tip.id if tip else None,
                context=context,
                presentation=presentation,
            )
            label = step_label(kind, presentation.pair_id, draft, presentation.left_is)
            undo_steps.push(session, presentation.reviewer_id, kind, label, presentation_id, key, context)
            drafts.remove(session, presentation_id)
            self._log(session, context, "label.commit", label, presentation)
            return judgement_views.get(session, key), True, label, presentation

        judgement, new, label, presentation = self._store.write(job, "saving the label", Priority.LABEL)
        self._queues.update(presentation, done=True, skipped=False)
        return Outcome(judgement, _LABELS if new else Changes.NOTHING, label)

    def amend(self, judgement_id: int, draft: JudgementDraft) -> Outcome[Judgement]:
        """Replace a current label by another answer; the old one stays in the history and in frozen dataset versions.

        Raises:
            BadInput: the judgement no longer counts, the answer is the same, or it names criteria of another version.
        """
        context = self._store.write_context()

        def job(session: Session) -> tuple[Judgement, str]:
            entry = judgements.entry(session, judgement_id)
            presentation = judgements.get_presentation(session, entry.presentation_id)
            tip = judgements.tip(session, presentation, entry.presentation_id)
            if tip is None or tip.id != judgement_id or entry.draft is None:
                raise BadInput("This judgement was replaced or taken back meanwhile.", "Open the newest one.")
            if entry.draft == draft:
                raise BadInput("The answer is the same as before; there is nothing to amend.")
            self._check_clauses(session, presentation.rubric_version_id, draft)
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
            label = step_label("amend", presentation.pair_id, draft, presentation.left_is)
            undo_steps.push(session, presentation.reviewer_id, "amend", label, entry.presentation_id, key, context)
            self._log(session, context, "label.amend", label, presentation)
            return judgement_views.get(session, key), label

        judgement, label = self._store.write(job, "saving the amended label", Priority.LABEL)
        return Outcome(judgement, _LABELS, label)

    def skip(self, presentation_uid: str, reason: str = "") -> Outcome[None]:
        """Skip a presentation; a queue opened with ``revisit_skipped`` offers the pair again."""
        presentation, context = self._queues.find(presentation_uid), self._store.write_context()
        label = step_label("skip", presentation.pair_id, None, presentation.left_is)

        def job(session: Session) -> bool:
            presentation_id = judgements.present(session, presentation, context)
            if judgements.first_of(session, presentation_id) is not None:
                return False
            new = queue.store_skip(session, presentation, presentation_id, reason, context.at_ms)
            if new:
                undo_steps.push(session, presentation.reviewer_id, "skip", label, presentation_id, None, context)
                self._log(session, context, "label.skip", label, presentation)
            return new

        new = self._store.write(job, "skipping a pair", Priority.LABEL)
        self._queues.close_presentation(presentation_uid)
        self._queues.update(presentation, done=None, skipped=True)
        return Outcome(None, Changes.JUDGEMENTS if new else Changes.NOTHING, label if new else "")

    def undo(self, reviewer_id: int) -> Outcome[UndoStep | None]:
        """Undo a reviewer's last step; the value is None when there is none.

        Raises:
            ImmutableError: a frozen dataset version contains the label.
        """
        step = self._step(reviewer_id, undo_steps.undo, "label.undo", "Undone")
        if step is None:
            return Outcome(None)
        reissued = None if step.kind == "amend" else self._queues.reissue(step)
        value = UndoStep(step.label, step.kind, step.presentation.pair_id, reissued, step.judgement_id)
        return Outcome(value, _LABELS, step.label)

    def redo(self, reviewer_id: int) -> Outcome[UndoStep | None]:
        """Redo the step that was undone last; the value is None when there is none."""
        step = self._step(reviewer_id, undo_steps.redo, "label.redo", "Redone")
        if step is None:
            return Outcome(None)
        self._queues.update(step.presentation, done=step.kind != "skip" or None, skipped=step.kind == "skip")
        value = UndoStep(step.label, step.kind, step.presentation.pair_id, None, step.judgement_id)
        return Outcome(value, _LABELS, step.label)

    def _step(self, reviewer_id: int, apply: _Apply, op: str, verb: str) -> undo_steps.UndoEntry | None:
        """Undo or redo the reviewer's next step in one transaction with its log entry."""
        context = self._store.write_context()

        def job(session: Session) -> undo_steps.UndoEntry | None:
            step = apply(session, reviewer_id, context)
            if step is not None:
                self._log(session, context, op, f"{verb}: {step.label}", step.presentation)
            return step

        return self._store.write(job, "undoing" if op == "label.undo" else "redoing", Priority.LABEL)

    def undo_label(self, reviewer_id: int) -> str:
        """Return the name of the step that :meth:`undo` would undo, or ""."""
        with self._store.read() as session:
            step = undo_steps.next_undo(session, reviewer_id)
        return step.label if step else ""

    def redo_label(self, reviewer_id: int) -> str:
        """Return the name of the step that :meth:`redo` would redo, or ""."""
        with self._store.read() as session:
            step = undo_steps.next_redo(session, reviewer_id)
        return step.label if step else ""

    def recent(self, reviewer_id: int, limit: int = 10) -> list[Judgement]:
        """Return a reviewer's current labels, newest first."""
        with self._store.read() as session:
            return judgement_views.recent(session, reviewer_id, limit)

    def presentation_of(self, judgement_id: int) -> PresentationView:
        """Return the presentation of an earlier judgement with its sides and its answer, to read or to amend."""
        with self._store.read() as session:
            entry = judgements.entry(session, judgement_id)
            presentation = judgements.get_presentation(session, entry.presentation_id)
            return self._queues.views(session, [presentation], 0, entry.draft)[0]

    def progress(self, queue_uid: str | QueueInfo) -> QueueProgress:
        """Return how far the queue's reviewer is."""
        info = self._queues.info(_uid(queue_uid))
        reviewer_id = info.settings.reviewer_id
        with self._store.read() as session:
            today = judgement_views.committed_since(session, reviewer_id, _midnight_ms())
            seconds = judgement_views.recent_seconds(session, reviewer_id, 20)
        median = statistics.median(seconds) if seconds else None
        return QueueProgress(info.done, info.total, info.skipped, today, median, info.sealed, info.withdrawn)

    def labelled_pairs(self, reviewer_id: int | None = None, rubric_version_id: int | None = None) -> int:
        """Count labelled pairs: of a reviewer under a version or one of the same major number, else of all people.

        Imported and scripted labels are not counted.
        """
        with self._store.read() as session:
            if reviewer_id is None or rubric_version_id is None:
                return queue.count_labelled_by_people(session)
            return queue.count_labelled_by(session, reviewer_id, rubrics.compatible_ids(session, rubric_version_id))

    def save_draft(self, presentation_uid: str, body: Mapping[str, object]) -> None:
        """Store what a reviewer has filled in so far, as JSON values; it replaces the earlier draft."""
        presentation, context = self._queues.find(presentation_uid), self._store.write_context()
        text = canonical_json(dict(body))

        def job(session: Session) -> None:
            presentation_id = judgements.present(session, presentation, context)
            if judgements.first_of(session, presentation_id) is None:
                drafts.save(session, presentation_id, text, context.at_ms)

        try:
            self._store.write(job, "saving a draft", Priority.LABEL)
        except WorkspaceReplaced:
            self._unsaved[presentation_uid] = UnsavedDraft(presentation, dict(body))
            raise
        self._unsaved.pop(presentation_uid, None)

    def unsaved_drafts(self) -> list[UnsavedDraft]:
        """Return the drafts that could not be stored because the workspace file had lost its name.

        They come with their texts, as far as the file that is held open can still be read.
        """
        return [self._queues.with_texts(one) for one in self._unsaved.values()]

    def adopt_drafts(self, unsaved: Collection[UnsavedDraft]) -> list[UnsavedDraft]:
        """Store the drafts of an earlier opening; return those whose pair, reviewer or rubric this file does not know.

        A pair of the same number is not enough: another copy may hold another pair under it.
        """
        context, refused = self._store.write_context(), []

        def job(session: Session, one: UnsavedDraft) -> None:
            if not one.behind or drafts.behind(session, one.presentation) != one.behind:
                raise BadInput(f"Pair {one.presentation.pair_id} is not the one that was filled in.")
            presentation_id = judgements.present(session, one.presentation, context)
            if judgements.first_of(session, presentation_id) is None:
                drafts.save(session, presentation_id, canonical_json(one.body), context.at_ms)

        for one in unsaved:
            try:
                self._store.write(partial(job, one=one), "saving a draft", Priority.LABEL)
            except (ConstraintError, UserError):
                refused.append(one)
        return refused

    def bookmark(self, reviewer_id: int, pair_id: int, on: bool = True, note: str = "") -> Outcome[None]:
        """Set a reviewer's bookmark on a pair, or remove it."""
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
        """Refuse criteria that the rubric version, which is read once, does not have."""
        if not draft.criteria:
            return
        if version_id not in self._clauses:
            self._clauses[version_id] = frozenset(c.id for c in rubrics.get(session, version_id).body.criteria)
        if unknown := draft.criteria.keys() - self._clauses[version_id]:
            raise BadInput(
                f"The answer is about criteria that its rubric version does not have: {', '.join(sorted(unknown))}.",
                "Nothing was saved. Open the pair again.",
            )

    def _log(
        self, session: Session, context: judgements.WriteContext, op: str, summary: str, presentation: Presentation
    ) -> None:
        who, pair = presentation.reviewer_id, presentation.pair_id
        events.log(session, context, op, summary, reviewer_id=who, subject="pair", subject_id=pair)


def _midnight_ms() -> int:
    """Return the last local midnight in milliseconds since 1970."""
    year, month, day, *_ = time.localtime()
    return int(time.mktime((year, month, day, 0, 0, 0, 0, 0, -1)) * 1000)


def _uid(queue_uid: str | QueueInfo) -> str:
    return queue_uid if isinstance(queue_uid, str) else queue_uid.uid

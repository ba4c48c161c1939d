"""Undo and redo of named steps: per reviewer, without limit, across restarts.

The log is never shortened: undoing a label appends a retraction, undoing an amendment appends the answer before
it, redoing appends the answer again. Each step row changes in the same transaction as the log.
A label in a frozen dataset version cannot be taken back; it can be amended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import update
from sqlmodel import Session, col, select

from core.domain.errors import ImmutableError
from core.domain.ids import new_uid
from core.domain.judgement import JudgementDraft
from core.store import judgements
from core.store.plain import insert_row, only_id
from core.store.sqlite.write_context import WriteContext
from core.store.tables import SkipRow, StepRow


@dataclass(frozen=True, slots=True)
class UndoEntry:
    """One named step.

    Attributes:
        label: what was done, in words: "Left much better on pair 412".
        kind: "label", "amend" or "skip".
        presentation: where it was done.
        answer: what the step had answered; None for a skip.
        judgement_id: the row that carries the answer; None for a skip.
    """

    id: int
    label: str
    kind: str
    presentation: judgements.Presentation
    answer: JudgementDraft | None
    judgement_id: int | None


def push(
    session: Session,
    reviewer_id: int,
    kind: str,
    label: str,
    presentation_id: int,
    judgement_id: int | None,
    context: WriteContext,
) -> None:
    """Remember a step that was just done; what had been undone before can no longer be redone."""
    drop = update(StepRow).where(col(StepRow.reviewer_id) == reviewer_id, col(StepRow.state) == "undone")
    session.connection().execute(drop.values(state="dropped"))
    insert_row(
        session,
        StepRow,
        reviewer_id=reviewer_id,
        kind=kind,
        label=label,
        state="done",
        presentation_id=presentation_id,
        judgement_id=judgement_id,
        at_ms=context.at_ms,
    )


def next_undo(session: Session, reviewer_id: int) -> UndoEntry | None:
    """Return the step that undo would take back, or None."""
    return _step(session, _undo_row(session, reviewer_id))


def next_redo(session: Session, reviewer_id: int) -> UndoEntry | None:
    """Return the step that redo would do again, or None."""
    return _step(session, _redo_row(session, reviewer_id))


def undo(session: Session, reviewer_id: int, context: WriteContext) -> UndoEntry | None:
    """Take the last step back; return it, or None when there is none.

    Raises:
        ImmutableError: a frozen dataset version stands on the label.
    """
    row = _undo_row(session, reviewer_id)
    step = _step(session, row)
    if row is None or step is None:
        return None
    if row.judgement_id is None:
        _set_skip(session, row.presentation_id, taken_back=1)
    else:
        _append_undo(session, row.presentation_id, row.judgement_id, step, context)
    row.state = "undone"
    session.add(row)
    session.flush()
    return step


def redo(session: Session, reviewer_id: int, context: WriteContext) -> UndoEntry | None:
    """Do the step again that was undone last; return it, or None when there is none."""
    row = _redo_row(session, reviewer_id)
    step = _step(session, row)
    if row is None or step is None:
        return None
    if row.judgement_id is None:
        _set_skip(session, row.presentation_id, taken_back=0)
    else:
        tip = judgements.tip(session, step.presentation, row.presentation_id)
        row.judgement_id = judgements.append(
            session,
            row.presentation_id,
            step.answer,
            op="redo",
            revision=judgements.next_revision(session, row.presentation_id),
            supersedes=tip.id if tip else None,
            context=context,
        )
    row.state = "done"
    session.add(row)
    session.flush()
    return replace(step, judgement_id=row.judgement_id)


def reopened(presentation: judgements.Presentation, context: WriteContext) -> judgements.Presentation:
    """Return a fresh presentation of the same pair with the same sides, for answering anew after an undo."""
    return replace(presentation, uid=new_uid(), shown_ms=context.at_ms)


def _append_undo(
    session: Session, presentation_id: int, judgement_id: int, step: UndoEntry, context: WriteContext
) -> None:
    tip = judgements.tip(session, step.presentation, presentation_id)
    assert tip is not None
    if title := judgements.frozen_in(session, (judgement_id, tip.id)):
        raise ImmutableError(
            f"{step.label} is part of {title}, which is frozen, so it is not taken back.",
            "Amend the label instead; the frozen version keeps the old one.",
        )
    before = None
    if step.kind == "amend":
        amended = judgements.entry(session, judgement_id)
        before = judgements.entry(session, amended.supersedes).draft if amended.supersedes else None
    judgements.append(
        session,
        presentation_id,
        before,
        op="undo",
        revision=judgements.next_revision(session, presentation_id),
        supersedes=tip.id,
        context=context,
    )


def _set_skip(session: Session, presentation_id: int, *, taken_back: int) -> None:
    change = update(SkipRow).where(col(SkipRow.presentation_id) == presentation_id)
    session.connection().execute(change.values(taken_back=taken_back))


def _undo_row(session: Session, reviewer_id: int) -> StepRow | None:
    query = select(StepRow).where(StepRow.reviewer_id == reviewer_id, StepRow.state == "done")
    return session.exec(query.order_by(col(StepRow.id).desc()).limit(1)).first()


def _redo_row(session: Session, reviewer_id: int) -> StepRow | None:
    query = select(StepRow).where(StepRow.reviewer_id == reviewer_id, StepRow.state == "undone")
    return session.exec(query.order_by(col(StepRow.id)).limit(1)).first()


def _step(session: Session, row: StepRow | None) -> UndoEntry | None:
    if row is None:
        return None
    answer = judgements.entry(session, row.judgement_id).draft if row.judgement_id is not None else None
    presentation = judgements.get_presentation(session, row.presentation_id)
    return UndoEntry(only_id(row), row.label, row.kind, presentation, answer, row.judgement_id)

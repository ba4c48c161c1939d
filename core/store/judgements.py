"""Presentations and the append-only judgement log.

A judgement answers one presentation. Rows of one reviewer on one pair under one rubric version form a chain:
each row supersedes the one before, and a "retract" row takes back the label before it. The last row of the chain
counts. A commit is revision 0 of its presentation; UNIQUE(presentation, revision) makes a second commit of the same
presentation impossible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.domain.errors import BadInput, NotFound
from core.domain.ids import canonical_json, new_uid
from core.domain.judgement import JudgementDraft, Task, Verdict, check_spans
from core.domain.pair import Side
from core.store import slot_links
from core.store.plain import insert_row, only_id, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import DatasetItemJudgementRow, DatasetRow, JudgementRow, PresentationRow

LABEL_TASKS = (Task.LABEL.value, Task.RELABEL.value, Task.IMPORTED.value)
"""Tasks that share one chain per reviewer and pair; gold and retest answers stay within their presentation."""


def alike(task: Task) -> tuple[str, ...]:
    """Return the tasks whose answers count as done for a queue of this task."""
    return LABEL_TASKS if task.value in LABEL_TASKS else (task.value,)


@dataclass(frozen=True, slots=True)
class Presentation:
    """One showing of one pair to one reviewer, before or after it is stored; ``slot_id`` names its slot in a batch."""

    uid: str
    pair_id: int
    reviewer_id: int
    rubric_version_id: int
    task: Task
    left_is: Side
    queue: str = ""
    position: int = 0
    shown_ms: int = 0
    slot_id: int | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of the judgement log. ``draft`` is what was answered, None for a retraction."""

    id: int
    presentation_id: int
    draft: JudgementDraft | None
    supersedes: int | None


def present(session: Session, presentation: Presentation, context: WriteContext) -> int:
    """Store a presentation unless it is stored already; return its id."""
    found = session.exec(select(PresentationRow.id).where(PresentationRow.uid == presentation.uid)).first()
    if found is not None:
        return found
    key = insert_row(
        session,
        PresentationRow,
        uid=presentation.uid,
        pair_id=presentation.pair_id,
        reviewer_id=presentation.reviewer_id,
        rubric_version_id=presentation.rubric_version_id,
        task=presentation.task.value,
        left_is=presentation.left_is,
        queue=presentation.queue,
        position=presentation.position,
        shown_ms=presentation.shown_ms or context.at_ms,
        mono_ms=context.mono_ms,
        session=context.session,
    )
    if presentation.slot_id is not None:
        slot_links.link(session, presentation.slot_id, key, presentation.reviewer_id, context)
    return key


def find_presentation(session: Session, uid: str) -> Presentation | None:
    """Return a stored presentation, or None."""
    row = session.exec(select(PresentationRow).where(PresentationRow.uid == uid)).first()
    return None if row is None else _with_slot(session, row)


def get_presentation(session: Session, presentation_id: int) -> Presentation:
    """Return the stored presentation of this id."""
    row = session.get(PresentationRow, presentation_id)
    if row is None:
        raise NotFound(f"There is no presentation {presentation_id}.")
    return _with_slot(session, row)


def open_presentations(session: Session, like: Presentation, pair_ids: Sequence[int]) -> dict[int, Presentation]:
    """Return pair id -> the presentation of that pair that was begun and never answered, for these pairs.

    Reviewer, rubric version and task are taken from ``like``.
    """
    answered = select(JudgementRow.id).where(col(JudgementRow.presentation_id) == col(PresentationRow.id)).exists()
    query = select(PresentationRow).where(
        PresentationRow.reviewer_id == like.reviewer_id,
        PresentationRow.rubric_version_id == like.rubric_version_id,
        PresentationRow.task == like.task.value,
        col(PresentationRow.pair_id).in_(pair_ids),
        ~answered,
    )
    return {row.pair_id: _to_presentation(row) for row in session.exec(query.order_by(col(PresentationRow.id)))}


def append(
    session: Session,
    presentation_id: int,
    draft: JudgementDraft | None,
    *,
    op: str,
    revision: int,
    supersedes: int | None,
    context: WriteContext,
    presentation: Presentation | None = None,
) -> int:
    """Append one row and return its id: a label, or a retraction when ``draft`` is None.

    ``presentation`` saves reading it again where the caller has it.

    Raises:
        BadInput: for a new answer with a span that cannot be located; undo and redo repeat old answers.
    """
    if draft is not None and op not in ("undo", "redo"):
        check_spans(draft.spans)
    presentation = presentation or get_presentation(session, presentation_id)
    if op in ("commit", "amend"):
        slot_links.refuse_on_desk(
            session, presentation.pair_id, presentation.reviewer_id, presentation.rubric_version_id
        )
    return insert_row(
        session,
        JudgementRow,
        uid=new_uid(),
        presentation_id=presentation_id,
        revision=revision,
        pair_id=presentation.pair_id,
        reviewer_id=presentation.reviewer_id,
        rubric_version_id=presentation.rubric_version_id,
        task=presentation.task.value,
        kind="label" if draft else "retract",
        op=op,
        supersedes=supersedes,
        at_ms=context.at_ms,
        mono_ms=context.mono_ms,
        session=context.session,
        app_version=context.app_version,
        **_draft_columns(draft),
    )


def tip(session: Session, presentation: Presentation, presentation_id: int | None = None) -> LogEntry | None:
    """Return the last row of the chain that ``presentation`` belongs to, label or retraction, or None."""
    query = select(JudgementRow)
    if presentation.task in (Task.GOLD, Task.RETEST):
        query = query.where(col(JudgementRow.presentation_id) == presentation_id)
    else:
        query = query.where(
            JudgementRow.pair_id == presentation.pair_id,
            JudgementRow.rubric_version_id == presentation.rubric_version_id,
            JudgementRow.reviewer_id == presentation.reviewer_id,
            col(JudgementRow.task).in_(alike(presentation.task)),
        )
    row = session.exec(query.order_by(col(JudgementRow.id).desc()).limit(1)).first()
    return None if row is None else _to_entry(row)


def first_of(session: Session, presentation_id: int) -> int | None:
    """Return the id of the judgement that first answered a presentation, or None while it is open."""
    query = select(JudgementRow.id).where(JudgementRow.presentation_id == presentation_id, JudgementRow.revision == 0)
    return session.exec(query).first()


def next_revision(session: Session, presentation_id: int) -> int:
    """Return the revision that follows the last one of a presentation."""
    query = select(func.max(JudgementRow.revision)).where(JudgementRow.presentation_id == presentation_id)
    last = session.exec(query).one()
    return 0 if last is None else int(last) + 1


def entry(session: Session, judgement_id: int) -> LogEntry:
    """Return one row of the log.

    Raises:
        NotFound: when there is none with this id.
    """
    found = session.get(JudgementRow, judgement_id)
    if found is None:
        raise NotFound(f"There is no judgement {judgement_id}.")
    return _to_entry(found)


def frozen_in(session: Session, judgement_ids: Sequence[int]) -> str:
    """Return the title of a frozen dataset version that contains one of these judgements, or ''."""
    query = (
        select(DatasetRow.name, DatasetRow.number)
        .join(DatasetItemJudgementRow, col(DatasetItemJudgementRow.dataset_id) == col(DatasetRow.id))
        .where(col(DatasetItemJudgementRow.judgement_id).in_(judgement_ids), DatasetRow.state == "frozen")
        .limit(1)
    )
    found = session.exec(query).first()
    return f"{found[0]} v{found[1]}" if found else ""


def draft_of(row: JudgementRow) -> JudgementDraft | None:
    """Return what was answered; None for a retraction."""
    if row.verdict is None:
        return None
    return JudgementDraft(
        verdict=Verdict(row.verdict),
        strength=row.strength,
        criteria=read_json(row.criteria),
        reason=row.reason,
        rationale=row.rationale,
        flags=tuple(read_json(row.flags)),
        confidence=row.confidence,
        spans=tuple(read_json(row.spans)),
        edit=row.edit,
        process=read_json(row.process),
    )


def _to_entry(row: JudgementRow) -> LogEntry:
    return LogEntry(only_id(row), row.presentation_id, draft_of(row), row.supersedes)


def _with_slot(session: Session, row: PresentationRow) -> Presentation:
    return replace(_to_presentation(row), slot_id=slot_links.slot_of(session, only_id(row)))


def _to_presentation(row: PresentationRow) -> Presentation:
    return Presentation(
        row.uid,
        row.pair_id,
        row.reviewer_id,
        row.rubric_version_id,
        Task(row.task),
        "A" if row.left_is == "A" else "B",
        row.queue,
        row.position,
        row.shown_ms,
    )


def _draft_columns(draft: JudgementDraft | None) -> dict[str, Any]:
    if draft is None:
        return {}
    if draft.edit is not None and draft.preferred is None:
        raise BadInput("An edit belongs to the preferred response, and none is preferred.")
    return {
        "verdict": draft.verdict.value,
        "strength": draft.strength,
        "reason": draft.reason,
        "confidence": draft.confidence,
        "flags": canonical_json(sorted(set(draft.flags))),
        "criteria": canonical_json(draft.criteria),
        "rationale": draft.rationale,
        "edit": draft.edit,
        "spans": canonical_json(list(draft.spans)),
        "process": canonical_json(draft.process),
    }

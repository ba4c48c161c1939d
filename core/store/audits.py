"""Audits of the refusal detector in the workspace: samples and labels are added and never change.

The rows of one reviewer on one answer form a chain: each supersedes the one before, and a retraction takes back the
label before it. The last row of the chain counts.
"""

from __future__ import annotations

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.domain.audit import AnswerPlace, AuditDraw, AuditLabel, AuditWord
from core.domain.ids import canonical_json, new_uid
from core.store import events
from core.store.plain import insert_row, only_id, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import AuditDrawRow, AuditLabelRow, ReviewerRow

_FLAG = "audit.flag"


def add_draw(session: Session, draw: AuditDraw, context: WriteContext) -> None:
    """Store a sample."""
    insert_row(
        session,
        AuditDrawRow,
        uid=new_uid(),
        evaluation=draw.evaluation,
        number=draw.number,
        seed=draw.seed,
        per_arm=draw.per_arm,
        sha256=draw.sha256,
        body=canonical_json(draw.body()),
        created_ms=context.at_ms,
        session=context.session,
    )


def draws_of(session: Session, evaluation: str) -> list[AuditDraw]:
    """Return the samples of an evaluation, oldest first."""
    query = select(AuditDrawRow).where(AuditDrawRow.evaluation == evaluation).order_by(col(AuditDrawRow.number))
    return [
        AuditDraw.from_plain(evaluation, row.number, row.seed, row.per_arm, read_json(row.body))
        for row in session.exec(query)
    ]


def labels_of(session: Session, evaluation: str) -> list[AuditLabel]:
    """Return the labels of an evaluation that count, oldest first."""
    query = (
        select(AuditLabelRow, ReviewerRow.name)
        .join(ReviewerRow, col(ReviewerRow.id) == col(AuditLabelRow.reviewer_id))
        .where(AuditLabelRow.evaluation == evaluation)
        .order_by(col(AuditLabelRow.id))
    )
    last: dict[tuple[int, AnswerPlace], AuditLabel | None] = {}
    for row, name in session.exec(query):
        place = (row.arm, row.suite, row.item)
        last.pop((row.reviewer_id, place), None)
        last[row.reviewer_id, place] = (
            AuditLabel(only_id(row), place, row.label, row.reviewer_id, name, row.at_ms)  # type: ignore[arg-type]
            if row.op == "label"
            else None
        )
    return sorted((label for label in last.values() if label is not None), key=lambda label: label.id)


def add_label(
    session: Session,
    evaluation: str,
    place: AnswerPlace,
    answer_sha256: str,
    word: AuditWord,
    reviewer_id: int,
    context: WriteContext,
) -> int:
    """Store what a reviewer says of an answer and return the row's id; what the reviewer said before is superseded."""
    return _add(session, evaluation, place, answer_sha256, "label", word, reviewer_id, context)


def retract(
    session: Session, evaluation: str, place: AnswerPlace, answer_sha256: str, reviewer_id: int, context: WriteContext
) -> int:
    """Take back what a reviewer says of an answer and return the row's id."""
    return _add(session, evaluation, place, answer_sha256, "retract", "", reviewer_id, context)


def _add(
    session: Session, evaluation: str, place: AnswerPlace, sha256: str, op: str, word: str, reviewer_id: int,
    context: WriteContext,
) -> int:  # fmt: skip
    arm, suite, item = place
    before = select(func.max(AuditLabelRow.id)).where(
        AuditLabelRow.evaluation == evaluation,
        AuditLabelRow.reviewer_id == reviewer_id,
        AuditLabelRow.arm == arm,
        AuditLabelRow.suite == suite,
        AuditLabelRow.item == item,
    )
    return insert_row(
        session,
        AuditLabelRow,
        uid=new_uid(),
        evaluation=evaluation,
        suite=suite,
        arm=arm,
        item=item,
        answer_sha256=sha256,
        op=op,
        label=word,
        supersedes=session.exec(before).one(),
        reviewer_id=reviewer_id,
        at_ms=context.at_ms,
        session=context.session,
    )


def set_flag(
    session: Session, evaluation: str, key: str, number: int, on: bool, reviewer_id: int, context: WriteContext
) -> None:
    """Note in the event log that a reviewer flags an answer of a sample, or takes the flag back."""
    summary = f"{'Flagged' if on else 'Took the flag off'} answer {number} of an audit"
    detail = {"evaluation_id": evaluation, "answer": key, "number": number, "on": on}
    events.log(session, context, _FLAG, summary, reviewer_id=reviewer_id, subject="evaluation", detail=detail)


def flags_of(session: Session, evaluation: str) -> dict[str, tuple[str, ...]]:
    """Return key of an answer -> who flags it, in the order in which they did."""
    found: dict[str, dict[str, None]] = {}
    for event in events.of_kind(session, _FLAG):
        if event.detail.get("evaluation_id") == evaluation:
            names = found.setdefault(str(event.detail["answer"]), {})
            names.pop(event.reviewer, None)
            if event.detail["on"]:
                names[event.reviewer] = None
    return {key: tuple(names) for key, names in found.items() if names}


def state_of(session: Session, evaluation: str) -> tuple[int, int]:
    """Return numbers that change with every sample and every label of an evaluation; cheap to ask."""
    draws = select(func.count()).select_from(AuditDrawRow).where(AuditDrawRow.evaluation == evaluation)
    last = select(func.max(AuditLabelRow.id)).where(AuditLabelRow.evaluation == evaluation)
    return session.exec(draws).one(), session.exec(last).one() or 0

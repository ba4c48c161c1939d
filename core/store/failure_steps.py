"""Who opened, tagged and sent which failure of an evaluation: rows are added and never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlmodel import Session, col, select

from core.domain.ids import canonical_json, new_uid
from core.store.plain import insert_row, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import FailureStepRow, ReviewerRow

FailureOp = Literal["open", "tag", "send"]


@dataclass(frozen=True, slots=True)
class FailureStep:
    """One act on a failure; ``tag`` of an ``open`` is empty, ``target`` says where a ``send`` went."""

    failure: str
    op: FailureOp
    reviewer: str
    at_ms: int
    tag: str = ""
    note: str = ""
    target: Mapping[str, Any] = field(default_factory=dict)


def add(
    session: Session, context: WriteContext, evaluation: str, failure: str, op: FailureOp, reviewer_id: int,
    *, tag: str = "", note: str = "", target: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Store that a reviewer did ``op`` to a failure."""
    insert_row(
        session,
        FailureStepRow,
        uid=new_uid(),
        evaluation=evaluation,
        failure=failure,
        op=op,
        tag=tag,
        note=note,
        target=canonical_json(dict(target or {})),
        reviewer_id=reviewer_id,
        at_ms=context.at_ms,
        session=context.session,
    )


def of_evaluation(session: Session, evaluation: str) -> list[FailureStep]:
    """Return every act on the failures of an evaluation, oldest first."""
    query = (
        select(FailureStepRow, ReviewerRow.name)
        .join(ReviewerRow, col(ReviewerRow.id) == col(FailureStepRow.reviewer_id))
        .where(FailureStepRow.evaluation == evaluation)
        .order_by(col(FailureStepRow.id))
    )
    return [
        FailureStep(row.failure, row.op, name, row.at_ms, row.tag, row.note, read_json(row.target))  # type: ignore[arg-type]
        for row, name in session.exec(query)
    ]

"""Judgements read back as domain values, with reviewer, rubric title and whether they still count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func
from sqlmodel import Session, col, select

from core.domain.errors import NotFound
from core.domain.judgement import Judgement, Reviewer, ReviewerKind, Task
from core.store.judgements import draft_of
from core.store.plain import chunks, execute, only_id, read_json, wide_select
from core.store.tables import (
    CurrentLabelRow,
    JudgementRow,
    PresentationRow,
    ReviewerRow,
    RubricRow,
    RubricVersionRow,
)

_LONGEST_MS = 300_000


def get(session: Session, judgement_id: int) -> Judgement:
    """Return one judgement.

    Raises:
        NotFound: when there is none with this id.
    """
    found = _read(session, _joined().where(col(JudgementRow.id) == judgement_id))
    if not found:
        raise NotFound(f"There is no judgement {judgement_id}.")
    return found[0]


def many(session: Session, judgement_ids: Sequence[int]) -> list[Judgement]:
    """Return several judgements in the order of their ids; unknown ids are left out."""
    query = _joined().order_by(col(JudgementRow.id))
    parts = chunks(sorted(set(judgement_ids)))
    return [one for part in parts for one in _read(session, query.where(col(JudgementRow.id).in_(part)))]


def of_pair(session: Session, pair_id: int) -> list[Judgement]:
    """Return the whole history of a pair, oldest first, taken-back labels included."""
    return _read(session, _joined().where(col(JudgementRow.pair_id) == pair_id).order_by(col(JudgementRow.id)))


def of_pairs(session: Session, pair_ids: Sequence[int]) -> dict[int, list[Judgement]]:
    """Return the whole history of several pairs, each oldest first; pairs without one are left out."""
    found: dict[int, list[Judgement]] = {}
    query = _joined().order_by(col(JudgementRow.id))
    for part in chunks(sorted(set(pair_ids))):
        for one in _read(session, query.where(col(JudgementRow.pair_id).in_(part))):
            found.setdefault(one.pair_id, []).append(one)
    return found


def recent(session: Session, reviewer_id: int, limit: int) -> list[Judgement]:
    """Return a reviewer's newest labels that still count, newest first; imported ones do not appear."""
    query = (
        _joined()
        .where(
            col(JudgementRow.reviewer_id) == reviewer_id,
            col(JudgementRow.op) != "import",
            col(CurrentLabelRow.judgement_id).is_not(None),
        )
        .order_by(col(JudgementRow.id).desc())
        .limit(limit)
    )
    return _read(session, query)


def committed_since(session: Session, reviewer_id: int, since_ms: int) -> int:
    """Return how many labels a reviewer committed since a moment and did not take back.

    Walks the reviewer's newest rows; a day's work is a few hundred of them.
    """
    query = (
        select(func.count())
        .select_from(JudgementRow)
        .join(CurrentLabelRow, col(CurrentLabelRow.judgement_id) == col(JudgementRow.id))
        .where(
            col(JudgementRow.reviewer_id) == reviewer_id,
            col(JudgementRow.op) != "import",
            col(JudgementRow.id) > _last_before(session, reviewer_id, since_ms),
        )
    )
    return session.exec(query).one()


def recent_seconds(session: Session, reviewer_id: int, limit: int) -> list[float]:
    """Return how long a reviewer's newest commits took, newest first.

    The window's own count of active time (``active_ms``) is taken where it is stored; otherwise the time since the
    presentation, at most five minutes, because a reviewer may have paused in between.
    """
    query = (
        select(col(JudgementRow.process), col(JudgementRow.at_ms), col(PresentationRow.shown_ms))
        .join(PresentationRow, col(PresentationRow.id) == col(JudgementRow.presentation_id))
        .where(col(JudgementRow.reviewer_id) == reviewer_id, col(JudgementRow.op) == "commit")
        .order_by(col(JudgementRow.id).desc())
        .limit(limit)
    )
    found = []
    for process, at_ms, shown_ms in session.exec(query):
        active = read_json(process).get("active_ms")
        known = isinstance(active, (int, float)) and active >= 0
        found.append((active if known else min(max(at_ms - shown_ms, 0), _LONGEST_MS)) / 1000)
    return found


def _last_before(session: Session, reviewer_id: int, since_ms: int) -> int:
    query = (
        select(JudgementRow.id)
        .where(col(JudgementRow.reviewer_id) == reviewer_id, col(JudgementRow.at_ms) < since_ms)
        .order_by(col(JudgementRow.id).desc())
        .limit(1)
    )
    return session.exec(query).first() or 0


def _joined() -> Select[*tuple[Any, ...]]:
    return (
        wide_select(
            JudgementRow,
            col(PresentationRow.left_is),
            col(ReviewerRow.name),
            col(ReviewerRow.kind),
            col(ReviewerRow.note),
            col(RubricRow.name),
            col(RubricVersionRow.number),
            col(CurrentLabelRow.judgement_id),
        )
        .join(PresentationRow, col(PresentationRow.id) == col(JudgementRow.presentation_id))
        .join(ReviewerRow, col(ReviewerRow.id) == col(JudgementRow.reviewer_id))
        .join(RubricVersionRow, col(RubricVersionRow.id) == col(JudgementRow.rubric_version_id))
        .join(RubricRow, col(RubricRow.id) == col(RubricVersionRow.rubric_id))
        .join(CurrentLabelRow, col(CurrentLabelRow.judgement_id) == col(JudgementRow.id), isouter=True)
    )


def _read(session: Session, query: Select[*tuple[Any, ...]]) -> list[Judgement]:
    return [
        Judgement(
            id=only_id(row),
            uid=row.uid,
            presentation_id=row.presentation_id,
            pair_id=row.pair_id,
            reviewer=Reviewer(row.reviewer_id, name, ReviewerKind(kind), note),
            rubric_version_id=row.rubric_version_id,
            rubric_title=f"{rubric} {number}",
            task=Task(row.task),
            left_is="A" if left_is == "A" else "B",
            kind="label" if row.kind == "label" else "retract",
            draft=draft_of(row),
            supersedes=row.supersedes,
            at_ms=row.at_ms,
            current=current is not None,
        )
        for row, left_is, name, kind, note, rubric, number, current in execute(session, query)
    ]

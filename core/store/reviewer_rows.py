"""The judgements of all reviewers as rows: what was shown and said, without private notes and texts of pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlmodel import Session

from core.store.plain import fetch

_PART = 2000


class ReviewerRowValues(NamedTuple):
    """One judgement that counts; JSON columns as they are stored, sides canonical."""

    judgement_id: int
    reviewer: str
    reviewer_id: int
    kind: str
    pair_id: int
    pair_sha256: str
    source: str
    rubric: str
    version: str
    task: str
    left_is: str
    shown_ms: int
    at_ms: int
    process: str
    verdict: str
    strength: int | None
    reason: str
    confidence: int | None
    criteria: str
    rationale: str
    flags: str
    spans: str
    edit: str | None
    op: str


def reviewer_rows(session: Session) -> Iterator[ReviewerRowValues]:
    """Yield every judgement that counts, of all tasks, by ascending id; votes between arms are left out."""
    last = 0
    while True:
        sql = """SELECT c.judgement_id, w.name, w.id, w.kind, c.pair_id, q.sha256, s.name, r.name, v.number, c.task,
                p.left_is, p.shown_ms, j.at_ms, j.process, c.verdict, c.strength, j.reason, j.confidence, j.criteria,
                j.rationale, j.flags, j.spans, j.edit, j.op
            FROM current_label c JOIN judgement j ON j.id=c.judgement_id JOIN presentation p ON p.id=j.presentation_id
            JOIN reviewer w ON w.id=c.reviewer_id JOIN pair q ON q.id=c.pair_id JOIN source s ON s.id=q.source_id
            JOIN rubric_version v ON v.id=c.rubric_version_id JOIN rubric r ON r.id=v.rubric_id
            WHERE c.judgement_id>? AND c.pair_id NOT IN(SELECT pair_id FROM vote_item)
            ORDER BY c.judgement_id LIMIT ?"""
        rows = [ReviewerRowValues._make(row) for row in fetch(session, sql, (last, _PART))]
        if not rows:
            return
        yield from rows
        last = rows[-1].judgement_id

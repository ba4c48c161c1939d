"""Labels as rows for measuring the quality of the work: current ones with side shown, time and criteria."""

from __future__ import annotations

from typing import NamedTuple

from sqlmodel import Session

from core.store.judgements import LABEL_TASKS
from core.store.plain import chunks, fetch

_TASKS = ",".join(f"'{task}'" for task in LABEL_TASKS)

_CHOSEN = """CASE WHEN json_array_length(j.process,'$.changes_of_mind')>1
    THEN (SELECT count(DISTINCT value) FROM json_each(j.process,'$.changes_of_mind'))
    ELSE json_array_length(j.process,'$.changes_of_mind') END"""


class QualityLabel(NamedTuple):
    """One current label; ``strength`` is canonical: negative favours A, None names no side.

    ``active_ms`` is the time that the window counted, and ``chosen`` how many different verdicts were chosen
    until it was stored; both are None where they are not known (imported and scripted labels). ``at_ms`` is UTC.
    """

    judgement_id: int
    pair_id: int
    prompt_id: int
    source_id: int
    reviewer_id: int
    rubric_id: int
    version_id: int
    task: str
    verdict: str
    strength: int | None
    criteria: str
    left_is: str
    op: str
    active_ms: float | None
    chosen: int | None
    at_ms: int


def current(session: Session, after: int = 0) -> list[QualityLabel]:
    """Return the labels that count, oldest first; gold, retest, adjudication answers and votes are left out.

    Args:
        session: to read in.
        after: only judgements with a larger id.
    """
    sql = f"""SELECT c.judgement_id, c.pair_id, q.prompt_id, q.source_id, c.reviewer_id, v.rubric_id,
            c.rubric_version_id, c.task, c.verdict, c.strength, j.criteria, p.left_is, j.op,
            json_extract(j.process,'$.active_ms'), {_CHOSEN}, j.at_ms
        FROM current_label c JOIN judgement j ON j.id=c.judgement_id JOIN presentation p ON p.id=j.presentation_id
        JOIN rubric_version v ON v.id=c.rubric_version_id JOIN pair q ON q.id=c.pair_id
        WHERE c.judgement_id>? AND c.task IN({_TASKS}) AND c.pair_id NOT IN(SELECT pair_id FROM vote_item)
        ORDER BY c.judgement_id"""
    return [QualityLabel._make(row) for row in fetch(session, sql, (after,))]


def superseded(session: Session, after: int) -> list[int]:
    """Return the judgements that later ones than ``after`` took back or replaced."""
    sql = "SELECT supersedes FROM judgement WHERE id>? AND supersedes IS NOT NULL AND supersedes<=?"
    return [key for (key,) in fetch(session, sql, (after, after))]


def behind(session: Session, dataset_id: int) -> list[int]:
    """Return the judgements behind the items of a dataset version."""
    sql = "SELECT DISTINCT judgement_id FROM dataset_item_judgement WHERE dataset_id=?"
    return [key for (key,) in fetch(session, sql, (dataset_id,))]


def mark(session: Session) -> tuple[int, int]:
    """Return the last judgement and the last event: where both are as before, nothing that is measured changed."""
    sql = "SELECT (SELECT coalesce(max(id),0) FROM judgement), (SELECT coalesce(max(id),0) FROM event_log)"
    ((judgement, event),) = fetch(session, sql)
    return judgement, event


def texts(session: Session, pair_ids: list[int]) -> dict[int, tuple[str, str]]:
    """Return pair id -> both answers."""
    found: dict[int, tuple[str, str]] = {}
    for part in chunks(pair_ids):
        marks = ",".join("?" * len(part))
        rows = fetch(session, f"SELECT id, a_text, b_text FROM pair WHERE id IN({marks})", tuple(part))
        found.update((key, (a, b)) for key, a, b in rows)
    return found

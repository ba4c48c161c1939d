"""Labels as rows for measuring the quality of the work: current ones with side shown, time and criteria."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from core.store.judgements import LABEL_TASKS
from core.store.plain import chunks, fetch

_TASKS = ",".join(f"'{task}'" for task in LABEL_TASKS)


@dataclass(frozen=True, slots=True)
class QualityLabel:
    """One current label; ``strength`` is canonical: negative favours A, None names no side.

    ``active_ms`` is the time that the window counted, None where it is not known (imported and scripted labels).
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


def current(session: Session, dataset_id: int | None = None) -> list[QualityLabel]:
    """Return the labels that count, oldest first; gold, retest, adjudication answers and votes are left out.

    Args:
        session: to read in.
        dataset_id: only labels behind the items of this dataset version.
    """
    behind = (
        ""
        if dataset_id is None
        else "AND c.judgement_id IN(SELECT judgement_id FROM dataset_item_judgement WHERE dataset_id=?)"
    )
    sql = f"""SELECT c.judgement_id, c.pair_id, q.prompt_id, q.source_id, c.reviewer_id, v.rubric_id,
            c.rubric_version_id, c.task, c.verdict, c.strength, j.criteria, p.left_is, j.op,
            json_extract(j.process,'$.active_ms')
        FROM current_label c JOIN judgement j ON j.id=c.judgement_id JOIN presentation p ON p.id=j.presentation_id
        JOIN rubric_version v ON v.id=c.rubric_version_id JOIN pair q ON q.id=c.pair_id
        WHERE c.task IN({_TASKS}) AND c.pair_id NOT IN(SELECT pair_id FROM vote_item) {behind}
        ORDER BY c.judgement_id"""
    return [QualityLabel(*row) for row in fetch(session, sql, () if dataset_id is None else (dataset_id,))]


def texts(session: Session, pair_ids: list[int]) -> dict[int, tuple[str, str]]:
    """Return pair id -> both answers."""
    found: dict[int, tuple[str, str]] = {}
    for part in chunks(pair_ids):
        marks = ",".join("?" * len(part))
        rows = fetch(session, f"SELECT id, a_text, b_text FROM pair WHERE id IN({marks})", tuple(part))
        found.update((key, (a, b)) for key, a, b in rows)
    return found

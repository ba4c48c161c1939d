"""Second answers with the first ones: retests with the label they repeat, gold answers with the adjudication."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmodel import Session

from core.store.plain import fetch

_RETESTS = """WITH answered AS MATERIALIZED(
        SELECT t.*, (SELECT c.id FROM judgement c WHERE c.presentation_id=j.presentation_id AND c.revision=0) AS first
        FROM current_label t JOIN judgement j ON j.id=t.judgement_id WHERE t.task='retest')
    SELECT t.reviewer_id, t.judgement_id, t.strength, o.strength
    FROM answered t
    JOIN rubric_version tv ON tv.id=t.rubric_version_id
    JOIN judgement o ON o.pair_id=t.pair_id AND o.id<t.first AND o.reviewer_id=t.reviewer_id
        AND o.task IN('label','relabel') AND o.kind='label'
        AND NOT EXISTS(SELECT 1 FROM judgement k WHERE k.supersedes=o.id AND k.id<t.first)
    JOIN rubric_version ov ON ov.id=o.rubric_version_id AND ov.rubric_id=tv.rubric_id AND ov.major=tv.major
    WHERE true {0} ORDER BY t.judgement_id, o.id"""

_GOLDS = """SELECT t.reviewer_id, t.judgement_id, t.strength, o.strength
    FROM current_label t
    JOIN rubric_version tv ON tv.id=t.rubric_version_id
    JOIN current_label o ON o.pair_id=t.pair_id AND o.task='adjudicate' AND o.reviewer_id<>t.reviewer_id
    JOIN rubric_version ov ON ov.id=o.rubric_version_id AND ov.rubric_id=tv.rubric_id AND ov.major=tv.major
    WHERE t.task='gold' {0} ORDER BY t.judgement_id, o.judgement_id"""

_BEHIND = """AND EXISTS(SELECT 1 FROM dataset_item_judgement d JOIN judgement j ON j.id=d.judgement_id
    JOIN rubric_version jv ON jv.id=j.rubric_version_id
    WHERE d.dataset_id=? AND j.reviewer_id=t.reviewer_id AND jv.rubric_id=tv.rubric_id AND jv.major=tv.major)"""

Answer = tuple[int, int | None, int | None]
"""Reviewer, strength of the second answer, strength of the first or of the gold answer; None names no side."""


def retests(session: Session, dataset_id: int | None = None) -> Iterator[Answer]:
    """Yield each current retest with the label that it repeated: the same reviewer's newest one at that time.

    Labels under the same rubric and major number count as the same. A label that was changed after the retest is
    not paired with it. With a dataset version, only reviewers and rubrics with labels in it are read.
    """
    return _answers(session, _RETESTS, dataset_id)


def golds(session: Session, dataset_id: int | None = None) -> Iterator[Answer]:
    """Yield each current gold answer with the newest adjudication by another reviewer under the same major number."""
    return _answers(session, _GOLDS, dataset_id)


def _answers(session: Session, query: str, dataset_id: int | None) -> Iterator[Answer]:
    text = query.format("" if dataset_id is None else _BEHIND)
    values = () if dataset_id is None else (dataset_id,)
    newest: dict[int, Answer] = {}
    for reviewer_id, judgement_id, second, first in fetch(session, text, values):
        newest[judgement_id] = (reviewer_id, second, first)
    yield from newest.values()

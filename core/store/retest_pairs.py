"""Second answers with the first ones: retests with the label they repeat, gold answers with the adjudication."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from core.store.plain import fetch

_RETESTS = """WITH answered AS MATERIALIZED(
        SELECT t.*, j.presentation_id AS shown,
            (SELECT c.id FROM judgement c WHERE c.presentation_id=j.presentation_id AND c.revision=0) AS first
        FROM current_label t JOIN judgement j ON j.id=t.judgement_id WHERE t.task='retest')
    SELECT t.reviewer_id, t.judgement_id, t.pair_id, t.strength, o.strength, tp.left_is<>op.left_is,
        t.rubric_version_id, (SELECT at_ms FROM judgement WHERE id=t.judgement_id)
    FROM answered t
    JOIN presentation tp ON tp.id=t.shown
    JOIN rubric_version tv ON tv.id=t.rubric_version_id
    JOIN judgement o ON o.pair_id=t.pair_id AND o.id<t.first AND +o.reviewer_id=t.reviewer_id
        AND o.task IN('label','relabel') AND o.kind='label'
        AND NOT EXISTS(SELECT 1 FROM judgement k WHERE k.supersedes=o.id AND k.id<t.first)
    JOIN presentation op ON op.id=o.presentation_id
    JOIN rubric_version ov ON ov.id=o.rubric_version_id AND ov.rubric_id=tv.rubric_id AND ov.major=tv.major
    WHERE true {0} ORDER BY t.judgement_id, o.id"""
"""The plus keeps SQLite from going through all judgements of the reviewer for each retest, instead of the pair's."""

_GOLDS = """SELECT t.reviewer_id, t.judgement_id, t.pair_id, t.strength, o.strength, 0,
        t.rubric_version_id, (SELECT at_ms FROM judgement WHERE id=t.judgement_id)
    FROM current_label t
    JOIN rubric_version tv ON tv.id=t.rubric_version_id
    JOIN current_label o ON o.pair_id=t.pair_id AND o.task='adjudicate' AND o.reviewer_id<>t.reviewer_id
    JOIN rubric_version ov ON ov.id=o.rubric_version_id AND ov.rubric_id=tv.rubric_id AND ov.major=tv.major
    WHERE t.task='gold' {0} ORDER BY t.judgement_id, o.judgement_id"""

_BEHIND = """AND (t.reviewer_id, tv.rubric_id, tv.major) IN (SELECT j.reviewer_id, jv.rubric_id, jv.major
    FROM dataset_item_judgement d JOIN judgement j ON j.id=d.judgement_id
    JOIN rubric_version jv ON jv.id=j.rubric_version_id WHERE d.dataset_id=?)"""


@dataclass(frozen=True, slots=True)
class SecondAnswer:
    """A current retest or gold answer with what it is compared with.

    Attributes:
        strength: of this answer; None names no side. first: of the label that it repeats, or of the gold answer.
        swapped: whether the sides stood the other way round than at the label that is repeated.
        version_id: the rubric version of this answer. at_ms: when it was given, UTC.
    """

    reviewer_id: int
    judgement_id: int
    pair_id: int
    strength: int | None
    first: int | None
    swapped: bool = False
    version_id: int = 0
    at_ms: int = 0


def retests(session: Session, dataset_id: int | None = None) -> Iterator[SecondAnswer]:
    """Yield each current retest with the label that it repeated, the reviewer's newest one then; the oldest first.

    Labels under the same rubric and major number count as the same. A label that was changed after the retest is
    not paired with it. With a dataset version, only reviewers and rubrics with labels in it are read.
    """
    return _answers(session, _RETESTS, dataset_id)


def golds(session: Session, dataset_id: int | None = None) -> Iterator[SecondAnswer]:
    """Yield each current gold answer with the newest adjudication by another one under that major, the oldest first."""
    return _answers(session, _GOLDS, dataset_id)


def _answers(session: Session, query: str, dataset_id: int | None) -> Iterator[SecondAnswer]:
    text = query.format("" if dataset_id is None else _BEHIND)
    values = () if dataset_id is None else (dataset_id,)
    newest = {row[1]: row for row in fetch(session, text, values)}
    for reviewer, judgement, pair, strength, first, swapped, version, at_ms in newest.values():
        yield SecondAnswer(reviewer, judgement, pair, strength, first, bool(swapped), version, at_ms)

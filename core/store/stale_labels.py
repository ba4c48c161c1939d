"""Which labels are stale: those that a later major version of their rubric concerns. One rule, as SQL.

A major version concerns the labels that answered a clause which it changed or took out, those that answered no clause,
and all of them where it changed what the rubric as a whole means; see ``core.domain.rubric_meaning``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from sqlmodel import Session

from core.domain.ids import canonical_json
from core.domain.rubric import ChangeLevel, RubricBody
from core.domain.rubric_meaning import MeaningChange, PublishEffect, meaning_change
from core.store.judgements import LABEL_TASKS
from core.store.plain import fetch, read_json

STALE = """c.rubric_version_id IN (SELECT json_extract(r.value,'$.id') FROM json_each(?) r) AND EXISTS(
    SELECT 1 FROM json_each(?) r JOIN judgement j ON j.id=c.judgement_id
    WHERE json_extract(r.value,'$.id')=c.rubric_version_id AND (json_extract(r.value,'$.whole') OR j.criteria='{}'
        OR EXISTS(SELECT 1 FROM json_each(j.criteria) k JOIN json_each(r.value,'$.clauses') w ON w.value=k.key)))"""
"""Condition on a row ``c`` of ``current_label``; both of its values are the text that :func:`rules` returns."""
_VERSIONS = """SELECT id FROM rubric_version
    WHERE rubric_id=(SELECT rubric_id FROM rubric_version WHERE id=?) AND state='published' ORDER BY id"""


def changes(session: Session, newest_id: int | None = None) -> dict[int, MeaningChange]:
    """Return rubric version id -> what the major versions after it changed, for versions that have one after them.

    Args:
        session: to read in.
        newest_id: look no further than this version, at its rubric only; None looks at all rubrics and versions.
    """
    query = """SELECT v.rubric_id, v.id, v.major, v.body FROM rubric_version v WHERE v.state='published'
        AND EXISTS(SELECT 1 FROM rubric_version w WHERE w.rubric_id=v.rubric_id AND w.state='published' AND w.major>1)
        AND (? IS NULL OR (v.id<=? AND v.rubric_id=(SELECT rubric_id FROM rubric_version WHERE id=?))) ORDER BY v.id"""
    of_rubric: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for rubric_id, key, major, body in fetch(session, query, (newest_id,) * 3):
        of_rubric[rubric_id].append((key, major, body))
    found: dict[int, MeaningChange] = {}
    for published in of_rubric.values():
        since: MeaningChange | None = None
        for older, newer in reversed(list(pairwise(published))):
            if newer[1] > older[1]:
                step = meaning_change(_body(older[2]), _body(newer[2]))
                since = step if since is None else step | since
            if since is not None:
                found[older[0]] = since
    return found


def rules(session: Session, newest_id: int | None = None) -> str:
    """Return the value of :data:`STALE`; the arguments are those of :func:`changes`."""
    return _as_rules(changes(session, newest_id))


def count(session: Session, version_id: int) -> int:
    """Return how many stale labels of a rubric their reviewer has not renewed under this version's major number.

    Decisions, gold answers and retests are no labels of the pair: nobody is asked for them again.
    """
    made = rules(session, version_id)
    if made == "[]":
        return 0
    tasks = ",".join(f"'{task}'" for task in LABEL_TASKS)
    sql = f"""SELECT count(*) FROM current_label c WHERE c.task IN({tasks}) AND {STALE} AND NOT EXISTS(
        SELECT 1 FROM current_label n JOIN rubric_version v ON v.id=n.rubric_version_id
            JOIN rubric_version t ON t.id=? AND t.rubric_id=v.rubric_id AND t.major=v.major
        WHERE n.pair_id=c.pair_id AND +n.reviewer_id=c.reviewer_id)"""
    return int(fetch(session, sql, (made, made, version_id))[0][0])


def pairs_of(session: Session, reviewer_id: int, version_id: int) -> tuple[set[int], set[int]]:
    """Return the pairs on which a reviewer's label under an older major is stale, and those where one still holds."""
    made = rules(session, version_id)
    if made == "[]":
        return set(), set()
    tasks = ",".join(f"'{task}'" for task in LABEL_TASKS)
    sql = f"""SELECT c.pair_id, {STALE} FROM current_label c WHERE c.reviewer_id=? AND c.task IN({tasks})
        AND c.rubric_version_id IN (SELECT json_extract(r.value,'$.id') FROM json_each(?) r)"""
    rows = fetch(session, sql, (made, made, reviewer_id, made))
    return {pair for pair, stale in rows if stale}, {pair for pair, stale in rows if not stale}


def still_valid(session: Session) -> frozenset[int]:
    """Return the judgements under an older major version that no later one concerns."""
    made = rules(session)
    if made == "[]":
        return frozenset()
    sql = f"""SELECT c.judgement_id FROM current_label c
        WHERE c.rubric_version_id IN (SELECT json_extract(r.value,'$.id') FROM json_each(?) r) AND NOT ({STALE})"""
    return frozenset(key for (key,) in fetch(session, sql, (made, made, made)))


def with_counts(session: Session, told: PublishEffect, before_id: int, change: MeaningChange) -> PublishEffect:
    """Return an effect with the labels and dataset versions that publishing the draft concerns.

    Args:
        session: to read in.
        told: the effect without counts.
        before_id: the newest published version of the rubric.
        change: from that version to the draft.
    """
    now = changes(session, before_id)
    ids = [key for (key,) in fetch(session, _VERSIONS, (before_id,))]
    after = {key: now.get(key, MeaningChange()) | change for key in ids}
    old, new = _as_rules(now), _as_rules(after if told.level is ChangeLevel.MAJOR else {})
    sql = f"""SELECT count(*), sum({STALE}), sum(EXISTS(SELECT 1 FROM judgement j, json_each(j.criteria) k
            WHERE j.id=c.judgement_id AND k.key IN (SELECT value FROM json_each(?))))
        FROM current_label c WHERE c.rubric_version_id IN (SELECT value FROM json_each(?)) AND NOT ({STALE})"""
    values = (new, new, canonical_json(sorted(change.lost)), canonical_json(ids), old, old)
    ((labels, stale, lost),) = fetch(session, sql, values)
    datasets = """SELECT count(DISTINCT d.id) FROM dataset d JOIN dataset_rubric r ON r.dataset_id=d.id
        WHERE d.state='frozen' AND r.rubric_version_id IN (SELECT value FROM json_each(?))"""
    ((frozen,),) = fetch(session, datasets, (canonical_json(ids),))
    return replace(told, labels=labels, stale=stale or 0, lost=lost or 0, datasets=frozen)


def _as_rules(found: Mapping[int, MeaningChange]) -> str:
    return canonical_json([{"id": key, **change.to_plain()} for key, change in sorted(found.items())])


def _body(text: str) -> RubricBody:
    return RubricBody.from_plain(read_json(text))

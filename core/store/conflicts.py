"""Pairs whose labels are a conflict (``core.domain.conflict``): which they are, and the labels behind them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from core.domain.conflict import MOST_APART
from core.domain.ids import canonical_json
from core.domain.judgement import Judgement, Task
from core.store import judgement_views
from core.store.judgements import LABEL_TASKS
from core.store.plain import fetch

_TASKS = ",".join(f"'{task}'" for task in LABEL_TASKS)
_CONFLICTS = f"""WITH newest AS(
        SELECT pair_id, reviewer_id, verdict, strength, flagged, max(judgement_id) FROM current_label
        WHERE rubric_version_id IN (SELECT value FROM json_each(?)) AND task IN({_TASKS})
            AND pair_id NOT IN (SELECT pair_id FROM vote_item)
        GROUP BY pair_id, reviewer_id)
    SELECT pair_id FROM newest GROUP BY pair_id
    HAVING (sum(strength<0)>0 AND sum(strength>0)>0) OR sum(flagged)>0
        OR max(CASE WHEN verdict IN('prefer','tie') THEN coalesce(strength,0) END)
            -min(CASE WHEN verdict IN('prefer','tie') THEN coalesce(strength,0) END)>{MOST_APART}
        OR (sum(verdict='neither')>0 AND sum(verdict IN('prefer','tie'))>0) ORDER BY pair_id"""


def pairs_in_conflict(session: Session, version_ids: Sequence[int]) -> list[int]:
    """Return the pairs whose newest labels, one a reviewer, are a conflict under these versions, as imported."""
    return [key for (key,) in fetch(session, _CONFLICTS, (canonical_json(list(version_ids)),))]


def to_decide(session: Session, reviewer_id: int, version_ids: Sequence[int]) -> list[int]:
    """Return the conflicts that a reviewer decided or may decide: not own pairs, nor those that others decided."""
    sql = f"""SELECT pair_id FROM current_label WHERE rubric_version_id IN (SELECT value FROM json_each(?)) AND
        ((reviewer_id=? AND task IN({_TASKS})) OR (reviewer_id<>? AND task=?))"""
    values = (canonical_json(list(version_ids)), reviewer_id, reviewer_id, Task.ADJUDICATE.value)
    apart = {key for (key,) in fetch(session, sql, values)}
    return [key for key in pairs_in_conflict(session, version_ids) if key not in apart]


def labels_of(session: Session, pair_ids: Sequence[int], version_ids: Sequence[int]) -> dict[int, list[Judgement]]:
    """Return pair -> the labels that count under these versions, one a reviewer, oldest first, then adjudications."""
    accepted, tasks = set(version_ids), set(LABEL_TASKS)
    found: dict[int, list[Judgement]] = {}
    for pair_id, history in judgement_views.of_pairs(session, pair_ids).items():
        under = [one for one in history if one.current and one.draft and one.rubric_version_id in accepted]
        newest = {one.reviewer.id: one for one in under if one.task.value in tasks}
        decided = [one for one in under if one.task is Task.ADJUDICATE]
        found[pair_id] = [*sorted(newest.values(), key=lambda one: one.id), *decided]
    return found


def picks_of(session: Session, reviewer_id: int, version_ids: Sequence[int]) -> list[int]:
    """Return the pairs with a current pick of an adjudicator under these versions, oldest first."""
    sql = """SELECT pair_id FROM current_label WHERE reviewer_id=? AND task=?
        AND rubric_version_id IN (SELECT value FROM json_each(?)) ORDER BY judgement_id"""
    values = (reviewer_id, Task.ADJUDICATE.value, canonical_json(list(version_ids)))
    return [key for (key,) in fetch(session, sql, values)]


def first_pick(session: Session, presentation_id: int) -> int:
    """Return the judgement that first answered the presentation of a pick."""
    sql = "SELECT id FROM judgement WHERE presentation_id=? AND revision=0"
    return int(fetch(session, sql, (presentation_id,))[0][0])

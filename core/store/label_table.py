"""Current labels of pairs, for the exported table of pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from core.domain.ids import canonical_json
from core.store.plain import fetch


def of_pairs(session: Session, pair_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Return pair id -> current labels as plain values, oldest first; gold and retest answers are left out.

    ``strength`` is in canonical sides: negative favours A.
    """
    sql = """SELECT c.pair_id, w.name, r.name || ' ' || v.number, c.verdict, c.strength
        FROM json_each(?) j CROSS JOIN current_label c ON c.pair_id=j.value
        CROSS JOIN reviewer w ON w.id=c.reviewer_id CROSS JOIN rubric_version v ON v.id=c.rubric_version_id
        CROSS JOIN rubric r ON r.id=v.rubric_id WHERE c.task NOT IN('gold','retest') ORDER BY c.judgement_id"""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    values = (canonical_json(list(pair_ids)),)
    for pair_id, reviewer, rubric, verdict, strength in fetch(session, sql, values):
        found[pair_id].append({"reviewer": reviewer, "rubric": rubric, "verdict": verdict, "strength": strength})
    return dict(found)

"""What labels say of pairs now, and what was said of a pair after a label."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session

from core.domain.ids import canonical_json
from core.store.plain import fetch


def sides_of(session: Session, judgement_ids: Iterable[int]) -> dict[int, int]:
    """Return judgement -> -1 where it names A, 1 where it names B; one that names no side is missing."""
    sql = "SELECT id, strength FROM judgement WHERE strength IS NOT NULL AND id IN(SELECT value FROM json_each(?))"
    rows = fetch(session, sql, (canonical_json(sorted(judgement_ids)),))
    return {key: -1 if strength < 0 else 1 for key, strength in rows}


def newest_sides(session: Session, pair_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return pair -> the newest judgement that counts and names a side, and its side; retests and gold answers too."""
    sql = """SELECT pair_id, max(judgement_id), strength FROM current_label
        WHERE strength IS NOT NULL AND pair_id IN(SELECT value FROM json_each(?)) GROUP BY pair_id"""
    rows = fetch(session, sql, (canonical_json(sorted(pair_ids)),))
    return {pair: (judgement, -1 if strength < 0 else 1) for pair, judgement, strength in rows}

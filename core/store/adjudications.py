"""Decisions on pairs in conflict, as a log: each row follows the one before of its adjudicator, pair and version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from core.domain.adjudication import GOLD, ConflictDecision, DecisionDraft
from core.domain.ids import canonical_json, new_uid
from core.domain.judgement import Task
from core.store.plain import fetch, insert_row, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import AdjudicationRow

_COLUMNS = """a.id, a.pair_id, a.reviewer_id, a.rubric_version_id, a.judgement_id, a.final_id, a.cause, a.outcome,
    a.request_id, a.note, a.inputs, a.at_ms"""
_COUNTS = """a.op='decide' AND NOT EXISTS(SELECT 1 FROM adjudication n WHERE n.supersedes=a.id)
    AND EXISTS(SELECT 1 FROM current_label c WHERE c.pair_id=a.pair_id AND c.reviewer_id=a.reviewer_id
        AND c.rubric_version_id=a.rubric_version_id AND c.task='adjudicate')"""
"""The last row of its chain is a decision, and the pick that it rests on was not taken back."""


PICKS_NEED_DECISION_AFTER = "picks_need_decision_after"
"""Key of ``meta``: the last judgement from before decisions were stored beside the picks that they rest on."""
_LAST_BEFORE = f"""coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key='{PICKS_NEED_DECISION_AFTER}'),
    (SELECT MIN(judgement_id) FROM adjudication))"""


def add(
    session: Session,
    decision: ConflictDecision,
    context: WriteContext,
    *,
    said: DecisionDraft | None,
    request_id: int | None,
) -> int:
    """Append a decision on a pair, or its retraction when ``said`` is None, behind the newest row of its chain."""
    key = (decision.pair_id, decision.reviewer_id, decision.version_id)
    before = fetch(session, f"SELECT max(id) FROM adjudication a WHERE {_CHAIN}", key)
    return insert_row(
        session,
        AdjudicationRow,
        uid=new_uid(),
        op="decide" if said is not None else "retract",
        supersedes=before[0][0],
        pair_id=decision.pair_id,
        reviewer_id=decision.reviewer_id,
        rubric_version_id=decision.version_id,
        judgement_id=decision.judgement_id,
        final_id=decision.final_id,
        cause=said.cause if said is not None else "",
        outcome=said.outcome if said is not None else "",
        request_id=request_id,
        note=said.note.strip() if said is not None else "",
        inputs=canonical_json(list(decision.inputs)),
        at_ms=context.at_ms,
        session=context.session,
    )


_CHAIN = "a.pair_id=? AND a.reviewer_id=? AND a.rubric_version_id=?"


def current(session: Session, version_ids: Sequence[int]) -> dict[int, ConflictDecision]:
    """Return pair -> the newest decision that counts under these versions."""
    sql = f"""SELECT {_COLUMNS} FROM adjudication a WHERE {_COUNTS}
        AND a.rubric_version_id IN (SELECT value FROM json_each(?)) ORDER BY a.id"""
    found = (_decision(row) for row in fetch(session, sql, (canonical_json(list(version_ids)),)))
    return {one.pair_id: one for one in found}


def last_of(session: Session, reviewer_id: int) -> ConflictDecision | None:
    """Return the newest decision of a reviewer that counts, or None."""
    sql = f"SELECT {_COLUMNS} FROM adjudication a WHERE {_COUNTS} AND a.reviewer_id=? ORDER BY a.id DESC LIMIT 1"
    rows = fetch(session, sql, (reviewer_id,))
    return _decision(rows[0]) if rows else None


def pairs_with(session: Session, outcome: str) -> dict[int, set[int]]:
    """Return pair -> the rubric versions under which the newest decision on it has this outcome."""
    newest: dict[tuple[int, int], str] = {}
    sql = f"SELECT a.pair_id, a.rubric_version_id, a.outcome FROM adjudication a WHERE {_COUNTS} ORDER BY a.id"
    for pair_id, version_id, said in fetch(session, sql):
        newest[pair_id, version_id] = said
    found: dict[int, set[int]] = {}
    for (pair_id, version_id), said in newest.items():
        if said == outcome:
            found.setdefault(pair_id, set()).add(version_id)
    return found


def undecided_picks(session: Session, version_ids: Sequence[int]) -> dict[int, int]:
    """Return judgement -> pair of the first picks that wait for their decision, or whose decision was taken back.

    Judgements of adjudicators from before schema 10 were decisions by themselves. Where the file does not say which
    those are (a salvaged one), the ones older than the first decision are taken for them.
    """
    sql = f"""SELECT c.judgement_id, c.pair_id FROM current_label c WHERE c.task='{Task.ADJUDICATE}'
        AND c.rubric_version_id IN (SELECT value FROM json_each(?)) AND (EXISTS(
            SELECT 1 FROM adjudication a WHERE a.final_id=c.judgement_id AND a.op='retract'
            AND NOT EXISTS(SELECT 1 FROM adjudication n WHERE n.supersedes=a.id))
        OR (c.judgement_id>{_LAST_BEFORE}
            AND NOT EXISTS(SELECT 1 FROM adjudication a WHERE a.pair_id=c.pair_id AND a.reviewer_id=c.reviewer_id
                AND a.rubric_version_id=c.rubric_version_id)))"""
    return dict(map(tuple, fetch(session, sql, (canonical_json(list(version_ids)),))))


def not_gold(session: Session, version_ids: Sequence[int]) -> set[int]:
    """Return the pairs that were decided under these versions and are no gold items, or wait for their decision."""
    decided = current(session, version_ids)
    waiting = set(undecided_picks(session, version_ids).values()) - set(decided)
    return waiting | {key for key, one in decided.items() if one.outcome != GOLD}


def _decision(row: Any) -> ConflictDecision:
    *values, inputs, at_ms = row
    return ConflictDecision(*values, inputs=tuple(read_json(inputs)), at_ms=at_ms)

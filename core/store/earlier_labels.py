"""A reviewer's earlier labels of pairs that are labelled again under a rubric that changed since."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from core.domain.ids import canonical_json
from core.domain.rubric_clauses import ChangedSince, clause_changes
from core.store import judgement_views, rubrics
from core.store.judgements import LABEL_TASKS
from core.store.plain import fetch

_TASKS = ",".join(f"'{task}'" for task in LABEL_TASKS)
_EARLIER = f"""SELECT c.pair_id, max(c.judgement_id) FROM json_each(?) p
    CROSS JOIN current_label c ON c.pair_id=p.value AND c.reviewer_id=? AND c.task IN({_TASKS})
    CROSS JOIN rubric_version t ON t.id=?
    JOIN rubric_version v ON v.id=c.rubric_version_id AND v.rubric_id=t.rubric_id AND v.major<t.major
    GROUP BY c.pair_id"""
_NEWEST = """SELECT max(v.id) FROM label_tally l JOIN rubric_version v ON v.id=l.rubric_version_id
    JOIN rubric_version t ON t.id=? AND t.rubric_id=v.rubric_id AND t.major=v.major
    WHERE l.reviewer_id=? AND l.labels>0 AND v.id<=t.id"""


def changed_since(
    session: Session, reviewer_id: int, version_id: int, pair_ids: Sequence[int], *, told: bool
) -> dict[int, ChangedSince]:
    """Return pair -> what changed since the reviewer's newest label of it under an older major version.

    Args:
        session: to read in.
        reviewer_id: who labels again.
        version_id: under which version.
        pair_ids: a few pairs; those without an earlier label are left out.
        told: whether the earlier label is part of it; it is once a new one was given.
    """
    rows = fetch(session, _EARLIER, (canonical_json(list(pair_ids)), reviewer_id, version_id))
    if not rows:
        return {}
    new = rubrics.get(session, version_id)
    olds = {one.id: one for one in judgement_views.many(session, [key for _, key in rows])}
    found = {}
    for pair_id, key in rows:
        label = olds[key]
        old = rubrics.get(session, label.rubric_version_id)
        changed, same = clause_changes(old.body, new.body)
        count, earlier = len(new.body.criteria), label if told else None
        found[pair_id] = ChangedSince(old.number, new.number, label.at_ms, changed, same, count, earlier)
    return found


def clarification(session: Session, reviewer_id: int, version_id: int) -> str:
    """Return what minor versions clarified since the reviewer's newest label of the same meaning, or ""."""
    ((last,),) = fetch(session, _NEWEST, (version_id, reviewer_id))
    if last is None or last == version_id:
        return ""
    sql = """SELECT v.number, v.change_note FROM rubric_version v JOIN rubric_version t ON t.id=?
        AND t.rubric_id=v.rubric_id WHERE v.state='published' AND v.level='minor' AND v.id>? AND v.id<=t.id
        ORDER BY v.id"""
    notes = [f"{number}: {note.strip()}" for number, note in fetch(session, sql, (version_id, last))]
    if not notes:
        return ""
    before, now = rubrics.get(session, last), rubrics.get(session, version_id)
    names = ", ".join(one.name for one in clause_changes(before.body, now.body)[0])
    return f"{' '.join(notes)}{f' Clauses: {names}.' if names else ''}"

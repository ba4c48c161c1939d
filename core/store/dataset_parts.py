"""The parts of a dataset version: how many items rest on what, and which pairs they are."""

from __future__ import annotations

import json
from typing import Any

from sqlmodel import Session

from core.domain.dataset_view import LENGTHS, NO_CLAUSE, NO_FLAG, Coverage, DatasetPart, DatasetShare, SliceBy
from core.domain.text_flags import FLAG_KEYS, FLAG_TITLES, flag_named
from core.store import licences
from core.store.plain import fetch, read_json

_BEHIND = """FROM dataset_item i JOIN dataset_item_judgement d ON d.dataset_id=i.dataset_id AND d.position=i.position
    JOIN judgement j ON j.id=d.judgement_id"""
_FAVOURS = "json_each(j.criteria) c WHERE i.dataset_id=? AND (c.value<0)=(i.chosen='A') AND c.value<>0"
_CHARS = "length(CASE i.chosen WHEN 'A' THEN p.a_text ELSE p.b_text END)"
_LENGTH = f"CASE {' '.join(f'WHEN {_CHARS}>={least} THEN {least}' for least, _ in reversed(LENGTHS))} END"
_BITS = {NO_FLAG: 0, **{key: int(flag_named(key)) for key in FLAG_KEYS}}
_NAMES: dict[str, str] = {NO_FLAG: "No flag", **FLAG_TITLES, **{str(least): words for least, words in LENGTHS}}
"""Names of the slices that no table has."""
_SLICES: dict[SliceBy, tuple[str, str]] = {
    "source": ("JOIN pair p ON p.id=i.pair_id JOIN source o ON o.id=p.source_id", "o.id, o.name"),
    "split": ("", "i.split, i.split"),
    "reviewer": ("JOIN reviewer w ON w.id=j.reviewer_id", "w.id, w.name"),
    "rubric": (
        "JOIN rubric_version v ON v.id=j.rubric_version_id JOIN rubric r ON r.id=v.rubric_id",
        "v.id, r.name || ' ' || v.number",
    ),
    "length": ("JOIN pair p ON p.id=i.pair_id", f"{_LENGTH}, {_LENGTH}"),
    "text_flag": (
        f"LEFT JOIN pair_flag f ON f.pair_id=i.pair_id JOIN json_each('{json.dumps(_BITS)}') b"
        " ON CASE b.value WHEN 0 THEN coalesce(f.flags,0)=0 ELSE f.flags&b.value END",
        "b.key, b.key",
    ),
}


def rubrics_of(session: Session, dataset_id: int) -> tuple[DatasetShare, ...]:
    """Return the rubric versions behind the items, the one behind most of them first."""
    sql = f"""SELECT v.id, r.name || ' ' || v.number, count(DISTINCT i.position), v.sha256 {_BEHIND}
        JOIN rubric_version v ON v.id=j.rubric_version_id JOIN rubric r ON r.id=v.rubric_id
        WHERE i.dataset_id=? GROUP BY v.id ORDER BY 3 DESC, v.id"""
    return tuple(DatasetShare(*row) for row in fetch(session, sql, (dataset_id,)))


def reviewers_of(session: Session, dataset_id: int) -> tuple[DatasetShare, ...]:
    """Return the reviewers behind the items, the one behind most of them first."""
    sql = f"""SELECT w.id, w.name, count(DISTINCT i.position), w.kind {_BEHIND}
        JOIN reviewer w ON w.id=j.reviewer_id WHERE i.dataset_id=? GROUP BY w.id ORDER BY 3 DESC, w.id"""
    under = licences.of_reviewers(session)
    return tuple(
        DatasetShare(key, name, items, f"{kind}, {under[key]}" if key in under else kind)
        for key, name, items, kind in fetch(session, sql, (dataset_id,))
    )


def sources_of(session: Session, dataset_id: int) -> tuple[DatasetShare, ...]:
    """Return the sources in which the items were first found, the largest first."""
    sql = """SELECT o.id, o.name, count(*), o.licence FROM dataset_item i JOIN pair p ON p.id=i.pair_id
        JOIN source o ON o.id=p.source_id WHERE i.dataset_id=? GROUP BY o.id ORDER BY 3 DESC, o.id"""
    return tuple(DatasetShare(*row) for row in fetch(session, sql, (dataset_id,)))


def count_of(session: Session, dataset_id: int, part: DatasetPart) -> int:
    """Return how many items a part has."""
    sql, values = _pairs(dataset_id, part)
    return fetch(session, f"SELECT count(*) FROM ({sql})", values)[0][0]


def pairs_of(session: Session, dataset_id: int, part: DatasetPart) -> list[int]:
    """Return the pairs of a part, ascending."""
    sql, values = _pairs(dataset_id, part)
    return [row[0] for row in fetch(session, f"{sql} ORDER BY i.pair_id", values)]


def runs_of(session: Session, dataset_id: int) -> tuple[tuple[str, str, str], ...]:
    """Return uid, name and state of the runs that were made from a dataset version, newest first."""
    sql = "SELECT uid, name, state FROM run WHERE dataset_id=? ORDER BY id DESC"
    return tuple((uid, name, state) for uid, name, state in fetch(session, sql, (dataset_id,)))


def version_before(session: Session, dataset_id: int) -> int | None:
    """Return the id of the version before of the same name, or None."""
    sql = """SELECT b.id FROM dataset a JOIN dataset b ON b.name=a.name AND b.number<a.number AND b.state='frozen'
        WHERE a.id=? ORDER BY b.number DESC LIMIT 1"""
    found = fetch(session, sql, (dataset_id,))
    return found[0][0] if found else None


def coverage(session: Session, dataset_id: int, by: SliceBy) -> Coverage:
    """Return how many items each clause decided in each slice, see :class:`Coverage`."""
    tables, columns = _SLICES[by]
    sql = f"""SELECT c.key, {columns}, count(DISTINCT i.position) {_BEHIND} {tables}, {_FAVOURS} GROUP BY 1, 2"""
    cells: dict[tuple[str, str], int] = {}
    for clause, key, _, items in fetch(session, sql, (dataset_id,)):
        cells[clause, str(key)] = items
    sql = f"SELECT {columns}, count(DISTINCT i.position) {_BEHIND} {tables} WHERE i.dataset_id=? GROUP BY 1"
    slices = fetch(session, sql, (dataset_id,))
    sizes = {str(key): items for key, _, items in slices}
    sql = f"SELECT c.key, count(DISTINCT i.position) {_BEHIND}, {_FAVOURS} GROUP BY 1"
    all_of = dict(tuple(row) for row in fetch(session, sql, (dataset_id,)))
    names = _clause_names(session, dataset_id)
    order = list(_NAMES)
    if by in ("length", "text_flag"):
        slices = sorted(((k, _NAMES[str(k)], n) for k, _, n in slices), key=lambda one: order.index(str(one[0])))
    clauses = [(key, names.get(key, key)) for key in (*names, *(k for k in all_of if k not in names))]
    if silent := count_of(session, dataset_id, DatasetPart(clause=NO_CLAUSE)):
        clauses.append((NO_CLAUSE, "No clause answered"))
        all_of[NO_CLAUSE] = silent
        for key in sizes:
            cells[NO_CLAUSE, key] = count_of(session, dataset_id, DatasetPart.of_slice(by, key, NO_CLAUSE))
    return Coverage(by, tuple((str(k), name) for k, name, _ in slices), tuple(clauses), cells, all_of, sizes)


def clauses_of(session: Session, dataset_id: int) -> dict[int, list[str]]:
    """Return position -> names of the clauses by which a judgement favoured the chosen answer of an item."""
    names = _clause_names(session, dataset_id)
    found: dict[int, list[str]] = {}
    sql = f"SELECT DISTINCT i.position, c.key {_BEHIND}, {_FAVOURS} ORDER BY 1, 2"
    for position, clause in fetch(session, sql, (dataset_id,)):
        found.setdefault(position, []).append(names.get(clause, str(clause)))
    return found


def _clause_names(session: Session, dataset_id: int) -> dict[str, str]:
    """Return the clauses of the rubric versions behind a dataset version, those of the newest version first."""
    sql = """SELECT v.body FROM dataset_rubric d JOIN rubric_version v ON v.id=d.rubric_version_id
        WHERE d.dataset_id=? ORDER BY v.id DESC"""
    names: dict[str, str] = {}
    for (body,) in fetch(session, sql, (dataset_id,)):
        for criterion in read_json(body).get("criteria", []):
            names.setdefault(criterion["id"], criterion["name"])
    return names


def _pairs(dataset_id: int, part: DatasetPart) -> tuple[str, tuple[Any, ...]]:
    """Return the query for the pairs of a part, and its values."""
    tests, values = ["i.dataset_id=?"], [dataset_id]
    inner = [
        (test, value)
        for test, value in (
            ("j.rubric_version_id=?", part.rubric_version_id),
            ("j.reviewer_id=?", part.reviewer_id),
            ("j.task='adjudicate' AND 1=?", 1 if part.adjudicated else None),
            ("j.edit IS NOT NULL AND 1=?", 1 if part.edited else None),
        )
        if value is not None
    ]
    more: list[Any] = []
    behind = """EXISTS(SELECT 1 FROM dataset_item_judgement d JOIN judgement j ON j.id=d.judgement_id{}
        WHERE d.dataset_id=i.dataset_id AND d.position=i.position{})"""
    favours = " AND c.value<>0 AND (c.value<0)=(i.chosen='A')"
    if part.split is not None:
        tests.append("i.split=?")
        more.append(part.split)
    if part.source_id is not None:
        tests.append("EXISTS(SELECT 1 FROM pair p WHERE p.id=i.pair_id AND p.source_id=?)")
        more.append(part.source_id)
    if part.length is not None:
        tests.append(f"EXISTS(SELECT 1 FROM pair p WHERE p.id=i.pair_id AND {_LENGTH}=?)")
        more.append(part.length)
    if part.text_flag is not None:
        flags = "coalesce((SELECT f.flags FROM pair_flag f WHERE f.pair_id=i.pair_id),0)"
        tests.append(f"CASE ? WHEN 0 THEN {flags}=0 ELSE {flags}&? END")
        more += [_BITS[part.text_flag]] * 2
    condition = "".join(f" AND {test}" for test, _ in inner)
    bound = [value for _, value in inner]
    if part.clause:
        tests.append(behind.format(" JOIN json_each(j.criteria) c", f"{condition} AND c.key=?{favours}"))
        more += [*bound, part.clause]
    else:
        if inner:
            tests.append(behind.format("", condition))
            more += bound
        if part.clause == NO_CLAUSE:
            tests.append("NOT " + behind.format(" JOIN json_each(j.criteria) c", favours))
    return f"SELECT i.pair_id FROM dataset_item i WHERE {' AND '.join(tests)}", (*values, *more)

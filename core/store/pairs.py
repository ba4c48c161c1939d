"""Reading pairs: the table, its filters, and one pair with everything known of it.

Filters become SQL with bound values only; the text of the SQL is all in this file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from core.domain.conversation import Prompt
from core.domain.errors import NotFound
from core.domain.ids import canonical_json
from core.domain.pair import GenerationRecord, Pair, Response
from core.domain.pair_table import (
    EXCERPT_CHARS,
    PairDetail,
    PairFilter,
    PairInDataset,
    PairInRun,
    PairInSource,
    PairSummary,
)
from core.store import judgement_views, sources
from core.store import tables as t
from core.store.plain import fetch, read_json

_STATE_TESTS = {
    "none": "s.labels=0",
    "labelled": "s.labels>0",
    "tie": "s.ties>0",
    "neither": "s.neithers>0",
    "cannot": "s.cannots>0",
    "flagged": "s.flagged>0",
    "disagree": "s.prefer_a>0 AND s.prefer_b>0",
}
_LABEL_TESTS = {
    "tie": "c.verdict='tie'",
    "neither": "c.verdict='neither'",
    "cannot": "c.verdict='cannot_judge'",
    "flagged": "c.flagged>0",
}
_COUNTED = "c.task NOT IN('gold','retest')"
_TERM = re.compile(r'"([^"]+)"|(\S+)')
_MAX_TERMS = 16


def ids(session: Session, wanted: PairFilter) -> list[int]:
    """Return the ids of all pairs that pass, ascending: the order of import."""
    where, values = _where(wanted)
    sql = f"SELECT s.pair_id FROM pair_state s{where} ORDER BY s.pair_id"
    return [row[0] for row in fetch(session, sql, values)]


def count(session: Session, wanted: PairFilter) -> int:
    """Return how many pairs pass."""
    where, values = _where(wanted)
    return fetch(session, f"SELECT count(*) FROM pair_state s{where}", values)[0][0]


def page_ids(session: Session, wanted: PairFilter, after_id: int, limit: int) -> list[int]:
    """Return the next ids after ``after_id`` (keyset paging)."""
    where, values = _where(wanted)
    joint = " AND" if where else " WHERE"
    sql = f"SELECT s.pair_id FROM pair_state s{where}{joint} s.pair_id>? ORDER BY s.pair_id LIMIT ?"
    return [row[0] for row in fetch(session, sql, (*values, after_id, limit))]


def rows(session: Session, pair_ids: Sequence[int]) -> list[PairSummary]:
    """Return the table lines of these pairs in the order asked for; unknown ids are left out."""
    sql = f"""SELECT p.id, q.body, substr(p.a_text,1,{EXCERPT_CHARS}), substr(p.b_text,1,{EXCERPT_CHARS}), q.turns,
          o.name, s.labels, s.prefer_a, s.prefer_b, s.ties, s.neithers, s.cannots, s.flagged
        FROM json_each(?) j CROSS JOIN pair p ON p.id=j.value CROSS JOIN prompt q ON q.id=p.prompt_id
        CROSS JOIN source o ON o.id=p.source_id CROSS JOIN pair_state s ON s.pair_id=p.id"""
    found = {}
    for row in fetch(session, sql, (canonical_json(list(pair_ids)),)):
        prompt = read_json(row[1])[-1]["content"][:EXCERPT_CHARS]
        found[row[0]] = PairSummary(row[0], prompt, row[2], row[3], row[4], row[5], *row[6:])
    return [found[key] for key in pair_ids if key in found]


def texts(session: Session, pair_ids: Sequence[int]) -> dict[int, tuple[str, Pair]]:
    """Return pair id -> (content hash, the pair with its generation records)."""
    sql = """SELECT p.id, p.sha256, q.body, p.a_text, p.a_generation, p.b_text, p.b_generation
        FROM json_each(?) j CROSS JOIN pair p ON p.id=j.value CROSS JOIN prompt q ON q.id=p.prompt_id"""
    return {
        key: (
            sha,
            Pair(Prompt.from_plain(read_json(body)), Response(a, _generation(a_gen)), Response(b, _generation(b_gen))),
        )
        for key, sha, body, a, a_gen, b, b_gen in fetch(session, sql, (canonical_json(list(pair_ids)),))
    }


def detail(session: Session, pair_id: int) -> PairDetail:
    """Return everything known of one pair.

    Raises:
        NotFound: when there is none with this id.
    """
    found = texts(session, [pair_id])
    if pair_id not in found:
        raise NotFound(f"There is no pair {pair_id}.")
    sha, pair = found[pair_id]
    datasets = _datasets_of(session, pair_id)
    return PairDetail(
        id=pair_id,
        sha256=sha,
        pair=pair,
        sources=_sources_of(session, pair_id),
        judgements=tuple(judgement_views.of_pair(session, pair_id)),
        datasets=datasets,
        runs=_runs_of(session, datasets),
    )


def _sources_of(session: Session, pair_id: int) -> tuple[PairInSource, ...]:
    query = (
        select(t.SourceRow, t.PairSourceRow.row)
        .join(t.PairSourceRow, col(t.PairSourceRow.source_id) == col(t.SourceRow.id))
        .where(t.PairSourceRow.pair_id == pair_id)
        .order_by(col(t.SourceRow.id))
    )
    return tuple(PairInSource(sources.to_domain(row), line) for row, line in session.exec(query))


def _datasets_of(session: Session, pair_id: int) -> tuple[PairInDataset, ...]:
    query = (
        select(t.DatasetItemRow, t.DatasetRow.name, t.DatasetRow.number)
        .join(t.DatasetRow, col(t.DatasetRow.id) == col(t.DatasetItemRow.dataset_id))
        .where(t.DatasetItemRow.pair_id == pair_id, t.DatasetRow.state == "frozen")
        .order_by(col(t.DatasetRow.id))
    )
    found = []
    for item, name, number in session.exec(query):
        behind = session.exec(
            select(t.DatasetItemJudgementRow.judgement_id).where(
                t.DatasetItemJudgementRow.dataset_id == item.dataset_id,
                t.DatasetItemJudgementRow.position == item.position,
            )
        )
        title = f"{name} v{number}"
        found.append(PairInDataset(item.dataset_id, title, item.split, item.chosen, item.strength, tuple(behind)))
    return tuple(found)


def _runs_of(session: Session, datasets: Sequence[PairInDataset]) -> tuple[PairInRun, ...]:
    """Return the runs made from the dataset versions that hold the pair; sealed test items never reach a run."""
    held = {entry.dataset_id: entry for entry in datasets if entry.split != "test"}
    if not held:
        return ()
    query = select(t.RunRow).where(col(t.RunRow.dataset_id).in_(list(held))).order_by(col(t.RunRow.id))
    return tuple(
        PairInRun(run.uid, run.name, run.state, held[run.dataset_id].title, held[run.dataset_id].split)
        for run in session.exec(query)
        if run.dataset_id is not None
    )


def _generation(text: str) -> GenerationRecord | None:
    return GenerationRecord(**read_json(text)) if text else None


def _where(wanted: PairFilter) -> tuple[str, tuple[Any, ...]]:
    """Return the WHERE clause and its values; the state row of each pair is ``s``."""
    tests: list[str] = []
    values: list[Any] = []
    if wanted.pair_ids is not None:
        tests.append("s.pair_id IN (SELECT value FROM json_each(?))")
        values.append(canonical_json(list(wanted.pair_ids)))
    if wanted.source_id is not None:
        tests.append("s.pair_id IN (SELECT pair_id FROM pair_source WHERE source_id=?)")
        values.append(wanted.source_id)
    if wanted.dataset_id is not None:
        tests.append("s.pair_id IN (SELECT pair_id FROM dataset_item WHERE dataset_id=?)")
        values.append(wanted.dataset_id)
    _label_test(wanted, tests, values)
    _text_test(wanted.text, tests, values)
    return (f" WHERE {' AND '.join(tests)}" if tests else ""), tuple(values)


def _label_test(wanted: PairFilter, tests: list[str], values: list[Any]) -> None:
    """Add the conditions on labels: on all of them, or on those by one reviewer or under one version."""
    if wanted.reviewer_id is None and wanted.rubric_version_id is None:
        if wanted.label != "any":
            tests.append(_STATE_TESTS[wanted.label])
        return
    inner = [_COUNTED]
    for column, value in (("reviewer_id", wanted.reviewer_id), ("rubric_version_id", wanted.rubric_version_id)):
        if value is not None:
            inner.append(f"c.{column}=?")
            values.append(value)
    if wanted.label in _LABEL_TESTS:
        inner.append(_LABEL_TESTS[wanted.label])
    negate = "NOT " if wanted.label == "none" else ""
    tests.append(f"s.pair_id {negate}IN (SELECT c.pair_id FROM current_label c WHERE {' AND '.join(inner)})")
    if wanted.label == "disagree":
        tests.append(_STATE_TESTS["disagree"])


def _text_test(text: str, tests: list[str], values: list[Any]) -> None:
    """Add that every word or quoted phrase occurs in the prompt or a response. LIKE's own signs are escaped."""
    terms = [quoted or word for quoted, word in _TERM.findall(text)][:_MAX_TERMS]
    for term in terms:
        pattern = "%" + re.sub(r"([\\%_])", r"\\\1", _storable(term)) + "%"
        tests.append(
            "EXISTS(SELECT 1 FROM pair p JOIN prompt q ON q.id=p.prompt_id WHERE p.id=s.pair_id AND "
            "(q.text LIKE ? ESCAPE '\\' OR p.a_text LIKE ? ESCAPE '\\' OR p.b_text LIKE ? ESCAPE '\\'))"
        )
        values.extend([pattern] * 3)


def _storable(term: str) -> str:
    """Return the term without lone surrogates, which no stored text holds and SQLite refuses."""
    return term.encode("utf-8", errors="replace").decode("utf-8")

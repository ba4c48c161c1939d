"""Reading pairs: the rows of the table, and one pair with everything known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

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
from core.domain.search_text import search_terms
from core.domain.text_flags import flag_keys
from core.store import judgement_views, pair_filters, sources, stale_labels
from core.store import tables as t
from core.store.plain import fetch, read_json
from core.store.search.index import SearchIndex
from core.store.search.matching import Stop, first_matching, matching

Tags = Mapping[int, tuple[str, ...]]
"""Pair -> its tags, see :mod:`core.store.pair_tags`."""
NO_TAGS: Tags = MappingProxyType({})

# A reviewer counts once: by the newest of the labels that stand, whatever the rubric version.
_SAID = """SELECT pair_id, count(*), coalesce(sum(strength<0),0), coalesce(sum(strength>0),0), sum(verdict='tie'),
      sum(verdict='neither'), sum(verdict='cannot_judge'), sum(flagged)
    FROM (SELECT c.pair_id, c.strength, c.verdict, c.flagged, max(c.judgement_id)
      FROM json_each(?) j CROSS JOIN current_label c ON c.pair_id=j.value
      WHERE c.task NOT IN('gold','retest') GROUP BY c.pair_id, c.reviewer_id)
    GROUP BY pair_id"""


def ids(session: Session, wanted: PairFilter, index: SearchIndex | None = None, stop: Stop | None = None) -> list[int]:
    """Return the ids of all pairs that pass, in the order of the filter; with an ``index`` its text is found quickly.

    Raises:
        UserError: ``stop``, which is asked while texts are read, said so.
    """
    terms = search_terms(wanted.text)
    held = matching(session, terms, index, stop) if terms else None
    if held is not None and wanted == PairFilter(text=wanted.text):
        return held
    sql, values = pair_filters.sorted_ids(wanted, stale=_stale(session, wanted))
    # As one JSON text 200,000 ids are read in a fifth of the time that as many rows take.
    found: list[int] = json.loads(fetch(session, f"SELECT json_group_array(pair_id) FROM ({sql})", values)[0][0])
    if held is None:
        return found
    chosen = set(held)
    return [key for key in found if key in chosen]


def count(session: Session, wanted: PairFilter, index: SearchIndex | None = None, stop: Stop | None = None) -> int:
    """Return how many pairs pass."""
    if search_terms(wanted.text):
        return len(ids(session, wanted, index, stop))
    where, values = pair_filters.where(wanted, _stale(session, wanted))
    return fetch(session, f"SELECT count(*) FROM pair_state s{where}", values)[0][0]


def page_ids(
    session: Session, wanted: PairFilter, after_id: int | None, limit: int, index: SearchIndex | None = None
) -> list[int]:
    """Return the next ids behind ``after_id`` in the order of the filter (keyset paging); None for the first."""
    if not search_terms(wanted.text):
        sql, values = pair_filters.sorted_ids(wanted, after_id, limit, _stale(session, wanted))
        return [row[0] for row in fetch(session, sql, values)]
    if wanted == PairFilter(text=wanted.text):
        return first_matching(session, search_terms(wanted.text), index, after_id or 0, limit)
    found = ids(session, wanted, index)
    start = 0 if after_id is None else found.index(after_id) + 1 if after_id in found else len(found)
    return found[start : start + limit]


def _stale(session: Session, wanted: PairFilter) -> str:
    return stale_labels.rules(session) if wanted.stale else "[]"


def rows(session: Session, pair_ids: Sequence[int], tags: Tags = NO_TAGS) -> list[PairSummary]:
    """Return the table lines of these pairs, with their ``tags``, in the order asked for; unknown ids are left out."""
    sql = f"""SELECT p.id, q.body, substr(p.a_text,1,{EXCERPT_CHARS}), substr(p.b_text,1,{EXCERPT_CHARS}), q.turns,
          o.name, length(p.a_text), length(p.b_text), coalesce((SELECT max(g.at_ms) FROM current_label c
            CROSS JOIN judgement g ON g.id=c.judgement_id WHERE c.pair_id=p.id),0),
          coalesce((SELECT f.flags FROM pair_flag f WHERE f.pair_id=p.id),0)
        FROM json_each(?) j CROSS JOIN pair p ON p.id=j.value CROSS JOIN prompt q ON q.id=p.prompt_id
        CROSS JOIN source o ON o.id=p.source_id"""
    wanted = canonical_json(list(pair_ids))
    said = {key: counts for key, *counts in fetch(session, _SAID, (wanted,))}
    found = {}
    for row in fetch(session, sql, (wanted,)):
        prompt = read_json(row[1])[-1]["content"][:EXCERPT_CHARS]
        counts = said.get(row[0], [0] * 7)
        found[row[0]] = PairSummary(row[0], prompt, *row[2:6], *counts, *row[6:], tags=tags.get(row[0], ()))
    return [found[key] for key in pair_ids if key in found]


def known(session: Session, pair_ids: Sequence[int]) -> set[int]:
    """Return the ids among these that name a pair."""
    sql = "SELECT id FROM pair WHERE id IN(SELECT value FROM json_each(?))"
    return {key for (key,) in fetch(session, sql, (canonical_json(list(pair_ids)),))}


def length_gaps(session: Session, pair_ids: Sequence[int]) -> dict[int, float]:
    """Return pair -> by how many characters the lengths of both answers differ."""
    query = """SELECT p.id, abs(length(p.a_text)-length(p.b_text)) FROM json_each(?) j CROSS JOIN pair p
        ON p.id=j.value"""
    return {key: float(gap) for key, gap in fetch(session, query, (canonical_json(list(pair_ids)),))}


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


def detail(session: Session, pair_id: int, tags: Tags = NO_TAGS) -> PairDetail:
    """Return everything known of one pair, with its ``tags``.

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
        text_flags=_text_flags_of(session, pair_id),
        tags=tags.get(pair_id, ()),
    )


def _text_flags_of(session: Session, pair_id: int) -> tuple[str, ...]:
    found = fetch(session, "SELECT flags FROM pair_flag WHERE pair_id=?", (pair_id,))
    return flag_keys(found[0][0]) if found else ()


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

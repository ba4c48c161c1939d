"""The filters and orders of the pair table as SQL with bound values; the state row of each pair is ``s``."""

from __future__ import annotations

from typing import Any

from core.domain.ids import canonical_json
from core.domain.pair_table import EXCERPT_CHARS, PairFilter
from core.domain.text_flags import flag_named
from core.store.pair_tags import WITH_TAG
from core.store.stale_labels import STALE

_STATE_TESTS = {
    "none": "s.labels=0",
    "labelled": "s.labels>0",
    "tie": "s.ties>0",
    "neither": "s.neithers>0",
    "cannot": "s.cannots>0",
    "flagged": "s.flagged>0",
    # The newest label of each reviewer: one who labels again under a later rubric version contradicts no one.
    "disagree": """s.prefer_a>0 AND s.prefer_b>0 AND (SELECT min(n.strength<0)<max(n.strength<0) FROM
        (SELECT c.strength, max(c.judgement_id) FROM current_label c
            WHERE c.pair_id=s.pair_id AND c.task NOT IN('gold','retest') GROUP BY c.reviewer_id) n
        WHERE n.strength IS NOT NULL)""",
}
_LABEL_TESTS = {
    "tie": "c.verdict='tie'",
    "neither": "c.verdict='neither'",
    "cannot": "c.verdict='cannot_judge'",
    "flagged": "c.flagged>0",
}
_COUNTED = "c.task NOT IN('gold','retest')"
_EDITED = "EXISTS(SELECT 1 FROM judgement j WHERE j.id=c.judgement_id AND j.edit IS NOT NULL)"
_FLAG = "EXISTS(SELECT 1 FROM judgement j, json_each(j.flags) f WHERE j.id=c.judgement_id AND f.value=?)"

_PAIR = " CROSS JOIN pair p ON p.id=s.pair_id"
_PROMPT = f"{_PAIR} CROSS JOIN prompt q ON q.id=p.prompt_id"
_SOURCE = f"{_PAIR} CROSS JOIN source o ON o.id=p.source_id"
_NEWEST = "coalesce((SELECT max(c.judgement_id) FROM current_label c WHERE c.pair_id=s.pair_id),0)"
_REVIEWERS = f"(SELECT count(DISTINCT c.reviewer_id) FROM current_label c WHERE c.pair_id=s.pair_id AND {_COUNTED})"
_ORDERS: dict[str, tuple[str, str]] = {
    "id": ("", "s.pair_id"),
    "prompt": (_PROMPT, f"substr(json_extract(q.body,'$[#-1].content'),1,{EXCERPT_CHARS}) COLLATE NOCASE"),
    "a": (_PAIR, f"substr(p.a_text,1,{EXCERPT_CHARS}) COLLATE NOCASE"),
    "b": (_PAIR, f"substr(p.b_text,1,{EXCERPT_CHARS}) COLLATE NOCASE"),
    "state": ("", _REVIEWERS),
    "source": (_SOURCE, "o.name COLLATE NOCASE"),
    "turns": (_PROMPT, "q.turns"),
    "a_chars": (_PAIR, "length(p.a_text)"),
    "b_chars": (_PAIR, "length(p.b_text)"),
    "newest": ("", _NEWEST),
}
"""Order -> the tables it needs beside ``pair_state s``, and the value that is sorted by; pair ids break ties."""


def where(wanted: PairFilter, stale: str = "[]") -> tuple[str, tuple[Any, ...]]:
    """Return the WHERE clause of all conditions but the text, and its values.

    ``stale`` is what ``core.store.stale_labels.rules`` returns, needed where stale labels are asked for.
    """
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
    if wanted.text_flag:
        tests.append("s.pair_id IN (SELECT pair_id FROM pair_flag WHERE flags&?)")
        values.append(int(flag_named(wanted.text_flag)))
    if wanted.bookmarked:
        tests.append("s.pair_id IN (SELECT pair_id FROM bookmark)")
    if wanted.tag:
        tests.append(f"s.pair_id IN ({WITH_TAG})")
        values.append(wanted.tag)
    _label_test(wanted, tests, values)
    _judgement_tests(wanted, tests, values, stale)
    return (f" WHERE {' AND '.join(tests)}" if tests else ""), tuple(values)


def sorted_ids(
    wanted: PairFilter, after_id: int | None = None, limit: int | None = None, stale: str = "[]"
) -> tuple[str, tuple[Any, ...]]:
    """Return the query for the ids of the pairs that pass, in the order asked for, and its values.

    Args:
        wanted: the filter and the order; its text is not looked at.
        after_id: begin behind this pair (keyset paging); None for the beginning.
        limit: how many at most.
        stale: see :func:`where`.
    """
    tables, key = _ORDERS[wanted.order]
    clause, values = where(wanted, stale)
    compare, direction = ("<", " DESC") if wanted.descending else (">", "")
    if after_id is not None:
        joint = " AND" if clause else " WHERE"
        here = f"(SELECT {key} FROM pair_state s{tables} WHERE s.pair_id=?)"
        clause += f"{joint} ({key}, s.pair_id){compare}({here}, ?)"
        values = (*values, after_id, after_id)
    sql = f"SELECT s.pair_id FROM pair_state s{tables}{clause} ORDER BY {key}{direction}, s.pair_id{direction}"
    return (sql, values) if limit is None else (f"{sql} LIMIT ?", (*values, limit))


def _label_test(wanted: PairFilter, tests: list[str], values: list[Any]) -> None:
    """Add the conditions on labels: on all of them, or on those by one reviewer or under one version."""
    inner, bound = _of_whom(wanted)
    if not bound:
        if wanted.label != "any":
            tests.append(_STATE_TESTS[wanted.label])
        return
    if wanted.label in _LABEL_TESTS:
        inner.append(_LABEL_TESTS[wanted.label])
    negate = "NOT " if wanted.label == "none" else ""
    tests.append(f"s.pair_id {negate}IN (SELECT c.pair_id FROM current_label c WHERE {' AND '.join(inner)})")
    values.extend(bound)
    if wanted.label == "disagree":
        tests.append(_STATE_TESTS["disagree"])


def _judgement_tests(wanted: PairFilter, tests: list[str], values: list[Any], stale: str) -> None:
    """Add what a current label must be or hold: stale, with an edit, with a flag."""
    for asked, test, value in (
        (wanted.stale, STALE, (stale, stale)),
        (wanted.edited, _EDITED, ()),
        (bool(wanted.flag), _FLAG, (wanted.flag,)),
    ):
        if asked:
            inner, bound = _of_whom(wanted)
            tests.append(f"s.pair_id IN (SELECT c.pair_id FROM current_label c WHERE {' AND '.join([*inner, test])})")
            values.extend((*bound, *value))


def _of_whom(wanted: PairFilter) -> tuple[list[str], list[Any]]:
    """Return the conditions that a label counts, and by whom, under which version and when it was made."""
    inner, bound = [_COUNTED], []
    for column, value in (("reviewer_id", wanted.reviewer_id), ("rubric_version_id", wanted.rubric_version_id)):
        if value is not None:
            inner.append(f"c.{column}=?")
            bound.append(value)
    if wanted.reviewer_kind:
        inner.append("c.reviewer_id IN (SELECT w.id FROM reviewer w WHERE w.kind=?)")
        bound.append(wanted.reviewer_kind)
    if wanted.labelled_ms is not None:
        inner.append("EXISTS(SELECT 1 FROM judgement j WHERE j.id=c.judgement_id AND j.at_ms>=? AND j.at_ms<?)")
        bound.extend(wanted.labelled_ms)
    return inner, bound

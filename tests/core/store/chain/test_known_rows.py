"""The chain's digest of rows whose values are known is that of the rows read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from core.store.chain.known_rows import known_digests, note_rows
from core.store.chain.material import LOGS, Log, range_digest

NUMBERS = {"id", "prompt_id", "source_id", "created_ms", "pair_id", "reviewer_id", "rubric_version_id", "position"}
NUMBERS |= {"shown_ms", "mono_ms", "presentation_id", "revision", "at_ms", "strength", "confidence", "supersedes"}
TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("%\x00:,-s"), max_size=8)


def cells(log: Log, name: str) -> st.SearchStrategy[Any]:
    kind = st.integers(-3, 2**40) if name in NUMBERS else TEXT
    return st.none() | kind if name in log.optional or name == "edit" else kind


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.table)
@given(data=st.data())
@settings(max_examples=25)
def test_that_known_values_give_the_digest_of_the_stored_rows(log: Log, data: Any) -> None:
    draw = cast("Callable[[st.SearchStrategy[Any]], Any]", data.draw)
    others = [name for name in log.columns if name != "id"]
    vary = draw(st.lists(st.sampled_from(others), min_size=1, unique=True))
    same = {name: draw(cells(log, name)) for name in others if name not in vary}
    rows = [(number, *(draw(cells(log, name)) for name in vary)) for number in range(5, 5 + draw(st.integers(1, 4)))]
    session = cast("Session", SimpleNamespace(info={}))
    note_rows(session, log.table, ("id", *vary), rows, same)
    with closing(sqlite3.connect(":memory:")) as raw:
        columns = ["id", *vary, *same]
        raw.execute(f"CREATE TABLE {log.table}({','.join(columns)})")
        marks = ",".join("?" * len(columns))
        raw.executemany(f"INSERT INTO {log.table} VALUES({marks})", [(*row, *same.values()) for row in rows])
        first, last = rows[0][0], rows[-1][0]
        assert known_digests(session) == {(log.table, first - 1, last): range_digest(raw, log, first - 1, last)}


def test_that_no_rows_are_no_digest() -> None:
    session = cast("Session", SimpleNamespace(info={}))
    note_rows(session, "pair", ("id", "sha256"), [], {})
    assert known_digests(session) == {}

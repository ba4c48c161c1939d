"""Engines share what SQLAlchemy compiles, and nothing else."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import column, select, table

from core.store.sqlite.connect import connect
from core.store.sqlite.engines import reading_engine, writing_engine


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Return a list that grows by each statement that is compiled."""
    raw = connect(tmp_path / "first.db", "rwc")
    engine, found = writing_engine(lambda: raw), list[str]()
    compiler: Any = engine.dialect.statement_compiler
    original = compiler.__init__

    def counted(self: Any, dialect: Any, statement: Any, *rest: Any, **words: Any) -> None:
        found.append(str(type(statement)))
        original(self, dialect, statement, *rest, **words)

    monkeypatch.setattr(compiler, "__init__", counted)
    raw.close()
    return found


def made(path: Path, value: int) -> sqlite3.Connection:
    raw = connect(path, "rwc")
    raw.execute("CREATE TABLE shared_by_engines(n INTEGER)")
    raw.execute("INSERT INTO shared_by_engines VALUES (?)", (value,))
    return raw


def test_that_a_statement_is_compiled_once_for_all_workspaces_their_writers_and_readers(
    tmp_path: Path, compiled: list[str]
) -> None:
    question = select(column("n")).select_from(table("shared_by_engines"))
    answers = []
    for number in (1, 2):
        path = tmp_path / f"{number}.db"
        raw = made(path, number)
        for engine in (writing_engine(lambda raw=raw: raw), reading_engine(lambda path=path: connect(path, "ro"))):
            with engine.connect() as connection:
                answers.append(connection.execute(question).scalar_one())
            engine.dispose()
        raw.close()
    assert answers == [1, 1, 2, 2] and len(compiled) == 1


def test_that_each_engine_has_its_own_listeners(tmp_path: Path) -> None:
    from sqlalchemy import event

    raw, begun = made(tmp_path / "a.db", 1), list[str]()
    heard, other = writing_engine(lambda: raw), writing_engine(lambda: raw)
    event.listen(heard, "begin", lambda _: begun.append("begin"))
    with other.begin():
        assert not begun
    with heard.begin():
        assert begun == ["begin"]
    raw.close()

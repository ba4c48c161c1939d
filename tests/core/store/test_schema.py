"""The schema keeps its own rules, and the classes for queries mirror it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlmodel import SQLModel

from core.store import tables
from core.store.migrations.ddl_0001_guards import GUARDS
from core.store.migrations.ddl_0001_tables import INDEXES, SEED, TABLES
from core.store.migrations.ddl_0001_tallies import TALLIES


@pytest.fixture(scope="module")
def fresh():
    """A database with the schema and nothing else."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in (*TABLES, *INDEXES, *SEED, *GUARDS, *TALLIES):
            connection.execute(statement)
        yield connection


def names(connection: sqlite3.Connection) -> list[str]:
    """Return the tables of the schema."""
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'")
    return [row[0] for row in rows]


def test_that_every_table_has_a_class_with_the_same_columns(fresh: sqlite3.Connection) -> None:
    classes = SQLModel.metadata.tables
    mirrored = {
        row.__tablename__ for row in vars(tables).values() if isinstance(row, type) and hasattr(row, "__table__")
    }
    assert mirrored == set(names(fresh))
    for name in mirrored:
        columns = [(row[1], bool(row[3] or row[5])) for row in fresh.execute(f"PRAGMA table_info({name})")]
        mirror = [(c.name, not c.nullable or c.primary_key) for c in classes[name].columns]
        assert [c for c, _ in columns] == [c for c, _ in mirror], name
        assert dict(columns) == dict(mirror), name


def test_that_every_table_is_strict_and_nothing_cascades(fresh: sqlite3.Connection) -> None:
    for name in names(fresh):
        assert [row[5] for row in fresh.execute("PRAGMA table_list") if row[1] == name] == [1], name
        for row in fresh.execute(f"PRAGMA foreign_key_list({name})"):
            assert row[5:7] == ("NO ACTION", "NO ACTION"), name


def test_that_the_schema_uses_no_json_functions(fresh: sqlite3.Connection) -> None:
    for (sql,) in fresh.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"):
        assert "json" not in sql.lower()


def test_that_paging_never_counts_rows_away() -> None:
    from pathlib import Path

    import core.store

    for path in Path(core.store.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8").upper()
        assert ".OFFSET(" not in text, path
        assert "INSERT OR REPLACE INTO" not in text, path

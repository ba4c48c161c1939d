"""The schema keeps its own rules, and the classes for queries mirror it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from sqlmodel import SQLModel

import core.store
from core.store import tables
from core.store.migrations.schema import STATEMENTS


@pytest.fixture(scope="module")
def fresh():
    """A database with the schema and nothing else."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in STATEMENTS:
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
    for path in Path(core.store.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8").upper()
        assert ".OFFSET(" not in text, path
        assert "INSERT OR REPLACE INTO" not in text, path


def _annotated() -> Iterator[tuple[str, object]]:
    """Yield the name and the type of all that core.store hands out: what functions return, what attributes hold."""
    for found in pkgutil.walk_packages(core.store.__path__, "core.store."):
        if found.name.startswith(("core.store.tables", "core.store.migrations")):
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", "") != found.name:
                continue
            if inspect.isfunction(value):
                yield f"{found.name}.{name}", get_type_hints(value).get("return")
            elif isinstance(value, type):
                yield from ((f"{found.name}.{name}.{key}", kind) for key, kind in get_type_hints(value).items())
                for key, method in inspect.getmembers(value, inspect.isfunction):
                    if method.__module__ == found.name and not key.startswith("_"):
                        yield f"{found.name}.{name}.{key}", get_type_hints(method).get("return")


def _parts(kind: object) -> Iterator[object]:
    yield kind
    for part in get_args(kind):
        yield from _parts(part)


def test_that_rows_never_leave_the_store() -> None:
    handed_out = [
        name
        for name, kind in _annotated()
        if any(isinstance(part, type) and issubclass(part, SQLModel) for part in _parts(kind))
    ]
    assert handed_out == [], f"{handed_out} hand out database rows: return a dataclass"

"""Every connection has the settings that safety rests on, read back from SQLite itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.services.application import Application
from core.store.sqlite import connect as connect_module
from core.store.sqlite.connect import APPLICATION_ID, connect, pragma
from core.store.sqlite.identity import SCHEMA
from tests.fakes.workspaces import opened

EVERY = {
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "busy_timeout": 5000,
    "mmap_size": 0,
}


@pytest.fixture
def without_fsync() -> None:
    """Take back what the other tests of this folder do: here the settings of real use are the subject."""


@pytest.fixture
def app(tmp_path: Path):
    """An open workspace."""
    with opened(tmp_path / "ws") as app:
        yield app


def test_that_the_writer_is_durable_and_strict(app: Application) -> None:
    wanted = {**EVERY, "synchronous": 2, "query_only": 0, "wal_autocheckpoint": 0}
    found = app.store.write(
        lambda s: {name: s.connection().exec_driver_sql(f"PRAGMA {name}").scalar() or 0 for name in wanted}, "looking"
    )
    assert found == wanted
    journal = app.store.write(lambda s: s.connection().exec_driver_sql("PRAGMA journal_mode").scalar(), "looking")
    assert journal == "wal"


def test_that_readers_cannot_write_by_mistake(app: Application) -> None:
    with app.store.read() as session:
        run = session.connection().exec_driver_sql
        found = {name: run(f"PRAGMA {name}").scalar() or 0 for name in (*EVERY, "query_only")}
    assert found == {**EVERY, "query_only": 1}
    with closing(connect(app.store.path, "ro")) as raw:
        raw.execute("PRAGMA query_only=0")
        with pytest.raises(sqlite3.OperationalError):
            raw.execute("DELETE FROM setting")


def test_that_no_other_file_can_be_attached(app: Application, tmp_path: Path) -> None:
    with closing(connect(app.store.path, "ro")) as raw, pytest.raises(sqlite3.OperationalError, match="attached"):
        raw.execute("ATTACH ? AS other", (str(tmp_path / "other.db"),))


def test_that_a_setting_sqlite_ignores_is_noticed(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connect_module._EVERY, "foreign_kees", 1)
    with pytest.raises(RuntimeError, match="foreign_kees"):
        connect(app.store.path, "ro")


def test_that_the_file_says_what_it_is(app: Application) -> None:
    with closing(connect(app.store.path, "ro")) as raw:
        assert pragma(raw, "application_id") == APPLICATION_ID
        assert pragma(raw, "user_version") == SCHEMA

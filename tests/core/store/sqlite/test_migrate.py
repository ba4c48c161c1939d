"""Upgrades are all or nothing, after a verified copy."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.errors import StorageFull, UserError
from core.store.sqlite import migrate as migrate_module
from core.store.sqlite.backups import copy_file, listed
from core.store.sqlite.connect import connect, pragma
from core.store.sqlite.identity import SCHEMA, db_path
from core.store.sqlite.migrate import MIGRATIONS, migrate
from tests.fakes.workspaces import opened

NEXT = SCHEMA + 1
HEAD = f"""
from alembic import op
revision, down_revision, branch_labels, depends_on = "{NEXT:04d}", "{SCHEMA:04d}", None, None

def upgrade():
    run = op.get_bind().exec_driver_sql
    run("ALTER TABLE setting ADD COLUMN note TEXT NOT NULL DEFAULT ''")
    run("CREATE TABLE extra(id INTEGER PRIMARY KEY) STRICT")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The database file of a closed workspace."""
    opened(tmp_path / "ws").close()
    return db_path(tmp_path / "ws")


def scripts(tmp_path: Path, tail: str = "") -> Path:
    """Return a folder of migrations with one more than the program has, ending in ``tail``."""
    folder = tmp_path / "scripts"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"v{NEXT:04d}.py").write_text(HEAD + tail)
    return folder


def digest(path: Path) -> str:
    """Return the content hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_that_an_upgrade_changes_the_schema_and_keeps_a_copy(path: Path, tmp_path: Path) -> None:
    copy = migrate(path, copy_file, scripts=scripts(tmp_path), target=NEXT)
    with closing(connect(path, "ro")) as new, closing(connect(copy, "ro")) as old:
        assert (pragma(new, "user_version"), pragma(old, "user_version")) == (NEXT, SCHEMA)
        assert new.execute("SELECT count(*) FROM pair").fetchone() == (6,)
        assert new.execute("SELECT count(*) FROM extra").fetchone() == (0,)
    assert [b.path for b in listed(path.parent)] == [copy]


@pytest.mark.parametrize(
    "tail",
    [
        "    raise RuntimeError('half-way')\n",
        "    run('CREATE TABLE extra(id INTEGER)')\n",
        "    run('DROP TRIGGER prompt_no_delete'); run('DELETE FROM prompt WHERE id=1')\n",
        "    run('not sql')\n",
    ],
    ids=["error", "sql error", "broken reference", "syntax"],
)
def test_that_a_failing_upgrade_leaves_the_file_as_it_was(path: Path, tmp_path: Path, tail: str) -> None:
    before = digest(path)
    with pytest.raises(UserError, match="It is as it was before"):
        migrate(path, copy_file, scripts=scripts(tmp_path, tail), target=NEXT)
    assert digest(path) == before
    assert len(listed(path.parent)) == 1
    opened_again = sqlite3.connect(path)
    assert opened_again.execute("SELECT count(*) FROM sqlite_schema WHERE name='extra'").fetchone() == (0,)
    opened_again.close()


def test_that_damage_found_after_the_commit_brings_the_copy_back(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate_module, "quick_check", lambda _: ["page 3 is torn"])
    with pytest.raises(UserError, match="page 3 is torn"):
        migrate(path, copy_file, scripts=scripts(tmp_path), target=NEXT)
    with closing(connect(path, "ro")) as raw:
        assert pragma(raw, "user_version") == SCHEMA
        assert raw.execute("SELECT count(*) FROM pair").fetchone() == (6,)


def test_that_nothing_is_tried_without_room_for_a_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate_module.shutil, "disk_usage", lambda _: type("Use", (), {"free": 10})())
    with pytest.raises(StorageFull, match="nothing was changed"):
        migrate(path, copy_file)
    assert listed(path.parent) == []


def test_that_opening_upgrades_an_older_workspace(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.store.sqlite import database, identity, opening

    for module in (database, identity, opening):
        monkeypatch.setattr(module, "SCHEMA", NEXT)
    monkeypatch.setattr(migrate, "__kwdefaults__", {"scripts": scripts(tmp_path), "target": NEXT})
    with pytest.raises(UserError, match="older format") as refused:
        database.Store.open(path.parent, read_only=True)
    assert f"pairwright backup {path.parent}" in refused.value.hint  # a command that upgrades it
    with database.Store.open(path.parent) as store, store.read() as session:
        assert session.connection().exec_driver_sql("PRAGMA user_version").scalar() == NEXT
    assert [b.why for b in listed(path.parent)] == [f"before-format-{NEXT}"]

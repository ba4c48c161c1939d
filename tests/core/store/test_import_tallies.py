"""A batch that is counted at its end gives the derived tables that counting row by row gives."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import UserError
from core.services.application import Application
from core.services.importing import job
from core.store import imports
from core.store.adjudications import PICKS_NEED_DECISION_AFTER
from core.store.import_tallies import BatchRange, counted_at_the_end
from core.store.migrations.schema import STATEMENTS
from core.store.sqlite.backups import listed
from core.store.sqlite.connect import APPLICATION_ID, connect, pragma
from core.store.sqlite.identity import SCHEMA, db_path
from core.store.sqlite.migrate import MIGRATIONS, _transaction, _upgrade
from tests.fakes.fresh import fresh
from tests.fakes.workspaces import opened

DERIVED = ("pair_state", "current_label", "label_tally", "counter")
RANGE = "INSERT INTO batch_range(id,prompt_from,prompt_to,pair_from,pair_to,judgement_from,judgement_to)"

Imported = tuple[Path, dict[str, list[Any]]]


def derived(app: Application) -> dict[str, list[Any]]:
    """Return what is counted, without the identities that differ from workspace to workspace."""
    with app.store.read() as session:
        run = session.connection().exec_driver_sql
        found = {table: sorted(map(tuple, run(f"SELECT * FROM {table}").all()), key=repr) for table in DERIVED}
        found["source"] = [tuple(row) for row in run("SELECT id, pairs FROM source").all()]
        return found


def files(folder: Path) -> list[Path]:
    """Write two files with labels of several reviewers: pairs in both, repeats, contradictions, all verdicts, none."""
    draw, paths = random.Random(5), []
    for name in ("one", "two"):
        rows = []
        for _ in range(60):
            number = draw.randrange(40)
            labels = draw.choices(["A", "B", "tie", "both bad", ""], k=2)
            row = {"prompt": f"q{number % 7}", "response1": f"one {number}", "response2": f"two {number}"}
            rows.append({**row, **{f"annotator{i}": label for i, label in enumerate(labels)}})
        paths.append(folder / f"{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    return paths


def filled(folder: Path, paths: list[Path]) -> dict[str, list[Any]]:
    """Import files into a new workspace and return what is counted there."""
    with fresh(folder) as app:
        for path in paths:
            app.imports.run(path)
        assert app.workspace.check().findings == ()
        assert app.workspace.accounting().adds_up
        return derived(app)


def test_that_both_ways_of_counting_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "BATCH_ROWS", 25)
    paths = files(tmp_path)
    at_once = filled(tmp_path / "at once", paths)
    monkeypatch.setattr(imports, "counted_at_the_end", lambda *_: nullcontext())
    assert filled(tmp_path / "row by row", paths) == at_once
    kinds = [sum(row[place] for row in at_once["pair_state"]) for place in range(1, 6)]
    assert all(kinds), "every verdict is among the labels"
    assert dict(at_once["counter"])["labelled"] < dict(at_once["counter"])["labels"]


def test_that_a_commit_with_an_open_range_is_refused(tmp_path: Path) -> None:
    with fresh(tmp_path / "ws") as app:
        before = derived(app)

        def leave_it(session: Any) -> None:
            session.connection().exec_driver_sql(f"{RANGE} VALUES(1,1,9,1,9,1,9)")

        with pytest.raises(Exception, match="FOREIGN KEY constraint failed"):
            app.store.write(leave_it, "leaving the range")
        with closing(sqlite3.connect(app.store.path)) as other:
            other.execute("PRAGMA foreign_keys=ON")
            other.execute(f"{RANGE} VALUES(1,1,9,1,9,1,9)")
            with pytest.raises(sqlite3.IntegrityError):
                other.commit()
            other.rollback()
            with pytest.raises(sqlite3.IntegrityError):
                other.execute(f"{RANGE} VALUES(0,1,9,1,9,1,9)")
        assert derived(app) == before
        assert app.workspace.check().findings == ()


def test_that_a_range_left_by_another_program_is_told_and_gone_with_the_next_import(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "q", "chosen": "a", "rejected": "b"}\n')
    with fresh(tmp_path / "ws") as app:
        with closing(sqlite3.connect(app.store.path)) as other:
            other.execute(f"{RANGE} VALUES(1,900,999,900,999,900,999)")
            other.commit()
        found = [f.message for f in app.workspace.check().findings]
        assert any("batch_range 1" in message for message in found), found
        app.imports.run(path)
        assert dict(derived(app)["counter"])["labelled"] == 1
        assert app.workspace.check().findings == ()


def test_that_a_batch_that_fails_leaves_no_range(tmp_path: Path) -> None:
    with fresh(tmp_path / "ws") as app:

        def failing(session: Any) -> None:
            with counted_at_the_end(session, BatchRange(1, 9, 1, 9, 1, 9), 1):
                raise UserError("half-way")

        with pytest.raises(UserError, match="half-way"):
            app.store.write(failing, "failing")
        assert app.workspace.check().findings == ()


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """Return the file of a workspace of today with an import, and what is counted in it; no test changes it."""
    place = tmp_path_factory.mktemp("today")
    one, _ = files(place)
    with opened(place / "ws") as app:
        app.imports.run(one)
        return db_path(app.folder), derived(app)


@pytest.mark.parametrize("schema", range(1, SCHEMA))
def test_that_an_older_workspace_becomes_one_of_today(tmp_path: Path, imported: Imported, schema: int) -> None:
    _, two = files(tmp_path)
    today, counted = imported
    path = older(tmp_path / "ws", schema, today)
    with Application.open(path.parent) as app:
        (copy,) = listed(path.parent)
        with closing(connect(copy.path, "ro")) as before, closing(connect(path, "ro")) as now:
            assert (pragma(before, "user_version"), pragma(now, "user_version")) == (schema, SCHEMA)
            assert definitions(now) == definitions_of_today()
        assert derived(app) == counted
        assert app.workspace.check().findings == ()
        app.imports.run(two)
        assert app.workspace.check().findings == ()
        assert dict(derived(app)["counter"])["labels"] > dict(counted["counter"])["labels"]


def older(folder: Path, schema: int, today: Path) -> Path:
    """Make a workspace file of an older schema that holds the rows of a file of today."""
    folder.mkdir(mode=0o700)
    path = db_path(folder)
    with closing(connect(path, "rwc")) as raw:
        raw.execute(f"PRAGMA application_id={APPLICATION_ID}")
        with _transaction(raw) as connection:
            _upgrade(connection, MIGRATIONS, schema)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        raw.execute("ATTACH ? AS today", (str(today),))
        triggers = raw.execute("SELECT name, sql FROM sqlite_schema WHERE type='trigger'").fetchall()
        for name, _ in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        for (table,) in raw.execute("SELECT name FROM sqlite_schema WHERE type='table'").fetchall():
            if table.startswith(("sqlite_", "alembic_")):
                continue
            columns = ", ".join(row[1] for row in raw.execute(f"PRAGMA table_info({table})"))
            raw.execute(f"DELETE FROM {table}")
            raw.execute(f"INSERT INTO {table}({columns}) SELECT {columns} FROM today.{table}")
        raw.execute("DELETE FROM meta WHERE key=?", (PICKS_NEED_DECISION_AFTER,))  # written by the last step to today
        for _, sql in triggers:
            raw.execute(sql)
        raw.commit()
    return path


def definitions(connection: sqlite3.Connection) -> dict[str, str]:
    """Return every table, index and trigger."""
    query = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    return {f"{kind} {name}": sql for kind, name, sql in connection.execute(query) if name != "alembic_version"}


def definitions_of_today() -> dict[str, str]:
    """Return those of a new workspace."""
    with closing(sqlite3.connect(":memory:")) as fresh_one:
        for statement in STATEMENTS:
            fresh_one.execute(statement)
        return definitions(fresh_one)

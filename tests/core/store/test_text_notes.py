"""What is derived from the texts is the same whether it was noted at import or by the upgrade of an older file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.services.application import Application
from core.store import text_notes
from core.store.sqlite.identity import db_path
from tests.fakes.fresh import fresh

LINES = (
    '{"prompt": "Name a river", "chosen": "Rhine", "rejected": "Rhine "}\n'
    '{"prompt": "NAME a river ", "chosen": "", "rejected": "<|im_start|>x"}\n'
    '{"prompt": "Name a lake", "chosen": "Como", "rejected": "a hill"}\n'
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


def stored(raw: sqlite3.Connection) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    keys = raw.execute("SELECT prompt_id, same, words FROM prompt_key ORDER BY prompt_id").fetchall()
    return keys, raw.execute("SELECT pair_id, flags FROM pair_flag ORDER BY pair_id").fetchall()


def test_that_an_upgrade_notes_what_an_import_notes(app: Application, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(LINES)
    app.imports.run(path)
    folder = app.folder
    assert app.workspace.check().ok
    app.close()
    with closing(sqlite3.connect(db_path(folder))) as raw:
        keys, flags = stored(raw)
        assert keys[0][1] == keys[1][1] != keys[2][1]
        assert flags == [(1, 1), (2, 2 | 8)]
        raw.execute("DELETE FROM prompt_key")
        raw.execute("DELETE FROM pair_flag")
        text_notes.note_all(raw)
        assert stored(raw) == (keys, flags)


def test_that_a_changed_flag_or_key_is_noticed(app: Application, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(LINES)
    app.imports.run(path)
    app.store.write(
        lambda session: [
            session.connection().exec_driver_sql(statement)
            for statement in (
                "UPDATE pair_flag SET flags=2 WHERE pair_id=1",
                "INSERT INTO pair_flag(pair_id, flags) VALUES(3, 1)",
                "DELETE FROM prompt_key WHERE prompt_id=2",
            )
        ],
        "changing what was derived",
    )
    report = app.workspace.check()
    assert [finding.message for finding in report.findings] == [
        "The keys of prompt 2 are missing or wrong.",
        "The text flags of pair 1 are missing or wrong.",
        "Pair 3 has text flags that its texts do not give.",
    ]

"""What was acknowledged and is gone is told with numbers; what is whole is never suspected."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from core.services.application import Application
from core.store.sqlite.commit_mark import MARK_FILE, CommitMark, missing, read_noted
from core.store.sqlite.database import Store
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import fill, opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a closed workspace with six pairs."""
    opened(tmp_path / "ws").close()
    return tmp_path / "ws"


def add_and_die(folder: Path, pairs: int) -> None:
    """Add pairs in another process that ends as kill -9 ends it: the log is left, nothing is closed."""
    pid = os.fork()
    if not pid:
        fill(Store.open(folder), pairs, "added")
        os._exit(0)
    os.waitpid(pid, 0)


needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


@needs_fork
def test_that_a_log_that_was_deleted_after_a_kill_is_told_with_counts_and_the_newest_backup(folder: Path) -> None:
    with Application.open(folder) as app:
        backup = app.workspace.backup()
    add_and_die(folder, 7)
    Path(f"{db_path(folder)}-wal").unlink()
    with Application.open(folder, read_only=True) as app:
        (finding,) = app.workspace.check().findings
        assert finding.serious
    with Application.open(folder) as app:
        (loss,) = app.workspace.losses()
        assert (loss.pairs, loss.judgements) == (7, 0)
        (note,) = app.workspace.notes()
        assert note.startswith("7 pairs that had been saved by ")
        assert str(backup) in note
        assert not app.workspace.check().ok
    with Application.open(folder) as app:
        assert len(app.workspace.losses()) == 1, "it is told until somebody accepts it"
        assert app.workspace.accept_losses().value == 1
        assert app.workspace.check().findings == ()
        assert app.workspace.notes() == []


@needs_fork
def test_that_a_kill_alone_loses_nothing_and_says_nothing(folder: Path) -> None:
    add_and_die(folder, 7)
    with Application.open(folder) as app:
        assert app.pairs.count() == 13
        assert app.workspace.losses() == []
        assert app.workspace.check().findings == ()


def test_that_an_older_copy_put_in_place_of_a_closed_workspace_is_told(folder: Path, tmp_path: Path) -> None:
    shutil.copy(db_path(folder), tmp_path / "older.db")
    with Application.open(folder) as app:
        fill(app.store, 3, "later")
    shutil.copy(tmp_path / "older.db", db_path(folder))
    with Application.open(folder) as app:
        assert [loss.pairs for loss in app.workspace.losses()] == [3]


def test_that_a_copy_with_other_work_and_as_many_rows_in_place_of_a_closed_workspace_is_told(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "other")
    for place, text in ((folder, "here"), (tmp_path / "other", "there")):
        with Application.open(place) as app:
            fill(app.store, 3, text)
    shutil.copy(db_path(tmp_path / "other"), db_path(folder))
    with Application.open(folder, read_only=True) as app:
        assert any("hash chain" in finding.message for finding in app.workspace.check().findings)
    with Application.open(folder) as app:
        (loss,) = app.workspace.losses()
        assert (loss.pairs, loss.judgements, loss.events) == (0, 0, 0)
        assert "another entry" in loss.words
        assert not app.workspace.check().ok
        app.workspace.accept_losses()
    with Application.open(folder) as app:
        assert app.workspace.losses() == []


def test_that_a_note_of_an_earlier_version_without_a_head_is_read(folder: Path) -> None:
    row = json.loads((folder / MARK_FILE).read_text())
    del row["head"]
    (folder / MARK_FILE).write_text(json.dumps(row))
    noted = read_noted(folder)
    assert noted is not None
    assert noted.head == ""
    with Application.open(folder) as app:
        assert app.workspace.losses() == []


def test_that_the_note_of_another_workspace_says_nothing(folder: Path, tmp_path: Path) -> None:
    opened(tmp_path / "other", pairs=9).close()
    shutil.copy(tmp_path / "other" / MARK_FILE, folder / MARK_FILE)
    with Application.open(folder) as app:
        assert app.workspace.losses() == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"judgements": "x"}', b"[" * 999, b'{"uuid": 1}'])
def test_that_an_unreadable_note_is_no_obstacle(folder: Path, content: bytes) -> None:
    (folder / MARK_FILE).write_bytes(content)
    assert read_noted(folder) is None
    Application.open(folder).close()
    assert read_noted(folder) is not None


def test_that_a_mark_leads_only_by_what_it_has_more() -> None:
    assert CommitMark(5, 2, 9).lead(CommitMark(5, 2, 9)) is None
    assert CommitMark(5, 2, 9).lead(CommitMark(6, 3, 10)) is None
    assert CommitMark(5, 2, 9).lead(CommitMark(3, 4, 9)) == CommitMark(2, 0, 0)


def test_that_a_writer_at_work_is_not_taken_for_a_loss(folder: Path) -> None:
    with Application.open(folder) as app:
        fill(app.store, 2, "one")
        assert read_noted(folder) is not None

        def lead_of(noted: CommitMark) -> CommitMark | None:
            fill(app.store, 2, "two")
            return app.store.lead_of(noted)

        assert missing(folder, app.store.uuid, lead_of) is None

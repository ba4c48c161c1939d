"""A commit is acknowledged only while the open file is the one that its path names, and the lock is the named one."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.errors import UserError, WorkspaceInUse, WorkspaceReplaced
from core.services.application import Application
from core.store.sqlite.database import Store
from core.store.sqlite.identity import db_path
from core.store.tables import SettingRow
from core.store.workspace_lock import lock_workspace
from tests.fakes.workspaces import fill, opened

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be moved or replaced there")


def put(key: str):
    """Return a job that stores a setting of this name."""
    return lambda session: session.add(SettingRow(key=key, value="1"))


def keys(path: Path) -> list[str]:
    """Return the names of the settings in a file that no writer has open."""
    with closing(sqlite3.connect(path)) as raw:
        return [row[0] for row in raw.execute("SELECT key FROM setting ORDER BY key")]


def checkpoint(app: Application) -> None:
    """Let the writer move its log into the file, as it does when it is idle."""
    app.store._writer._between_jobs(app.store._writer._checkpoint)  # type: ignore[union-attr]


def replaced(folder: Path) -> None:
    """What a sync program does: it writes the other computer's copy beside the file and renames it."""
    shutil.copy(folder.parent / "older.db", folder / "incoming")
    (folder / "incoming").rename(db_path(folder))


def deleted(folder: Path) -> None:
    db_path(folder).unlink()


def renamed(folder: Path) -> None:
    db_path(folder).rename(folder / "workspace (conflict).db")


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def folder_deleted(folder: Path) -> None:
    shutil.rmtree(folder)


def overwritten(folder: Path) -> None:
    """What ``cp older.db workspace.db`` does: the same inode with other contents."""
    db_path(folder).write_bytes((folder.parent / "older.db").read_bytes())


KINDS = {
    replaced: "took the place",
    deleted: "moved or deleted",
    renamed: "moved or deleted",
    moved: "moved or deleted",
    folder_deleted: "moved or deleted",
    overwritten: "wrote into",
}


@pytest.fixture
def app(tmp_path: Path):
    """An open workspace, with a copy of an earlier state beside its folder."""
    opened(tmp_path / "ws").close()
    shutil.copy(db_path(tmp_path / "ws"), tmp_path / "older.db")
    with Application.open(tmp_path / "ws") as app:
        app.store.write(put("acknowledged"), "putting")
        fill(app.store, 3, "acknowledged")
        checkpoint(app)
        yield app


@pytest.mark.parametrize("act", KINDS, ids=lambda act: act.__name__)
def test_that_nothing_is_acknowledged_once_the_file_lost_its_name(
    app: Application, act: Callable[[Path], None]
) -> None:
    act(app.folder)
    with pytest.raises(WorkspaceReplaced, match=KINDS[act]) as caught:
        app.store.write(put("later"), "putting")
    assert caught.value.hint
    assert KINDS[act] in str(app.workspace.place_problem())
    with pytest.raises(WorkspaceReplaced):
        app.workspace.backup()


@pytest.mark.parametrize("act", [act for act in KINDS if act is not overwritten], ids=lambda act: act.__name__)
def test_that_what_was_acknowledged_is_rescued_when_the_workspace_is_closed(
    app: Application, act: Callable[[Path], None], pairwright_home: Path
) -> None:
    act(app.folder)
    with pytest.raises(WorkspaceReplaced):
        app.store.write(put("later"), "putting")
    app.close()
    here = act in (replaced, deleted, renamed)
    place = app.folder / "backups" if here else pairwright_home / "rescued"
    (copy,) = place.glob("workspace-*.db")
    assert keys(copy) == ["acknowledged"]


def test_that_a_copy_of_the_held_file_becomes_a_workspace_where_the_user_says(app: Application, tmp_path: Path) -> None:
    deleted(app.folder)
    assert app.workspace.rescue(tmp_path / "saved" / "here") == tmp_path / "saved" / "here"
    with Application.open(tmp_path / "saved" / "here") as again:
        assert again.workspace.check().findings == ()
        assert keys(again.store.path) == ["acknowledged"]
        assert again.store.uuid == app.store.uuid


def test_that_closing_leaves_the_file_that_took_the_place_as_it_is(app: Application) -> None:
    replaced(app.folder)
    before = db_path(app.folder).read_bytes()
    app.close()
    assert db_path(app.folder).read_bytes() == before
    assert not Path(f"{db_path(app.folder)}-wal").exists(), "the log of the other file would damage this one"
    with Application.open(app.folder) as again:
        assert again.pairs.count() == 6
        assert not [finding for finding in again.workspace.check().findings if finding.check != "saved work"]


def test_that_closing_writes_nothing_into_a_file_that_was_overwritten(app: Application) -> None:
    overwritten(app.folder)
    before = db_path(app.folder).read_bytes()
    app.close()
    assert db_path(app.folder).read_bytes() == before
    with Application.open(app.folder) as again:
        assert again.pairs.count() == 6


def test_that_a_log_left_by_a_killed_program_is_not_read_into_a_replaced_file(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    opened(folder).close()
    shutil.copy(db_path(folder), tmp_path / "older.db")
    pid = os.fork()
    if not pid:
        store = Store.open(folder)
        fill(store, 20, "more")
        os._exit(0)  # as kill -9 does: the log is left as it is
    os.waitpid(pid, 0)
    replaced(folder)
    with Application.open(folder) as app:
        assert app.pairs.count() == 6
        assert any("replaced" in note for note in app.workspace.notes())
        assert app.workspace.check().findings[0].check == "saved work"
    assert list((folder / "backups").glob("left-over-log-*")), "nothing is thrown away"


def test_that_a_file_that_somebody_only_touched_goes_on(app: Application) -> None:
    os.utime(db_path(app.folder), (1, 1))
    app.store.write(put("later"), "putting")
    assert app.workspace.place_problem() is None


def test_that_a_folder_that_comes_back_goes_on(app: Application) -> None:
    moved(app.folder)
    with pytest.raises(WorkspaceReplaced):
        app.store.write(put("meanwhile"), "putting")
    app.folder.with_name("elsewhere").rename(app.folder)
    app.store.write(put("later"), "putting")
    assert app.workspace.place_problem() is None


def test_that_many_commits_and_checkpoints_never_look_like_another_program(app: Application) -> None:
    for number in range(30):
        app.store.write(put(f"k{number}"), "putting")
        checkpoint(app)
        assert app.workspace.place_problem() is None


def other_state_with_as_many_rows(folder: Path, beside: Path) -> Path:
    """Make a workspace and return the file of another state of it: as many pairs and events, other texts."""
    opened(folder).close()
    shutil.copytree(folder, beside)
    for place, text in ((folder, "here"), (beside, "there")):
        with Application.open(place) as app:
            fill(app.store, 3, text)
    return db_path(beside)


@pytest.mark.parametrize("moved_into_file", [True, False], ids=["log in the file", "log beside the file"])
@pytest.mark.parametrize("times_kept", [True, False], ids=["times kept", "times new"])
def test_that_another_state_with_as_many_rows_written_over_the_file_is_seen(
    tmp_path: Path, moved_into_file: bool, times_kept: bool
) -> None:
    other = other_state_with_as_many_rows(tmp_path / "ws", tmp_path / "other").read_bytes()
    with Application.open(tmp_path / "ws") as app:
        fill(app.store, 2, "more")
        if moved_into_file:
            checkpoint(app)
        before = db_path(app.folder).stat()
        with db_path(app.folder).open("r+b") as handle:
            handle.write(other[: before.st_size].ljust(before.st_size, b"\0"))
        if times_kept:
            os.utime(db_path(app.folder), ns=(before.st_atime_ns, before.st_mtime_ns))
        with pytest.raises(WorkspaceReplaced, match="wrote into"):
            app.store.write(put("later"), "putting")
        with pytest.raises(WorkspaceReplaced):
            app.workspace.backup()


def test_that_a_state_of_equal_counts_is_seen_though_the_log_lies_over_it(tmp_path: Path) -> None:
    """The log holds the newest entry of the chain, which a look through the log finds in the wrong file too."""
    other = other_state_with_as_many_rows(tmp_path / "ws", tmp_path / "other").read_bytes()
    with Application.open(tmp_path / "ws") as app:
        checkpoint(app)
        app.store.write(put("in the log"), "putting")
        with db_path(app.folder).open("r+b") as handle:
            handle.write(other)
        with pytest.raises(WorkspaceReplaced, match="wrote into"):
            app.store.write(put("later"), "putting")


def test_that_changed_rights_and_links_of_the_file_go_on(app: Application) -> None:
    db_path(app.folder).chmod(0o640)
    app.store.write(put("after rights"), "putting")
    os.link(db_path(app.folder), app.folder / "link")
    app.store.write(put("after a link"), "putting")
    assert app.workspace.place_problem() is None


def test_that_a_new_reader_does_not_read_another_file(app: Application) -> None:
    replaced(app.folder)
    app.store._readers.dispose()
    with pytest.raises(WorkspaceReplaced), app.store.read() as session:
        session.get(SettingRow, "acknowledged")


def test_that_a_deleted_lock_file_admits_no_second_writer(app: Application) -> None:
    (app.folder / ".lock").unlink()
    with pytest.raises(WorkspaceInUse, match="lock file was removed"):
        Application.open(app.folder)
    app.store.write(put("later"), "putting")
    with pytest.raises(WorkspaceInUse, match=f"process {os.getpid()}"):
        Application.open(app.folder)


def test_that_both_sides_notice_where_a_folder_cannot_be_locked(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.store.workspace_lock._lock_folder", lambda _: None)
    (app.folder / ".lock").unlink()
    with lock_workspace(app.folder):
        for _ in range(2):
            with pytest.raises(WorkspaceReplaced, match=r"has opened the workspace since"):
                app.store.write(put("later"), "putting")
    with pytest.raises(WorkspaceReplaced):
        app.store.write(put("even later"), "putting")


def test_that_a_workspace_on_a_full_disk_says_so_instead_of_a_backup(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.store.sqlite.backups.create_private_file", full)
    with pytest.raises(UserError, match=r"No space left on device\. The workspace is untouched"):
        app.workspace.backup()
    assert list((app.folder / "backups").iterdir()) == []

"""Opening, closing and refusing workspace files."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.errors import BadInput, NotFound, UserError, WorkspaceDamaged, WorkspaceInUse, WorkspaceNewer
from core.store.sqlite import identity
from core.store.sqlite.database import Store
from core.store.sqlite.identity import db_path
from core.store.tables import SettingRow
from tests.fakes.workspaces import opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a closed workspace with six pairs."""
    opened(tmp_path / "ws").close()
    return tmp_path / "ws"


def state(folder: Path) -> dict[str, str]:
    """Return name -> content hash of every file in a folder; the lock file says nothing about the workspace."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != ".lock")
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def alter(path: Path, statement: str) -> None:
    """Run one statement on a closed database file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute(statement)


def refusal(folder: Path) -> UserError | None:
    """Return why a workspace does not open for reading, or None when it does. Anything else fails the test."""
    try:
        Store.open(folder, read_only=True).close()
    except (WorkspaceDamaged, WorkspaceNewer) as error:
        return error
    return None


def test_that_a_closed_workspace_is_one_file_that_opens_again(tmp_path: Path) -> None:
    with Store.open(tmp_path / "new", create=True, name="Mine") as store:
        uuid = store.uuid
        store.write(lambda s: s.add(SettingRow(key="k", value="1")), "putting")
        assert (tmp_path / "new" / "workspace.db-wal").exists()
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [".last-commit", ".lock", "workspace.db"]
    with Store.open(tmp_path / "new") as store, store.read() as session:
        assert store.uuid == uuid
        assert session.get(SettingRow, "k") is not None


def test_that_a_missing_workspace_is_not_made_by_accident(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="holds no workspace"):
        Store.open(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_that_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"thesis\.txt"):
        Store.open(tmp_path, create=True)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_that_making_a_workspace_fails_in_words_where_nothing_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made"):
        Store.open(tmp_path / "file" / "ws", create=True)


def test_that_a_second_opening_is_told_who_has_it(folder: Path) -> None:
    with Store.open(folder), pytest.raises(WorkspaceInUse, match=f"process {os.getpid()}"):
        Store.open(folder)
    Store.open(folder).close()


def test_that_reading_works_beside_a_writer_and_writes_nothing(folder: Path) -> None:
    with Store.open(folder) as writer:
        writer.write(lambda s: s.add(SettingRow(key="k", value="1")), "putting")
        with Store.open(folder, read_only=True) as reader:
            with reader.read() as session:
                assert session.get(SettingRow, "k") is not None
            with pytest.raises(UserError, match="reading only"):
                reader.write(lambda _: None, "nothing")


def test_that_a_closed_workspace_can_be_read_from_read_only_media(folder: Path) -> None:
    (folder / ".lock").unlink()
    before = state(folder)
    for path in (db_path(folder), folder):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        with Store.open(folder, read_only=True) as store, store.read() as session:
            assert session.get(SettingRow, "k") is None
        if os.geteuid() != 0:
            with pytest.raises(UserError, match="may not be written"):
                Store.open(folder)
    finally:
        folder.chmod(0o755)
    assert state(folder) == before
    assert not (folder / ".lock").exists() or os.geteuid() == 0


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("PRAGMA application_id=1", WorkspaceDamaged, "another program"),
        ("PRAGMA user_version=99", WorkspaceNewer, "format 99"),
    ],
)
def test_that_foreign_and_newer_files_are_refused_untouched(
    folder: Path, statement: str, kind: type[UserError], words: str
) -> None:
    alter(db_path(folder), statement)
    for name in (".lock", ".last-commit"):
        (folder / name).unlink()
    before = state(folder)
    for read_only in (False, True):
        with pytest.raises(kind, match=words):
            Store.open(folder, read_only=read_only)
    with pytest.raises(kind):
        Store.open(folder, create=True)
    assert state(folder) == before
    assert sorted(p.name for p in folder.iterdir()) == ["workspace.db"], "not even a lock file is left"


def test_that_what_is_not_a_database_is_refused_untouched(tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"hello", b"SQLite format 3\x00", os.urandom(8192))):
        folder = tmp_path / str(number)
        folder.mkdir()
        db_path(folder).write_bytes(content)
        with pytest.raises(WorkspaceDamaged, match=r"nothing was written|empty"):
            Store.open(folder, create=True)
        assert db_path(folder).read_bytes() == content
        assert [p.name for p in folder.iterdir()] == ["workspace.db"]


def test_that_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    db_path(tmp_path).mkdir()
    with pytest.raises(WorkspaceDamaged, match="not a file"):
        Store.open(tmp_path, create=True)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
def test_that_a_pipe_in_place_of_the_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(db_path(tmp_path))
    with pytest.raises(WorkspaceDamaged, match="not a file"):
        Store.open(tmp_path)


def test_that_damaged_files_are_refused_or_open_soundly_and_never_written(folder: Path, tmp_path: Path) -> None:
    """Forty truncations and random damages: either a clear refusal, or a file whose quick check is clean."""
    rng = random.Random(7)
    whole = db_path(folder).read_bytes()
    refused = 0
    for number in range(40):
        data = bytearray(whole)
        if number % 2:
            data = data[: rng.randrange(1, len(whole))]
        else:
            for _ in range(200):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        target = tmp_path / f"d{number}"
        target.mkdir()
        db_path(target).write_bytes(data)
        problem = refusal(target)
        if problem is not None:
            refused += 1
            assert problem.hint
            with pytest.raises((WorkspaceDamaged, WorkspaceNewer)):
                Store.open(target)
        assert db_path(target).read_bytes() == bytes(data), "a damaged file is evidence and stays as it is"
        shutil.rmtree(target)
    assert refused >= 38


def test_that_work_of_a_killed_program_is_there_and_leftovers_are_swept(folder: Path, tmp_path: Path) -> None:
    """A copy of the open files is what a power cut leaves: the log is read back at the next start."""
    left = tmp_path / "left"
    with Store.open(folder) as store:
        store.write(lambda s: s.add(SettingRow(key="k", value="1")), "putting")
        shutil.copytree(folder, left)
    (left / ".tmp-abc.db").write_bytes(b"half a file")
    with Store.open(left, read_only=True) as store, store.read() as session:
        assert session.get(SettingRow, "k") is not None
    with Store.open(left) as store, store.read() as session:
        assert session.get(SettingRow, "k") is not None
    assert sorted(p.name for p in left.iterdir()) == [".last-commit", ".lock", "workspace.db"]


def test_that_opening_spares_what_a_reader_may_be_writing(folder: Path) -> None:
    exports = folder / "exports"
    exports.mkdir()
    for name, age_s in ((".tmp-new", 3600), (".tmp-old", 25 * 3600), ("done", 25 * 3600)):
        (exports / name).mkdir()
        os.utime(exports / name, (time.time() - age_s,) * 2)
    Store.open(folder).close()
    assert sorted(p.name for p in exports.iterdir()) == [".tmp-new", "done"]


def test_that_large_files_are_not_checked_in_full_on_opening(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_QUICK_CHECK_BELOW", 10)
    monkeypatch.setattr(identity, "quick_check", lambda _: pytest.fail("checked"))
    Store.open(folder).close()


def test_that_closing_twice_is_harmless(folder: Path) -> None:
    store = Store.open(folder)
    store.close()
    store.close()

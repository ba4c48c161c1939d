from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core import durable
from core.domain.errors import BadInput, UserError
from core.services.written_files import chosen_place


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a folder with the files that a workspace keeps."""
    folder = tmp_path / "ws"
    for name in ("runs/r1/run.json", "backups/b.db", "mine/table.csv", "table.csv", ".lock"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("kept")
    with closing(sqlite3.connect(folder / "workspace.db")) as raw:
        raw.execute("CREATE TABLE t (x)")
    return folder


@pytest.mark.parametrize("name", ["workspace.db", "runs/r1/run.json", "backups/b.db", ".lock"])
def test_that_a_file_that_a_workspace_keeps_is_no_place_to_write(workspace: Path, name: str) -> None:
    with pytest.raises(BadInput, match="is a file of the workspace"):
        chosen_place(workspace / name, replace=True)


@pytest.mark.parametrize("name", ["table.csv", "mine/table.csv", "runs/new.html"])
def test_that_other_files_in_its_folder_may_be_written(workspace: Path, name: str) -> None:
    assert chosen_place(workspace / name, replace=True) == workspace / name


def test_that_the_file_that_is_read_is_not_written_under_any_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("{}")
    (tmp_path / "same").symlink_to("in.jsonl")
    for name in ("in.jsonl", "same"):
        with pytest.raises(BadInput, match="the file that is read"):
            chosen_place(tmp_path / name, tmp_path / "in.jsonl", replace=True)


def test_that_a_file_that_is_there_is_replaced_only_where_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("kept")
    assert chosen_place(tmp_path / "new.csv") == tmp_path / "new.csv"
    with pytest.raises(BadInput, match=r"there\.csv exists already; nothing was written"):
        chosen_place(tmp_path / "there.csv")
    with pytest.raises(BadInput, match="is a folder"):
        chosen_place(tmp_path, replace=True)


def _writes(path: Path, draft: Path) -> None:
    for write in (
        lambda: durable.write_bytes(path, b"x"),
        lambda: durable.write_stream(path, [b"x"]),
        lambda: durable.move(draft, path),
    ):
        with pytest.raises(UserError, match=r"not a regular file|is a database"):
            write()


def test_that_a_database_is_never_replaced_by_a_file(workspace: Path) -> None:
    before = (workspace / "workspace.db").read_bytes()
    (workspace / "link.db").symlink_to("workspace.db")
    _writes(workspace / "workspace.db", workspace / "table.csv")
    _writes(workspace / "link.db", workspace / "table.csv")
    assert (workspace / "workspace.db").read_bytes() == before and (workspace / "table.csv").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_that_a_pipe_or_a_link_to_a_device_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "out").symlink_to("/dev/null")
    (tmp_path / "draft").write_text("x")
    for name in ("pipe", "out"):
        _writes(tmp_path / name, tmp_path / "draft")
    assert (tmp_path / "pipe").is_fifo() and (tmp_path / "out").is_symlink()

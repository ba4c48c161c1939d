"""What a killed program left in a place that the user chose is removed at the next start, and nothing else is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from core import durable
from core.services.application import Application
from core.unfinished import noted, sweep, temporary_folder
from tests.fakes.workspaces import opened


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("kind", ["file", "folder", "database", "temporary folder"])
def test_that_the_next_start_removes_what_a_killed_program_left(tmp_path: Path, kind: str) -> None:
    opened(tmp_path / "ws").close()
    place = tmp_path / "chosen"
    place.mkdir()
    (place / "mine.txt").write_text("kept")
    pid = os.fork()
    if not pid:

        def die(*_: object) -> None:
            os._exit(9)

        if kind == "file":
            durable.write_stream(place / "out.csv", (die() or b"" for _ in range(1)))  # type: ignore[misc]
        elif kind == "folder":
            durable.publish_folder(place / "out", lambda folder: die((folder / "half").write_text("x")))
        elif kind == "temporary folder":
            with temporary_folder(place) as folder:
                die((folder / "half").write_text("x"))
        else:
            with noted(place / ".tmp-x.db"):
                (place / ".tmp-x.db").write_text("half")
                (place / ".tmp-x.db-journal").write_text("half")
                die()
    os.waitpid(pid, 0)
    assert any(path.name.startswith(".tmp-") for path in place.iterdir())
    Application.open(tmp_path / "ws", read_only=True).close()
    assert [path.name for path in place.iterdir()] == ["mine.txt"]


def test_that_what_is_being_written_now_is_spared(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as folder:
        assert sweep() == []
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "note",
    [
        "",
        "[]",
        "{}",
        json.dumps({"path": "relative/.tmp-x", "pid": 1, "began": 0}),
        json.dumps({"path": "/etc/passwd", "pid": 999999, "began": 1}),
    ],
)
def test_that_a_note_that_names_anything_else_removes_nothing(pairwright_home: Path, note: str) -> None:
    place = pairwright_home / "cache" / "unfinished"
    place.mkdir(parents=True)
    (place / "1.json").write_text(note)
    assert sweep() == []
    assert list(place.iterdir()) == []


def test_that_a_place_that_cannot_be_noted_stops_no_write(tmp_path: Path, pairwright_home: Path) -> None:
    (pairwright_home / "cache").write_text("a file where the folder should be")
    durable.write_text(tmp_path / "out", "x")
    assert (tmp_path / "out").read_text() == "x"

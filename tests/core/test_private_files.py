"""What a workspace holds can be read by its owner only, whatever the umask is."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import durable
from core.cli.app import main
from core.private_files import create_private_file, make_folders, make_private_folder, tighten
from core.services.application import Application
from core.unfinished import noted
from tests.fakes.workspaces import fill, opened

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows inherits rights from the user's folders")


@pytest.fixture(params=[0o000, 0o022, 0o277], ids=["umask 000", "umask 022", "umask 277"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Return the rights of a folder and all in it that are not 0700 for folders and 0600 for files."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode != (0o700 if path.is_dir() else 0o600):
            found[path.name] = oct(mode)
    return found


def test_that_a_workspace_is_private_from_its_first_moment(tmp_path: Path, umask: int) -> None:
    with Application.open(tmp_path / "ws", create=True) as app:
        fill(app.store, 3)
        app.workspace.backup()
        assert (app.folder / "workspace.db-wal").exists()
        assert modes(app.folder) == {}
    assert modes(tmp_path / "ws") == {}


def test_that_the_users_folder_is_private_from_its_first_moment(
    tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path / "home"))
    with noted(tmp_path / "export.jsonl"):
        assert list((tmp_path / "home" / "cache" / "unfinished").iterdir())
        assert modes(tmp_path / "home") == {}


def test_that_an_older_workspace_is_tightened_with_a_note(tmp_path: Path) -> None:
    opened(tmp_path / "ws").close()
    (tmp_path / "ws").chmod(0o755)
    (tmp_path / "ws" / "workspace.db").chmod(0o644)
    with Application.open(tmp_path / "ws") as app:
        assert modes(app.folder) == {}
        assert app.workspace.notes() == [
            "2 files and folders of this workspace could be read by other users of this computer; "
            "now only you can read them."
        ]
    with Application.open(tmp_path / "ws") as app:
        assert app.workspace.notes() == []


def test_that_files_follow_the_folder_they_are_written_to(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        make_private_folder(tmp_path / "mine")
        (tmp_path / "shared").mkdir(mode=0o755)
        for name in ("mine", "shared"):
            durable.write_text(tmp_path / name / "file", "x")
            durable.publish_folder(tmp_path / name / "folder", lambda place: durable.write_text(place / "a", "x"))
    finally:
        os.umask(before)
    assert modes(tmp_path / "mine") == {}
    assert oct(stat.S_IMODE((tmp_path / "shared" / "file").stat().st_mode)) == "0o644"
    assert oct(stat.S_IMODE((tmp_path / "shared" / "folder" / "a").stat().st_mode)) == "0o644"


def test_that_tightening_follows_no_link_and_counts_what_it_changed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("not mine to change")
    outside.chmod(0o644)
    folder = tmp_path / "ws"
    folder.mkdir(mode=0o755)
    (folder / "link").symlink_to(outside)
    assert tighten(folder) == 1
    assert tighten(folder) == 0
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


def test_that_a_private_file_is_never_one_that_exists(tmp_path: Path) -> None:
    create_private_file(tmp_path / "x")
    with pytest.raises(FileExistsError):
        create_private_file(tmp_path / "x")


def test_that_new_folders_and_what_is_published_in_them_follow_the_folder_above(tmp_path: Path) -> None:
    def fill_folder(folder: Path) -> None:
        (folder / "adapter").mkdir()
        (folder / "adapter" / "weights").write_text("1")

    for name, mode, private in (("mine", 0o700, True), ("shared", 0o755, False)):
        place = tmp_path / name
        place.mkdir()
        place.chmod(mode)
        make_folders(place / "checkpoints" / "old")
        durable.publish_folder(place / "runs" / "step-2", fill_folder)
        assert (modes(place) == {}) is private


def test_that_all_that_a_run_writes_is_private(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    place.mkdir(mode=0o700)
    words = ["train", "--pairs", GOLDEN / "pairs.jsonl", "--model", GOLDEN / "model", "--out", place / "run"]
    settings = ("template=none", "steps=1", "batch_size=2", "threads=1", "kl_every=0", "sample_every=0")
    assert main([*map(str, words), *(word for s in settings for word in ("--set", s))]) == 0
    assert modes(place) == {}

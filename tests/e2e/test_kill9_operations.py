"""kill -9 in the middle of an import, an export or a backup: nothing half shown, nothing lost, and again it works."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from core import durable
from core.services.application import Application
from core.services.importing import job
from core.services.workspace.service import backups_of, restore
from tests.fakes.fresh import fresh

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")

CONTEXT = multiprocessing.get_context("forkserver") if sys.platform != "win32" else multiprocessing.get_context()
CONTEXT.set_forkserver_preload(
    ["core.services.application", "core.services.importing.service", "core.services.datasets.export"]
)
ROWS = 1500


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "many.jsonl"
    rows = [{"prompt": f"Q{i}", "chosen": f"yes {i} " * 20, "rejected": f"no {i} " * 20} for i in range(ROWS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def import_(folder: str, data: str, ready: Connection) -> None:
    """Import in small batches; ready once some of them are stored."""
    job.BATCH_ROWS = 100
    told: list[int] = []
    with Application.open(Path(folder)) as app:
        app.imports.run(
            Path(data), on_progress=lambda done: told or done.imported < 300 or (told.append(1), ready.send(0))
        )


def export(folder: str, target: str, ready: Connection) -> None:
    """Export the dataset version."""
    with Application.open(Path(folder)) as app:
        ready.send(0)
        app.datasets.export("d", Path(target))


def freeze(folder: str, name: str, ready: Connection) -> None:
    """Freeze a dataset version with a sealed test split."""
    with Application.open(Path(folder)) as app:
        ready.send(0)
        app.datasets.freeze(name)


def backup(folder: str, _: str, ready: Connection) -> None:
    """Make a backup."""
    with Application.open(Path(folder)) as app:
        ready.send(0)
        app.workspace.backup()


def restore_(folder: str, target: str, ready: Connection) -> None:
    """Restore the newest backup to a new folder."""
    (copy, *_) = backups_of(Path(folder))
    ready.send(0)
    restore(copy.path, Path(target))


def table(folder: str, target: str, ready: Connection) -> None:
    """Write the pair table into a folder of the user."""
    os.environ["PAIRWRIGHT_HOME"] = str(Path(folder).parent / "home")  # the server of the children has an older one
    with Application.open(Path(folder), read_only=True) as app:
        ready.send(0)
        app.pairs.export_table(Path(target) / "pairs.csv")


def kill_once(act: Callable[..., None], folder: Path, other: Path, seconds: float) -> None:
    """Let a child do the act and kill it some seconds after it opened the workspace."""
    receive, send = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=act, args=(str(folder), str(other), send), daemon=True)
    child.start()
    send.close()
    with receive:
        assert receive.recv() == 0, "the child could not open the workspace"
    child.join(seconds)
    child.kill()
    child.join()


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with all pairs and a dataset version, which each test copies."""
    folder = tmp_path_factory.mktemp("whole") / "ws"
    with fresh(folder) as app:
        app.imports.run(data, consent="granted")
        app.datasets.freeze("d")
    return folder


@pytest.mark.parametrize("kills", [2, pytest.param(200, marks=pytest.mark.slow)])
def test_that_an_import_killed_anywhere_leaves_whole_batches_and_goes_on(
    tmp_path: Path, data: Path, kills: int
) -> None:
    rng, halves = random.Random(1), 0
    for number in range(kills):
        folder = tmp_path / f"ws{number}"
        fresh(folder).close()
        kill_once(import_, folder, data, rng.uniform(0.0, 0.15) if number > 1 else 0.0)
        with Application.open(folder) as app:
            there = app.pairs.count()
            assert there % 100 == 0
            assert app.workspace.check().findings == ()
            assert app.workspace.accounting().adds_up
            left = app.imports.unfinished()
            assert [one.rows for one in left] in ([], [there])
            if left and number % 2:
                again = app.imports.resume(left[0].source_id).value
                assert (again.rows, again.imported, again.duplicates) == (ROWS, ROWS, 0)
            else:
                again = app.imports.run(data).value
                assert (again.rows, again.imported, again.duplicates) == (ROWS, ROWS - there, there)
            assert app.imports.unfinished() == []
            assert app.workspace.accounting().adds_up
            assert app.imports.run(data).value.imported == 0
            halves += 0 < there < ROWS
    assert halves > 0, "no kill fell into the import"


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_that_an_export_killed_anywhere_is_there_in_full_or_not_at_all(tmp_path: Path, whole: Path, kills: int) -> None:
    folder, rng = tmp_path / "ws", random.Random(2)
    shutil.copytree(whole, folder)
    with Application.open(folder) as app:
        manifest = app.datasets.export("d", tmp_path / "whole").manifest_sha256
    for number in range(kills):
        place = tmp_path / f"place{number}"
        place.mkdir()
        kill_once(export, folder, place / "out", rng.uniform(0.0, 0.25))
        if (place / "out").exists():
            durable.verify_folder(place / "out")
            assert durable.file_sha256(place / "out" / durable.MANIFEST) == manifest
            continue
        with Application.open(folder) as app:
            assert app.datasets.export("d", place / "out").manifest_sha256 == manifest


@pytest.mark.slow
def test_that_a_freeze_killed_anywhere_is_there_in_full_or_not_at_all(tmp_path: Path, whole: Path) -> None:
    folder, rng, there, kills = tmp_path / "ws", random.Random(7), 0, 200
    shutil.copytree(whole, folder)
    for number in range(kills):
        kill_once(freeze, folder, Path(f"d{number}"), rng.uniform(0.0, 0.5))
        with Application.open(folder) as app:
            names = [version.name for version in app.datasets.list()]
            if f"d{number}" not in names:
                app.datasets.freeze(f"d{number}")
            there += f"d{number}" in names
            made, first = app.datasets.get(f"d{number}"), app.datasets.get("d")
            assert (made.counts, made.root_sha256) == (first.counts, first.root_sha256)
            if number % 20 == 0:
                assert app.workspace.check().findings == ()
    assert there < kills, "no kill fell into the freeze"


def test_that_every_backup_that_shows_after_a_kill_is_whole(tmp_path: Path, whole: Path) -> None:
    folder, rng = tmp_path / "ws", random.Random(3)
    shutil.copytree(whole, folder)
    for _ in range(3):
        kill_once(backup, folder, folder, rng.uniform(0.0, 0.15))
    with Application.open(folder) as app:
        assert app.workspace.check().findings == ()
        app.workspace.backup()
    for left in (folder / "backups").glob(f"{durable.TMP_PREFIX}*"):
        os.utime(left, (0, 0))  # swept once it is old: until then somebody may be writing it
    Application.open(folder).close()
    assert not list((folder / "backups").glob(f"{durable.TMP_PREFIX}*"))
    for number, copy in enumerate(backups_of(folder)):
        with Application.open(restore(copy.path, tmp_path / f"again{number}")) as again:
            assert again.workspace.info().counts["pairs"] == ROWS


@pytest.mark.parametrize("kills", [2, pytest.param(200, marks=pytest.mark.slow)])
def test_that_a_restore_killed_anywhere_can_be_repeated(tmp_path: Path, whole: Path, kills: int) -> None:
    folder, rng = tmp_path / "ws", random.Random(4)
    shutil.copytree(whole, folder)
    with Application.open(folder) as app:
        app.workspace.backup()
    (copy, *_) = backups_of(folder)
    for number in range(kills):
        target = tmp_path / f"again{number}"
        kill_once(restore_, folder, target, rng.uniform(0.0, 0.3))
        if not (target / "workspace.db").exists() or (target / ".tmp-restoring").exists():
            assert restore(copy.path, target) == target
        with Application.open(target) as again:
            assert again.workspace.info().counts["pairs"] == ROWS
        assert not list(target.glob(".tmp-*"))


@pytest.mark.parametrize("kills", [2, pytest.param(200, marks=pytest.mark.slow)])
def test_that_the_next_start_clears_what_a_killed_table_left_in_a_folder_of_the_user(
    tmp_path: Path, whole: Path, kills: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path / "home"))
    folder, place, rng = tmp_path / "ws", tmp_path / "mine", random.Random(5)
    shutil.copytree(whole, folder)
    place.mkdir()
    for _ in range(kills):
        kill_once(table, folder, place, rng.uniform(0.0, 0.2))
        Application.open(folder, read_only=True).close()
        assert not list(place.glob(".tmp-*"))


@pytest.mark.slow
def test_that_every_backup_of_many_kills_is_whole(tmp_path: Path, whole: Path) -> None:
    folder, rng = tmp_path / "ws", random.Random(6)
    shutil.copytree(whole, folder)
    for _ in range(200):
        kill_once(backup, folder, folder, rng.uniform(0.0, 0.25))
        for copy in backups_of(folder):
            assert copy.problem == ""
            assert copy.counts["pairs"] == ROWS

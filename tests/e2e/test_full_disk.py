"""A disk that is really full: what was acknowledged stays, each refusal is a sentence, and space brings it back.

Needs a small file system of its own, which only root may mount; elsewhere it is skipped.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.errors import StorageFull
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.services.workspace.salvage import salvage
from tests.fakes.workspaces import opened, prefer


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    gc.collect()  # an error of the test may hold a file that is open there
    subprocess.run(["umount", str(place)], check=True)


def fill_up(disk: Path, leave: int = 0) -> Path:
    """Take all space but ``leave`` bytes."""
    ballast = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as handle:
        handle.write(b"x" * max(0, free - leave))
    return ballast


def test_that_labelling_on_a_full_disk_loses_nothing_and_goes_on_with_space(disk: Path) -> None:
    with opened(disk / "ws", pairs=40) as app:
        queue = app.annotation.open_queue(QueueSettings(1, 1))
        ballast = fill_up(disk, leave=600_000)
        saved: list[int] = []
        waiting = app.annotation.next(queue, 40)

        def label_all() -> None:
            for shown in waiting:
                draft = prefer(2, rationale="r" * 20_000)
                saved.append(app.annotation.commit(shown.presentation_uid, draft).value.id)

        with pytest.raises(StorageFull, match="Everything saved before is safe"):
            label_all()
        assert 0 < len(saved) < 40
        assert [j.id for j in app.annotation.recent(1, 100)] == saved[::-1]
        refused = waiting[len(saved)]
        ballast.unlink()
        saved.append(app.annotation.commit(refused.presentation_uid, prefer(1)).value.id)
        assert app.workspace.check().findings == ()
    with Application.open(disk / "ws") as again:
        assert [j.id for j in again.annotation.recent(1, 100)] == saved[::-1]


def test_that_import_export_and_backup_on_a_full_disk_leave_nothing_half(disk: Path, tmp_path: Path) -> None:
    rows = [{"prompt": f"Q{i}", "chosen": f"yes {i} " * 30, "rejected": f"no {i} " * 30} for i in range(600)]
    data = tmp_path / "many.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with opened(disk / "ws", pairs=6) as app:
        queue = app.annotation.open_queue(QueueSettings(1, 1))
        app.annotation.commit(app.annotation.next(queue)[0].presentation_uid, prefer(2))
        app.datasets.freeze("d")
        copies = set((disk / "ws").glob("backups/*"))
        ballast = fill_up(disk)
        for act in (
            lambda: app.imports.run(data),
            lambda: app.datasets.export("d", disk / "out"),
            lambda: app.workspace.backup(),
        ):
            with pytest.raises(StorageFull) as refused:
                act()
            assert refused.value.hint
        assert not (disk / "out").exists()
        assert set((disk / "ws").glob("backups/*")) == copies
        assert app.pairs.count() == 6
        ballast.unlink()
        assert app.imports.run(data).value.imported == 600
        app.datasets.export("d", disk / "out")
        assert app.workspace.check().findings == ()


def test_that_no_workspace_is_made_on_a_full_disk_and_no_folder_stays(
    disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened(tmp_path / "ws", pairs=6).close()
    ballast = fill_up(disk, leave=200_000)
    for act in (
        lambda: Application.open(disk / "new", create=True),
        lambda: salvage(tmp_path / "ws", disk / "new"),
    ):
        with pytest.raises(StorageFull, match="The disk became full while making the workspace"):
            act()
        assert [path.name for path in disk.iterdir()] == ["ballast"]
    gc.collect()
    assert caplog.records == [], "no connection was closed before it was given back"
    ballast.unlink()
    assert salvage(tmp_path / "ws", disk / "new").sound


def test_that_a_workspace_opens_for_reading_on_a_full_disk_and_says_why_it_does_not_write(disk: Path) -> None:
    opened(disk / "ws", pairs=6).close()
    ballast = fill_up(disk)
    with pytest.raises(StorageFull, match="Everything saved before is safe"):
        Application.open(disk / "ws")
    with Application.open(disk / "ws", read_only=True) as app:
        assert app.pairs.count() == 6
        assert app.workspace.check().ok
    ballast.unlink()
    Application.open(disk / "ws").close()

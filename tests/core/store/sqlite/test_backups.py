"""Copies count only when verified, and the keeping rule never empties the folder."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.domain.errors import UserError, WorkspaceDamaged
from core.store.sqlite import backups
from core.store.sqlite.backups import BackupFile, copy_file, listed, make, row_counts, superfluous, thin
from core.store.sqlite.connect import connect
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import fill, opened

NOW = datetime(2026, 3, 15, 12)  # noqa: DTZ001 - backups carry local time


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The database file of a closed workspace."""
    opened(tmp_path / "ws").close()
    return db_path(tmp_path / "ws")


def aged(*days: float) -> list[BackupFile]:
    """Return copies of these ages in days."""
    return [BackupFile(Path(f"b{n}.db"), NOW - timedelta(days=d), "", 1) for n, d in enumerate(days)]


def kept(*days: float) -> list[float]:
    """Return the ages that the rule keeps."""
    files = aged(*days)
    gone = {b.path for b in superfluous(files, NOW)}
    return [d for d, b in zip(days, files, strict=True) if b.path not in gone]


@pytest.mark.parametrize(
    ("ages", "stay"),
    [
        ((), []),
        ((0, 0.1, 0.2, 0.5, 1, 1.9), [0, 0.1, 0.2, 0.5, 1, 1.9]),
        ((0, 3.0, 3.1, 3.2, 4.0), [0, 3.0, 3.1, 4.0]),
        ((400, 500, 600), [400, 500, 600]),
        ((-1, 10, 10.1, 10.2, 10.3), [-1, 10, 10.1, 10.2, 10.3]),
    ],
    ids=["none", "two days stay whole", "then one a day", "never the last three", "a clock in the future"],
)
def test_that_the_keeping_rule_keeps(ages: tuple[float, ...], stay: list[float]) -> None:
    assert kept(*ages) == stay


def test_that_years_of_daily_copies_stay_few_and_reach_far_back() -> None:
    stay = kept(*(float(n) for n in range(1000)))
    assert len(stay) <= 3 + 12 + 10 + 9
    assert max(stay) > 220


def test_that_a_copy_holds_the_same_rows_and_is_one_file(path: Path) -> None:
    copy = copy_file(path, "manual")
    with closing(connect(path, "ro")) as a, closing(connect(copy, "ro")) as b:
        assert row_counts(a) == row_counts(b)
        assert b.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert [p.name for p in copy.parent.iterdir()] == [copy.name]
    assert [b.why for b in listed(path.parent)] == ["manual"]


def test_that_two_copies_in_one_second_get_two_names(path: Path) -> None:
    assert len({copy_file(path, "manual") for _ in range(3)}) == 3


def test_that_copying_goes_on_beside_writing(tmp_path: Path) -> None:
    with opened(tmp_path / "ws") as app:
        copy = app.workspace.backup()
        fill(app.store, 3, "later")
        with closing(connect(copy, "ro")) as raw:
            assert raw.execute("SELECT count(*) FROM pair").fetchone() == (6,)


def test_that_a_damaged_workspace_makes_no_copy_and_loses_none(path: Path) -> None:
    good = copy_file(path, "manual")
    data = bytearray(path.read_bytes())
    data[4096 * 5 : 4096 * 20] = b"\xff" * (4096 * 15)
    path.write_bytes(data)
    with pytest.raises(WorkspaceDamaged):
        copy_file(path, "manual")
    assert [p.name for p in good.parent.iterdir()] == [good.name]


def test_that_a_copy_that_differs_is_thrown_away(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    opened(other, pairs=9).close()

    def wrong(target: Path) -> dict[str, int]:
        target.write_bytes(db_path(other).read_bytes())
        with closing(connect(path, "ro")) as source:
            return row_counts(source)

    with pytest.raises(UserError, match="does not match"):
        make(path.parent / backups.BACKUP_DIR, wrong, "manual")
    assert list((path.parent / backups.BACKUP_DIR).iterdir()) == []


def test_that_thinning_removes_only_copies(path: Path) -> None:
    folder = path.parent / backups.BACKUP_DIR
    folder.mkdir()
    for day in range(1, 31):
        (folder / f"workspace-202601{day:02d}-120000-auto.db").write_bytes(path.read_bytes())
    (folder / "notes.txt").write_text("mine")
    (folder / "workspace-old.db").write_text("mine too")
    gone = thin(path.parent, datetime(2026, 2, 1))  # noqa: DTZ001 - backups carry local time
    assert 0 < len(gone) < 28
    assert (folder / "notes.txt").exists()
    assert (folder / "workspace-old.db").exists()
    assert len(listed(path.parent)) == 30 - len(gone)

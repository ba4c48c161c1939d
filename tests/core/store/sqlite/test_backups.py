"""Copies count only when verified, and the keeping rule never empties the folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.domain.errors import UserError, WorkspaceDamaged
from core.services.application import Application
from core.store.sqlite import backups, copy_check
from core.store.sqlite.backups import BackupFile, copy_file, listed, make, row_counts, superfluous, thin
from core.store.sqlite.connect import connect
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import fill, opened
from tests.patience import LIMIT_S

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


def flip_text(path: Path) -> None:
    """Change one letter of an answer in the file: the pages stay well formed, as on a disk that fails."""
    data = path.read_bytes()
    at = data.index(b"Answer 3 one.")
    path.write_bytes(data[:at] + b"X" + data[at + 1 :])


def break_utf8(path: Path) -> None:
    data = path.read_bytes()
    at = data.index(b"Answer 3 one.")
    path.write_bytes(data[:at] + b"\xff" + data[at + 1 :])


def drop_guard(path: Path) -> None:
    with closing(connect(path, "rw")) as raw:
        (name,) = raw.execute("SELECT name FROM sqlite_schema WHERE type='trigger' LIMIT 1").fetchone()
        raw.execute(f"DROP TRIGGER {name}")


def miscount(path: Path) -> None:
    with closing(connect(path, "rw")) as raw:
        raw.execute("UPDATE counter SET value=value+1 WHERE name='pairs'")


def lose_row(path: Path) -> None:
    with closing(connect(path, "rw")) as raw:
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("DELETE FROM pair_state WHERE pair_id=2")


@pytest.mark.parametrize(
    "damage", [flip_text, break_utf8, drop_guard, miscount, lose_row], ids=lambda damage: damage.__name__
)
def test_that_contents_that_check_rejects_get_no_backup_and_remove_none(
    path: Path, damage: Callable[[Path], None]
) -> None:
    good = copy_file(path, "manual")
    damage(path)
    with pytest.raises(WorkspaceDamaged, match="No backup was kept"):
        copy_file(path, "manual")
    assert [p.name for p in good.parent.iterdir()] == [good.name]


def test_that_a_large_copy_is_checked_in_a_process_of_its_own(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_check, "IN_PROCESS_BELOW", 0)
    monkeypatch.setattr(copy_check, "problems_here", lambda _: pytest.fail("checked in this process"))
    copy_file(path, "manual")
    flip_text(path)
    with pytest.raises(WorkspaceDamaged, match="text of pair 3"):
        copy_file(path, "manual")


def test_that_copies_are_described_with_their_counts(tmp_path: Path) -> None:
    with opened(tmp_path / "ws") as app:
        first = app.workspace.backup()
        fill(app.store, 3, "later")
        second = app.workspace.backup(why="before-import")
        found = app.workspace.backups()
        assert [(b.path, b.why) for b in found] == [(second, "before-import"), (first, "manual")]
        assert [b.counts["pairs"] for b in found] == [9, 6]
        assert {b.uuid for b in found} == {app.store.uuid}


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + b"\x00" * 4096])
def test_that_a_copy_that_cannot_be_read_is_listed_as_such(path: Path, content: bytes) -> None:
    good = copy_file(path, "manual")
    (good.parent / "workspace-20300101-000000-manual.db").write_bytes(content)
    bad, fine = backups.described(path.parent)
    assert bad.problem
    assert not fine.problem
    assert backups.newest(path.parent, fine.uuid) == fine


def test_that_thinning_counts_only_copies_that_can_be_read(path: Path) -> None:
    folder = path.parent / backups.BACKUP_DIR
    folder.mkdir()
    good = [folder / f"workspace-2026010{day}-120000-auto.db" for day in range(1, 5)]
    for file in good:
        file.write_bytes(path.read_bytes())
    for hour in range(10, 20):
        (folder / f"workspace-20260120-{hour}0000-auto.db").write_bytes(path.read_bytes()[:5000])
    assert thin(path.parent, datetime(2026, 2, 1)) == []  # noqa: DTZ001 - backups carry local time
    assert all(file.exists() for file in good)


def test_that_nothing_is_copied_again_while_nothing_changed(tmp_path: Path) -> None:
    with opened(tmp_path / "ws") as app:
        assert app.workspace.backup_if_changed("timer") is not None
        assert app.workspace.backup_if_changed("timer") is None
        fill(app.store, 1, "later")
        assert app.workspace.backup_if_changed("timer") is not None
    with opened(tmp_path / "empty", pairs=0) as app:
        assert app.workspace.backup_if_changed("timer") is None


def test_that_there_is_a_copy_from_before_each_import_and_freeze(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"prompt": "Q", "chosen": "yes", "rejected": "no"}\n')
    with opened(tmp_path / "ws") as app:
        app.imports.run(file, consent="granted")
        app.datasets.freeze("d")
        found = app.workspace.backups()
        assert [(b.why, b.counts["pairs"], b.counts["judgements"]) for b in found] == [
            ("before-freeze", 7, 1),
            ("before-import", 6, 0),
        ]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Take every workspace for a large one, and let no check of a copy end before the event is set."""
    go = threading.Event()
    monkeypatch.setattr("core.store.sqlite.database.IN_PROCESS_BELOW", 0)
    sound = backups.problems

    def slow(path: Path) -> list[str]:
        assert go.wait(LIMIT_S)
        return sound(path)

    monkeypatch.setattr(backups, "problems", slow)
    yield go
    go.set()


def test_that_an_import_does_not_wait_for_the_check_of_its_copy_which_counts_only_then(
    tmp_path: Path, large: threading.Event
) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"prompt": "Q", "chosen": "yes", "rejected": "no"}\n')
    with opened(tmp_path / "ws") as app:
        assert app.imports.run(file).value.imported == 1
        assert app.workspace.backups() == []
        (waiting,) = (app.folder / "backups").iterdir()
        assert waiting.name.endswith("-before-import.db.unchecked")
        large.set()
    (made,) = backups.described(tmp_path / "ws")
    assert (made.why, made.counts["pairs"], made.problem) == ("before-import", 6, "")


def test_that_a_copy_whose_check_fails_is_removed_and_told(
    tmp_path: Path, large: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"prompt": "Q", "chosen": "yes", "rejected": "no"}\n')
    monkeypatch.setattr(backups, "problems", lambda _: ["page 7 is torn"])
    told: list[str] = []
    with opened(tmp_path / "ws") as app:
        app.store.listener = told.append
        assert app.imports.run(file).value.imported == 1
    assert len(told) == 1
    assert "no backup from before the import" in told[0]
    assert "page 7 is torn" in told[0]
    assert list((tmp_path / "ws" / "backups").iterdir()) == []


def test_that_a_copy_that_a_killed_program_left_unchecked_is_checked_at_the_next_opening(tmp_path: Path) -> None:
    with opened(tmp_path / "ws") as app:
        made = app.workspace.backup()
        made.rename(f"{made}.unchecked")
        assert app.workspace.backups() == []
    with Application.open(tmp_path / "ws"):
        pass
    assert [backup.path for backup in backups.listed(tmp_path / "ws")] == [made]


def test_that_a_copy_that_cannot_be_made_stops_no_import_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"prompt": "Q", "chosen": "yes", "rejected": "no"}\n')
    monkeypatch.setattr(backups, "create_private_file", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    with opened(tmp_path / "ws") as app:
        told: list[str] = []
        app.store.listener = told.append
        assert app.imports.run(file).value.imported == 1
        assert len(told) == 1
        assert "no backup from before the import" in told[0]

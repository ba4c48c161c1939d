"""What a damaged workspace file still holds comes into a new workspace; what does not is named."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput, NotFound, StorageFull
from core.domain.suite import Suite, SuiteItem
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.services.workspace.salvage import REPORT, salvage
from core.store.sqlite.database import Store
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import opened, person, prefer, take_feedback

PAIRS, LABELS = 60, 40


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed workspace of many pages: 60 pairs, 40 labels with long reasons, a retraction, a frozen version."""
    folder = tmp_path_factory.mktemp("sound") / "ws"
    with opened(folder, PAIRS) as app:
        person(app.store, "Bo")
        desk = app.annotation
        queue = desk.open_queue(QueueSettings(1, 1))
        for number in range(LABELS):
            (shown,) = desk.next(queue, 1)
            reason = f"Reason {number}. " + "Because. " * 90
            desk.commit(shown.presentation_uid, prefer(1 + number % 3, rationale=reason))
        desk.undo(1)
        take_feedback(app, 2)
        app.datasets.freeze("set", FreezePolicy(splits=(1.0, 0.0, 0.0)))
        app.suites.add(Suite("mine", 1, tuple(SuiteItem(f"i{n}", Prompt.from_text(f"q{n}"), "open") for n in range(3))))
    return folder


def judgements(folder: Path) -> dict[int, tuple]:
    """Return the judgements of a workspace by id."""
    with closing(sqlite3.connect(db_path(folder))) as raw:
        query = "SELECT id, pair_id, kind, verdict, strength, rationale, at_ms, reviewer_id, uid FROM judgement"
        return {row[0]: row for row in raw.execute(query)}


def mutated(sound: Path, to: Path, seed: int) -> str:
    """Write a damaged copy of the file and return what was done to it."""
    draw = random.Random(seed)
    data = bytearray(db_path(sound).read_bytes())
    size = 4096
    pages = len(data) // size
    kind = ("bytes", "page", "cut", "header", "zero", "swap", "text")[seed % 7]
    if kind == "bytes":
        for _ in range(draw.choice((1, 8, 64))):
            data[draw.randrange(100, len(data))] = draw.randrange(256)
    elif kind == "page":
        at = draw.randrange(pages) * size
        data[at : at + size] = draw.randbytes(size)
    elif kind == "cut":
        del data[draw.randrange(size, len(data)) :]
    elif kind == "header":
        data[:100] = draw.randbytes(100)
    elif kind == "zero":
        at = draw.randrange(1, pages - 4) * size
        data[at : at + 4 * size] = bytes(4 * size)
    elif kind == "swap":
        one, two = (draw.randrange(1, pages) * size for _ in range(2))
        data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]
    else:
        at = data.find(b"Because. ", draw.randrange(len(data) // 2))
        data[at : at + 4] = b"\xff\xfe\xc3\x28"
    to.mkdir(parents=True)
    db_path(to).write_bytes(data)
    return kind


def salvages(sound: Path, tmp_path: Path, seed: int) -> None:
    """Salvage one mutated copy and hold what must hold of every one."""
    damaged, out = tmp_path / "damaged", tmp_path / "out"
    kind = mutated(sound, damaged, seed)
    before = hashlib.sha256(db_path(damaged).read_bytes()).hexdigest()
    report = salvage(damaged, out)
    assert hashlib.sha256(db_path(damaged).read_bytes()).hexdigest() == before
    assert [path.name for path in damaged.iterdir()] == ["workspace.db"], "nothing is written beside the damaged file"
    truth, found = judgements(sound), judgements(out)
    assert found.keys() <= truth.keys()
    told = " ".join(report.losses)
    for number, row in found.items():
        assert row == truth[number] or f"Judgement {number}" in told or "Judgement" in told, (seed, kind, number)
    lost = len(truth) - len(found)
    assert lost == report.lost.get("judgement", 0) or kind in ("cut", "bytes", "page", "zero", "swap", "header"), report
    assert (out / REPORT).is_file()
    with Application.open(out) as app:
        assert app.workspace.info().counts["judgements"] == len(found)
        app.reviewers.add("After")


@pytest.mark.parametrize("seed", range(3))
def test_that_a_damaged_file_gives_what_it_still_holds(sound: Path, tmp_path: Path, seed: int) -> None:
    salvages(sound, tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*range(3, 7), *range(100, 400)])
def test_that_any_damaged_file_gives_what_it_still_holds(sound: Path, tmp_path: Path, seed: int) -> None:
    salvages(sound, tmp_path, seed)


def test_that_a_disk_that_fills_up_leaves_no_half_workspace(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(store: Store, *_: object) -> None:
        assert store.path.is_file()
        raise StorageFull("There is no room left.")

    monkeypatch.setattr(Store, "write", full)
    (tmp_path / "empty").mkdir()
    for place in ("out", "empty"):
        with pytest.raises(StorageFull):
            salvage(sound, tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"] and not list((tmp_path / "empty").iterdir())


def test_that_a_sound_file_loses_nothing(sound: Path, tmp_path: Path) -> None:
    shutil.copytree(sound, tmp_path / "ws")
    key = "SELECT value FROM meta WHERE key='picks_need_decision_after'"
    with closing(sqlite3.connect(db_path(tmp_path / "ws"))) as raw, raw:
        raw.execute("UPDATE meta SET value='7' WHERE key='picks_need_decision_after'")
    report = salvage(tmp_path / "ws", tmp_path / "out")
    assert (report.lost, report.losses, report.sound, report.left) == ({}, (), True, 0)
    with closing(sqlite3.connect(db_path(tmp_path / "out"))) as raw:
        assert raw.execute(key).fetchall() == [("7",)]
    assert judgements(tmp_path / "out") == judgements(sound)
    with Application.open(tmp_path / "out") as app, Application.open(sound, read_only=True) as before:
        ours, theirs = app.workspace.info().counts, before.workspace.info().counts
        assert {k: v for k, v in ours.items() if k != "runs"} == {k: v for k, v in theirs.items() if k != "runs"}
        assert app.datasets.get("set").root_sha256 == before.datasets.get("set").root_sha256
        assert app.suites.get("mine") == before.suites.get("mine")
        assert app.changesets.list() == before.changesets.list()
        assert (app.feedback.list(), app.consent.list()) == (before.feedback.list(), before.consent.list())


def test_that_lost_reviewers_and_presentations_cost_no_judgement(sound: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(sound, damaged)
    with closing(sqlite3.connect(db_path(damaged))) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        for (name,) in raw.execute("SELECT name FROM sqlite_schema WHERE type='trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        for table in ("reviewer", "presentation", "rubric_version", "rubric", "source"):
            raw.execute(f"DELETE FROM {table}")
        raw.commit()
        raw.execute("VACUUM")
    report = salvage(damaged, tmp_path / "out")
    assert report.read["judgement"] == len(judgements(sound))
    assert "judgement" not in report.lost
    assert any("a stand-in keeps what refers to it" in one for one in report.losses)
    assert (report.read["feedback_step"], report.read["changeset"]) == (1, 1)
    assert any("which answer was shown left is lost" in one for one in report.losses)


def test_that_a_lost_root_page_costs_no_judgement(sound: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(sound, damaged)
    with closing(sqlite3.connect(db_path(damaged))) as raw:
        (root,) = raw.execute("SELECT rootpage FROM sqlite_schema WHERE name='judgement'").fetchone()
    data = bytearray(db_path(damaged).read_bytes())
    data[(root - 1) * 4096 : root * 4096] = bytes(4096)
    db_path(damaged).write_bytes(data)
    report = salvage(damaged, tmp_path / "out")
    assert judgements(tmp_path / "out") == judgements(sound), report.losses


def test_that_salvage_refuses_places_that_it_could_harm(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="not an empty folder"):
        salvage(sound, tmp_path / "full")
    with pytest.raises(BadInput, match="lies inside"):
        salvage(sound, sound / "out")
    with pytest.raises(NotFound):
        salvage(tmp_path / "nowhere", tmp_path / "out")


@pytest.mark.parametrize("data", [b"", b"no database at all", bytes(1 << 16), b"SQLite format 3\0" + bytes(9000)])
def test_that_a_file_with_nothing_of_a_workspace_makes_no_empty_one(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "other").mkdir()
    db_path(tmp_path / "other").write_bytes(data)
    with pytest.raises(BadInput, match="nothing that can be read as a workspace"):
        salvage(tmp_path / "other", tmp_path / "out")
    assert not (tmp_path / "out").exists()

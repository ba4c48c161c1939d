"""The writer thread: order, durability, what happens when a job fails."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.errors import BadInput, StorageFull, UserError, WorkspaceDamaged, WorkspaceInUse
from core.services.application import Application
from core.store.sqlite.database import Session
from core.store.sqlite.errors import explain
from core.store.sqlite.writer import Priority
from core.store.tables import SettingRow
from tests.fakes.workspaces import opened
from tests.patience import LIMIT_S


@pytest.fixture
def app(tmp_path: Path):
    """An open workspace."""
    with opened(tmp_path / "ws") as app:
        yield app


def put(key: str):
    """Return a job that stores a setting of this name."""

    def job(session: Session) -> str:
        session.add(SettingRow(key=key, value="1"))
        return key

    return job


def stored(app: Application) -> list[str]:
    """Return the names of the stored settings as another connection sees them, in order of writing."""
    with closing(sqlite3.connect(app.store.path)) as other:
        return [row[0] for row in other.execute("SELECT key FROM setting")]


def test_that_a_result_comes_back_only_after_the_commit(app: Application) -> None:
    for number in range(20):
        key = app.store.write(put(f"k{number:02d}"), "putting")
        assert key in stored(app)


def test_that_labels_overtake_queued_bulk_work(app: Application) -> None:
    order: list[str] = []
    began, go = threading.Event(), threading.Event()

    def slow(_: Session) -> None:
        began.set()
        go.wait(LIMIT_S)
        order.append("running")

    def note(name: str):
        return lambda _: order.append(name)

    jobs = [app.store.submit(slow, "a batch", Priority.BULK)]
    assert began.wait(LIMIT_S)
    jobs += [app.store.submit(note(f"bulk {n}"), "a batch", Priority.BULK) for n in range(3)]
    jobs += [app.store.submit(note("normal"), "a setting")]
    jobs += [app.store.submit(note(f"label {n}"), "a label", Priority.LABEL) for n in range(2)]
    go.set()
    for job in jobs:
        job.result(10)
    assert order == ["running", "label 0", "label 1", "normal", "bulk 0", "bulk 1", "bulk 2"]


def test_that_a_failing_job_leaves_nothing_and_the_next_one_works(app: Application) -> None:
    def half(session: Session) -> None:
        session.add(SettingRow(key="half", value="1"))
        session.flush()
        raise BadInput("no")

    with pytest.raises(BadInput, match="no"):
        app.store.write(half, "putting")
    app.store.write(put("whole"), "putting")
    assert stored(app) == ["whole"]


def test_that_a_job_cannot_wait_for_another_job(app: Application) -> None:
    with pytest.raises(RuntimeError, match="may not wait"):
        app.store.write(lambda _: app.store.write(put("inner"), "inner"), "outer")
    assert stored(app) == []


def test_that_queued_work_is_finished_on_closing_and_refused_after(app: Application) -> None:
    waiting = [app.store.submit(put(f"k{n}"), "putting") for n in range(10)]
    app.close()
    assert [job.result(0) for job in waiting] == [f"k{n}" for n in range(10)]
    assert stored(app) == [f"k{n}" for n in range(10)]
    with pytest.raises(UserError, match="closed"):
        app.store.write(put("late"), "putting")
    with pytest.raises(UserError, match="closed"), app.store.read():
        pass


def test_that_many_threads_can_write_and_read_at_once(app: Application) -> None:
    failures: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for n in range(10):
                app.store.write(put(f"{name}-{n}"), "putting")
                with app.store.read() as session:
                    assert session.get(SettingRow, f"{name}-{n}") is not None
        except BaseException as error:  # noqa: BLE001 - the main thread looks at it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(stored(app)) == 60


def test_that_a_reader_sees_one_snapshot(app: Application) -> None:
    with app.store.read() as session:
        assert session.get(SettingRow, "later") is None
        app.store.write(put("later"), "putting")
        session.expire_all()
        assert session.get(SettingRow, "later") is None
    with app.store.read() as session:
        assert session.get(SettingRow, "later") is not None


def test_that_text_that_cannot_be_stored_is_refused_in_words(app: Application) -> None:
    with pytest.raises(BadInput, match="lone surrogate"):
        app.store.write(put("\ud800"), "saving a label")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SQLITE_FULL", StorageFull),
        ("SQLITE_IOERR_FSYNC", UserError),
        ("SQLITE_READONLY_DBMOVED", UserError),
        ("SQLITE_BUSY", WorkspaceInUse),
        ("SQLITE_CORRUPT_INDEX", WorkspaceDamaged),
    ],
)
def test_that_refusals_of_the_database_become_sentences(name: str, kind: type[UserError]) -> None:
    error = sqlite3.OperationalError("whatever")
    error.sqlite_errorname = name
    found = explain(error, "saving a label")
    assert type(found) is kind
    assert "saving a label" in found.message
    assert found.hint


def test_that_a_full_disk_loses_nothing_acknowledged(app: Application) -> None:
    def limit(pages: int) -> None:
        app.store.write(lambda s: s.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}"), "limiting")

    limit(1)  # SQLite takes the present size as the least
    saved: list[str] = []

    def fill_up() -> None:
        while True:
            saved.append(app.store.write(put(f"{len(saved):05d}" + "x" * 2000), "saving a label"))

    with pytest.raises(StorageFull, match="saved before is safe"):
        fill_up()
    assert stored(app) == saved
    limit(1_000_000)
    app.store.write(put("after"), "saving a label")
    assert stored(app) == [*saved, "after"]

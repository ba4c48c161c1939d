"""The run queue of a workspace: real runs that wait, reasons why one is not started, undo, and what a list shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.domain.changes import Changes
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput, UsageError
from core.domain.run_config import RunConfig
from core.domain.sweep import read_sweep
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.services.runs import queue as queue_module
from core.services.runs.views import RunRequest
from tests.fakes.workspaces import opened, prefer
from tests.patience import LIMIT_S

FAKE = "tests.fakes.scripted_engine:train"
QUICK = RunConfig().with_values({"steps": 2, "batch_size": 2})


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws") as app:
        app.runs.engine = FAKE
        queue = app.annotation.open_queue(QueueSettings(1, 1))
        while shown := app.annotation.next(queue):
            app.annotation.commit(shown[0].presentation_uid, prefer(-2))
        app.datasets.freeze("toy", FreezePolicy(splits=(0.5, 0.5, 0.0)))
        yield app


@pytest.fixture
def wanted(app: Application, tmp_path: Path) -> RunRequest:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return RunRequest(str(folder), dataset_id=app.datasets.list()[0].id, config=QUICK, name="first")


def names(app: Application) -> list[str]:
    return [info.name for info in app.queue.view().waiting]


def test_that_a_sweep_waits_in_its_order_and_is_worked_off_one_run_at_a_time(
    app: Application, wanted: RunRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = app.queue.add_sweep(wanted, read_sweep(["beta=0.1,0.3"], "0")).value
    assert names(app) == ["first-beta-0.1-seed-0", "first-beta-0.3-seed-0"]
    assert {(info.state, info.tags) for info in made} == {("queued", ("sweep",))}
    assert len({info.record.config.template_date for info in made}) == 1
    with pytest.raises(UsageError, match="already"):
        app.queue.put(made[0].run_id)
    with pytest.raises(UsageError, match="measured and varied"):
        app.queue.add_sweep(
            RunRequest("m", dataset_id=1, measured_smoothing=True), read_sweep(["label_smoothing=0,0.1"])
        )
    app.queue.move(made[1].run_id, 0)
    assert app.queue.shift(made[1].run_id, 1).value == 1
    assert app.queue.shift(made[1].run_id, -5).value == 0
    removed = app.queue.remove(made[1].run_id)
    assert (removed.value, removed.changes, removed.undo_label) == (0, Changes.RUNS, "Remove from the queue")
    assert app.runs.info(made[1].run_id).state == "created"
    app.queue.put(made[1].run_id, removed.value)
    assert names(app)[0] == made[1].name, "an undo puts it back where it was"
    app.queue.pause()
    assert app.queue.advance("thread").value is None
    app.queue.pause(False)
    for info in (made[1], made[0]):
        started = app.queue.advance("thread").value
        assert started is not None
        assert started.run_id == info.run_id
        assert app.runs.wait(info.run_id, LIMIT_S) == 0
    assert app.queue.advance("thread").value is None
    assert {app.runs.info(info.run_id).state for info in made} == {"finished"}
    assert app.queue.view() == queue_module.QueueView()
    with pytest.raises(UsageError, match="finished"):
        app.queue.put(made[0].run_id)


def test_that_a_run_that_cannot_start_any_more_is_told_with_its_true_reason(
    app: Application, wanted: RunRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone, full, fine) = (app.queue.add(wanted).value for _ in range(3))
    shutil.move(tmp_path / "model", tmp_path / "elsewhere")
    assert app.queue.advance("thread").value is None
    reasons = [one.told.reason for one in app.queue.view().told]
    assert len(reasons) == 3
    assert all("model" in reason and "nothing was trained" in reason for reason in reasons)
    shutil.move(tmp_path / "elsewhere", tmp_path / "model")
    app.queue.put(full.run_id)
    monkeypatch.setattr(queue_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=5 * 2**20))
    app.queue.take()
    monkeypatch.undo()
    told = app.queue.view().told[0]
    assert (told.name, told.told.kind) == ("first", "refused")
    assert "5 MiB are free" in told.told.reason
    app.queue.put(fine.run_id)
    app.consent.withdraw("source", 1)
    assert app.queue.take() is None
    assert "Consent to 6 pairs of this run was withdrawn" in app.queue.view().told[0].told.reason
    assert app.queue.view().told[-1].told.run_id == gone.run_id
    app.queue.forget(gone.run_id)
    assert len(app.queue.view().told) == 2
    app.queue.forget()
    assert app.queue.view().told == ()


def test_that_a_window_starts_the_next_run_and_one_that_only_reads_does_not(
    app: Application, wanted: RunRequest, tmp_path: Path
) -> None:
    first, second = (app.queue.add(wanted).value for _ in range(2))
    with Application.open(tmp_path / "ws", read_only=True) as reading:
        assert {info.state for info in reading.queue.follow("thread")} == {"queued"}
    app.queue.follow("thread")
    assert app.runs.wait(first.run_id, LIMIT_S) == 0
    assert app.runs.info(second.run_id).state == "queued", "one after the other"
    app.queue.follow("thread")
    assert app.runs.wait(second.run_id, LIMIT_S) == 0
    (app.runs.folder / "queue.json").write_text("damaged")
    assert len(app.queue.follow("thread")) == 2, "a damaged queue hides no run"
    with pytest.raises(BadInput, match=r"queue\.json"):
        app.queue.view()


def test_that_a_queue_is_shared_by_a_second_program_and_survives_this_one(
    app: Application, wanted: RunRequest, tmp_path: Path
) -> None:
    mine = app.queue.add(wanted).value
    with Application.open(tmp_path / "ws", read_only=True) as second:
        theirs = second.queue.add(wanted).value
        second.queue.move(theirs.run_id, 0)
    assert [info.run_id for info in app.queue.view().waiting] == [theirs.run_id, mine.run_id]
    assert len(app.runs.follow()) == 2
    app.close()
    with Application.open(tmp_path / "ws") as again:
        assert [info.run_id for info in again.queue.view().waiting] == [theirs.run_id, mine.run_id]
        again.runs.housekeeping.delete(theirs.run_id)
        assert [info.run_id for info in again.queue.view().waiting] == [mine.run_id]
        found = again.queue.take()
        assert found is not None
        assert found.path.name == mine.run_id
        assert "deleted or moved" in again.queue.view().told[0].told.reason

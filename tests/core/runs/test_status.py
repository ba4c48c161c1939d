from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from core.domain.run_events import Failed, Finished, PhaseChanged, RunEvent, RunStarted, StateChanged, StepDone
from core.runs.control_file import request
from core.runs.folder import RunFolder
from core.runs.heartbeat import Heartbeat, Worker, read_worker
from core.runs.hosting.driver import HostOptions, drive
from core.runs.ledger.writer import LedgerWriter
from core.runs.status import read_status
from tests.core.runs.test_run_reader import started, step
from tests.fakes.scripted_engine import Scripted, train

Make = Callable[..., RunFolder]
GONE_PID = 2**22 + 1


def worker(**changes: object) -> Worker:
    me = psutil.Process()
    base = Worker(me.pid, me.create_time(), platform.node(), "process", 1, "running", 0)
    return replace(base, **changes)  # type: ignore[arg-type]


def put(folder: RunFolder, who: Worker | None, *events: RunEvent) -> RunFolder:
    if who is not None:
        folder.worker.write_text(json.dumps(asdict(who)))
    if events:
        ledger = LedgerWriter(folder.ledger, "run")
        for event in events:
            ledger.append(event)
        ledger.close()
    return folder


DONE = Finished("completed", 10)
STOPPED = Finished("stopped", 4)
FAILED = Failed("nan", "Loss is not a number.", "Lower the learning rate.", 3, ("p1",))


@pytest.mark.parametrize(
    ("who", "events", "state"),
    [
        (None, (), "created"),
        (worker(state="starting"), (), "running"),
        (worker(), (started(), step(1)), "running"),
        (worker(state="paused"), (started(),), "paused"),
        (worker(state="stopping"), (started(),), "stopping"),
        (worker(pid=GONE_PID), (started(), step(1)), "interrupted"),
        (worker(started=1.0), (started(), step(1)), "interrupted"),
        (worker(state="ended"), (started(), step(1)), "interrupted"),
        (worker(pid=GONE_PID), (), "interrupted"),
        (worker(state="ended"), (started(), DONE), "finished"),
        (worker(pid=GONE_PID), (started(), DONE), "finished"),
        (worker(pid=GONE_PID), (started(), Finished("kl_budget", 3)), "finished"),
        (worker(state="ended"), (started(), STOPPED), "stopped"),
        (worker(state="ended"), (started(), FAILED), "failed"),
        (worker(attempt=2, state="starting"), (started(), STOPPED), "running"),
        (worker(attempt=2, pid=GONE_PID), (started(), STOPPED), "interrupted"),
        (worker(machine="elsewhere", heartbeat_ms=99_000), (started(),), "running"),
        (worker(machine="elsewhere", heartbeat_ms=10_000), (started(),), "interrupted"),
    ],
    ids=[
        "nothing yet",
        "loading",
        "running",
        "paused",
        "stopping",
        "process gone",
        "process id used again",
        "ended without a word",
        "gone before the first event",
        "finished",
        "finished and gone",
        "KL budget",
        "stopped",
        "failed",
        "resumed",
        "resumed and gone",
        "other machine, fresh",
        "other machine, silent",
    ],
)
def test_that_the_state_follows_process_and_last_event(
    make_run: Make, who: Worker | None, events: tuple[RunEvent, ...], state: str
) -> None:
    assert read_status(put(make_run(), who, *events), at_ms=100_000).state == state


def test_that_asking_for_a_stop_does_not_change_the_state(make_run: Make) -> None:
    folder = put(make_run(), worker(), started(), step(1))
    request(folder.control, "stop_now")
    assert read_status(folder).state == "running"


def test_that_a_failure_tells_what_to_do_and_which_pairs(make_run: Make) -> None:
    status = read_status(put(make_run(), worker(state="ended"), started(), step(1), FAILED))
    assert (status.message, status.hint, status.kind, status.pair_ids) == (
        "Loss is not a number.",
        "Lower the learning rate.",
        "nan",
        ("p1",),
    )


def test_that_progress_tells_phase_step_and_time_to_go(make_run: Make) -> None:
    phase = PhaseChanged("reference", 3, 8, "cached")
    status = read_status(put(make_run(), worker(), started(), phase, step(1), step(2)), at_ms=0)
    assert (status.phase, status.phase_done, status.phase_total) == ("reference", 3, 8)
    assert (status.step, status.total_steps) == (2, 10)
    assert status.eta_s == pytest.approx(0.8)
    assert status.last is not None
    assert status.last.step == 2


def test_that_the_heartbeat_shows_the_state_of_the_run(make_run: Make) -> None:
    folder = make_run()
    seen: list[tuple[str, str]] = []

    def look(event: RunEvent) -> None:
        found = read_worker(folder.worker)
        assert found is not None
        seen.append((event.event, found.state))

    script = Scripted(
        [
            PhaseChanged("load"),
            RunStarted("run", 1, 1, 1, 0, "cpu", "float32", "f"),
            StateChanged("paused", 0),
            StateChanged("running", 0),
            StateChanged("stopping", 0),
            Finished("stopped", 0),
        ]
    )
    drive(folder.path, HostOptions(host="thread", engine=script, on_event=look))
    assert [state for _, state in seen] == ["starting", "running", "paused", "running", "stopping", "stopping"]
    last = read_worker(folder.worker)
    assert last is not None
    assert last.state == "ended"


def test_that_a_heartbeat_that_cannot_be_written_does_not_end_the_run(make_run: Make) -> None:
    beat = Heartbeat(make_run().path / "missing" / "worker.json", host="thread", attempt=1)
    beat.start()
    beat.end()


def test_that_a_run_waits_while_the_disk_is_full_and_says_so(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.domain.errors import StorageFull

    folder = make_run(steps=3)
    real, refusals, states = LedgerWriter.append, [3], []

    def append(self: LedgerWriter, event: RunEvent) -> int:
        if isinstance(event, StepDone) and event.step == 2 and refusals[0]:
            refusals[0] -= 1
            raise StorageFull("There is no room.")
        return real(self, event)

    def wait(_self: object, _seconds: float) -> None:
        found = read_worker(folder.worker)
        assert found is not None
        states.append((found.state, found.detail))

    monkeypatch.setattr(LedgerWriter, "append", append)
    monkeypatch.setattr("core.runs.control_file.ControlFile.wait", wait)
    last = drive(folder.path, HostOptions(host="thread", engine=train))
    assert isinstance(last, Finished)
    assert states == [("paused", "There is no room.")] * 3
    from core.runs.run_reader import RunReader

    reader = RunReader(folder.path)
    assert list(reader.series("loss")[0]) == [1, 2, 3]
    assert "storage_full" in [getattr(e, "code", "") for e in reader.poll()]


def test_that_a_full_disk_does_not_hold_a_run_that_should_stop(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.domain.errors import StorageFull

    folder = make_run(steps=3)

    def append(_self: LedgerWriter, _event: RunEvent) -> int:
        request(folder.control, "stop_now")
        raise StorageFull("There is no room.")

    monkeypatch.setattr(LedgerWriter, "append", append)
    with pytest.raises(StorageFull):
        drive(folder.path, HostOptions(host="thread", engine=train))
    assert read_status(folder).state == "interrupted"


def test_that_a_new_attempt_removes_the_half_written_heartbeat_of_a_killed_one(tmp_path: Path) -> None:
    left = tmp_path / f".tmp-worker-{GONE_PID}"
    left.write_text("{")
    beat = Heartbeat(tmp_path / "worker.json", host="process", attempt=2)
    beat.start()
    beat.end()
    assert [path.name for path in tmp_path.iterdir()] == ["worker.json"]

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from core.domain.errors import NotFound, UsageError, WorkspaceInUse
from core.domain.run_config import RENAMED
from core.runs import run_control
from core.runs.control_file import ControlFile, request, requested
from core.runs.folder import RunFolder
from core.runs.forking import fork_run
from core.runs.heartbeat import Worker, WorkerState
from core.runs.hosting.driver import HostOptions, drive
from tests.fakes.scripted_engine import train
from tests.patience import LIMIT_S

Make = Callable[..., RunFolder]


def worked_on(folder: RunFolder, state: WorkerState = "running") -> RunFolder:
    """Make the run look as if this process worked on it."""
    me = psutil.Process()
    worker = Worker(me.pid, me.create_time(), platform.node(), "process", 1, state, 0)
    folder.worker.write_text(json.dumps(asdict(worker)))
    return folder


def test_that_each_request_reaches_the_control_file(make_run: Make) -> None:
    folder = worked_on(make_run())
    run_control.pause(folder)
    assert requested(folder.control) == "pause"
    assert run_control.resume(folder) is None
    assert requested(folder.control) == "run"
    run_control.stop(folder)
    assert requested(folder.control) == "stop_and_save"
    run_control.stop(folder, save=False)
    assert requested(folder.control) == "stop_now"


def test_that_a_checkpoint_request_leaves_the_command_as_it_is(make_run: Make) -> None:
    folder = worked_on(make_run())
    run_control.pause(folder)
    control = ControlFile(folder.control)
    run_control.checkpoint(folder)
    assert control.command() == "pause"
    assert control.take_checkpoint_request()
    assert not control.take_checkpoint_request()


@pytest.mark.parametrize("ask", [run_control.pause, run_control.stop, run_control.checkpoint])
def test_that_a_run_without_a_process_takes_no_requests(make_run: Make, ask: Callable[[RunFolder], None]) -> None:
    folder = make_run()
    with pytest.raises(UsageError, match="No process is working on this run; it is created"):
        ask(folder)
    assert not folder.control.exists()


def test_that_a_run_that_ended_early_is_started_again(make_run: Make) -> None:
    folder = make_run()
    request(folder.control, "stop_and_save")
    host = run_control.resume(folder, "thread", engine=train)
    assert host is not None
    assert host.wait(LIMIT_S) == 0


def test_that_a_finished_run_is_not_started(make_run: Make) -> None:
    folder = make_run()
    drive(folder.path, HostOptions(host="terminal", engine=train))
    for begin in (run_control.start, run_control.resume):
        with pytest.raises(UsageError, match="finished"):
            begin(folder)


def test_that_a_run_with_settings_of_a_newer_version_is_shown_but_neither_started_nor_forked(make_run: Make) -> None:
    folder = make_run()
    plain = json.loads(folder.run_json.read_text())
    plain["config"]["of_a_newer_version"] = 1
    folder.run_json.write_text(json.dumps(plain))
    record = folder.record()
    assert record.unknown_settings == ("of_a_newer_version",)
    assert "of_a_newer_version" not in json.dumps(record.to_plain())
    for refused in (
        lambda: run_control.start(folder),
        lambda: drive(folder.path, HostOptions(host="terminal", engine=train)),
        lambda: fork_run(folder, 5, {}),
    ):
        with pytest.raises(UsageError, match="does not know: of_a_newer_version"):
            refused()
    assert not folder.ledger.exists()


def test_that_old_names_of_settings_are_read(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RENAMED, "old_beta", "beta")
    folder = make_run()
    plain = json.loads(folder.run_json.read_text())
    plain["config"]["old_beta"] = plain["config"].pop("beta") * 2
    folder.run_json.write_text(json.dumps(plain))
    record = folder.record()
    assert record.config.beta == 0.2
    assert record.unknown_settings == ()


def test_that_a_run_is_not_started_twice(make_run: Make) -> None:
    with pytest.raises(WorkspaceInUse, match="already working"):
        run_control.start(worked_on(make_run()), "thread", engine=train)


def test_that_runs_are_listed_newest_first_without_damaged_ones(make_run: Make, tmp_path: Path) -> None:
    place = tmp_path / "ws" / "runs"
    place.mkdir(parents=True)
    for number, name in enumerate("abc"):
        folder = make_run(name)
        plain = json.loads(folder.run_json.read_text())
        folder.run_json.write_text(json.dumps({**plain, "created_ms": number}))
        folder.path.rename(place / name)
    (place / "b" / "run.json").write_text("{")
    (place / "notes").mkdir()
    assert [folder.path.name for folder in run_control.list_runs(place)] == ["c", "a"]
    assert run_control.list_runs(tmp_path / "nowhere") == []
    assert run_control.runs_place(tmp_path / "ws") == place
    assert run_control.runs_place(place) == place


def test_that_a_run_is_found_by_folder_id_prefix_or_name(make_run: Make, tmp_path: Path) -> None:
    folder = make_run("first-run")
    make_run("second-run")
    for name in (str(folder.path), "first-run", "firs"):
        assert run_control.find_run(name, tmp_path).path == folder.path
    name = folder.record().name
    with pytest.raises(UsageError, match="2 runs are called"):
        run_control.find_run(name, tmp_path)
    for unknown in ("fir", "third"):
        with pytest.raises(NotFound, match="no run"):
            run_control.find_run(unknown, tmp_path)
    with pytest.raises(NotFound, match="no folder"):
        run_control.find_run("first-run", tmp_path / "nowhere")

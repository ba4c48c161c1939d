"""A run in several processes of this machine: the first writes, the others only compute."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import NotFound, UsageError, WorkspaceInUse
from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone, Failed, Finished, KlDone, RunEvent, SampleDone, StepDone, Warned
from core.runs import worker
from core.runs.control_file import request, requested
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive
from core.runs.hosting.run_lock import lock_run
from core.runs.hosting.torchrun import follow, is_follower, run_processes
from core.runs.run_reader import RunReader
from tests.core.training.golden_runs import GOLDEN, STEPS, golden_config, golden_pairs, trajectories
from tests.fakes.scripted_engine import Scripted


def golden_run(path: Path, **changes) -> Path:
    config: RunConfig = golden_config("sigmoid", **{"eval_every": 2, "kl_every": 0, "sample_every": 0, **changes})
    return create_run(path, NewRun(config, GOLDEN / "model", golden_pairs())).path


def test_that_only_ranks_above_zero_follow(monkeypatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert not is_follower()
    monkeypatch.setenv("RANK", "0")
    assert not is_follower()
    monkeypatch.setenv("RANK", "1")
    assert is_follower()


def test_that_a_follower_calls_the_engine_alike_and_leaves_the_folder_alone(tmp_path: Path) -> None:
    run_dir = golden_run(tmp_path / "run")
    before = sorted(p.name for p in run_dir.iterdir())
    calls = []

    def engine(config, pairs, **options):
        calls.append((config, len(pairs), options))
        yield Finished("completed", 3)

    assert follow(run_dir, HostOptions(engine=engine, cache_dir=tmp_path)) == Finished("completed", 3)
    ((config, count, options),) = calls
    assert config == RunReader(run_dir).config()
    assert (count, options["resume"], options["probe"], options["cache_dir"]) == (24, True, None, tmp_path)
    assert sorted(p.name for p in run_dir.iterdir()) == before


def test_that_a_follower_whose_engine_falls_silent_fails(tmp_path: Path) -> None:
    run_dir = golden_run(tmp_path / "run")
    assert isinstance(follow(run_dir, HostOptions(engine=lambda *_, **__: iter(()))), Failed)


def told_to_end(*_arguments: Any, **_options: Any) -> Iterator[RunEvent]:
    os.kill(os.getpid(), signal.SIGTERM)
    yield Finished("completed", 3)


def test_that_a_follower_does_not_pass_on_the_signal_that_torchrun_sends_to_all(tmp_path: Path, monkeypatch) -> None:
    run_dir = golden_run(tmp_path / "run")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(worker, "lower_priority", lambda: None)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert worker.main([str(run_dir), "--engine", f"{__name__}:told_to_end"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not RunFolder(run_dir).control.exists()


def test_that_processes_are_not_started_for_a_run_that_another_works_on(tmp_path: Path) -> None:
    folder = RunFolder(golden_run(tmp_path / "run"))
    request(folder.control, "pause")
    with lock_run(folder), pytest.raises(WorkspaceInUse):
        run_processes(folder.path, 2, lambda _: None)
    assert requested(folder.control) == "pause"
    assert not folder.worker_output.exists()


def test_that_processes_are_not_started_for_a_finished_run(tmp_path: Path) -> None:
    folder = RunFolder(golden_run(tmp_path / "run"))
    drive(folder.path, HostOptions(engine=Scripted([Finished("completed", 3)])))
    with pytest.raises(UsageError, match="finished"):
        run_processes(folder.path, 2, lambda _: None)
    assert not folder.worker_output.exists()


def test_that_processes_are_not_started_where_there_is_no_run(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotFound):
            run_processes(place, 2, lambda _: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_that_a_launched_run_is_stopped_through_its_folder_and_resumed(tmp_path: Path) -> None:
    run_dir = golden_run(tmp_path / "run", eval_every=0, steps=100_000)  # it cannot end before it is asked to
    folder = RunFolder(run_dir)

    def stop_after(step: int) -> Callable[[RunEvent], None]:
        def look(event: RunEvent) -> None:
            if isinstance(event, StepDone) and event.step >= step:
                request(folder.control, "stop_and_save")

        return look

    first = run_processes(run_dir, 2, stop_after(2))
    assert isinstance(first, Finished), first
    assert first.reason == "stopped"
    assert first.step >= 2
    last = run_processes(run_dir, 2, stop_after(max(STEPS, first.step + 1)))
    assert isinstance(last, Finished), last
    assert last.reason == "stopped"
    steps = RunReader(run_dir).steps()
    assert [step.step for step in steps] == list(range(1, last.step + 1))
    golden = [step["loss"] for step in trajectories()["sigmoid"]["steps"]]
    assert [step.loss for step in steps[:STEPS]] == pytest.approx(golden, rel=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_that_the_first_process_probes_a_model_that_is_held_in_shards(tmp_path: Path) -> None:
    settings = {"lora_r": 0, "init_adapter": "", "kl_every": 2, "sample_every": 2, "kl_prompts": 2}
    run_dir = golden_run(tmp_path / "run", steps=2, **settings)
    seen: list[RunEvent] = []
    last = run_processes(run_dir, 2, seen.append)
    assert isinstance(last, Finished), last
    assert not [event for event in seen if isinstance(event, Warned) and event.code == "probe_failed"]
    kls = [event for event in seen if isinstance(event, KlDone)]
    assert [event.step for event in kls] == [0, 2]
    assert kls[0].kl == 0.0 < kls[1].kl
    samples = [event for event in seen if isinstance(event, SampleDone)]
    assert all(event.policy == event.reference for event in samples if event.step == 0)
    assert [event.pairs for event in seen if isinstance(event, EvalDone)] == [24, 24]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_that_a_launched_run_has_one_ledger_and_the_golden_losses(tmp_path: Path) -> None:
    run_dir = golden_run(tmp_path / "run", steps=3)
    seen: list[RunEvent] = []
    last = run_processes(run_dir, 2, seen.append)
    assert isinstance(last, Finished), last
    losses = [event.loss for event in seen if isinstance(event, StepDone)]
    golden = [step["loss"] for step in trajectories()["sigmoid"]["steps"][:3]]
    assert losses == pytest.approx(golden, rel=1e-5)
    reader = RunReader(run_dir)
    assert [step.step for step in reader.steps()] == [1, 2, 3]
    assert [event.split for event in reader.evals()] == ["train"] * 3
    assert last.summary["processes"] == 2

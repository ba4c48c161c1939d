from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.errors import BadInput, GateFailed, StorageFull, UsageError, WorkspaceInUse
from core.domain.run_events import Failed, Finished, RunEvent, RunStarted, StepDone, to_plain
from core.runs.control_file import request, request_checkpoint, requested
from core.runs.folder import RunFolder
from core.runs.hosting.attempt import guarded
from core.runs.hosting.driver import HostOptions, drive
from core.runs.hosting.run_lock import lock_run
from core.runs.run_reader import RunReader
from tests.fakes.scripted_engine import Scripted, train

Make = Callable[..., RunFolder]
FAKE = HostOptions(host="thread", engine=train)


def run(folder: RunFolder, **changes: object) -> list[RunEvent]:
    events: list[RunEvent] = []
    drive(folder.path, replace(FAKE, on_event=events.append, **changes))  # type: ignore[arg-type]
    return events


def test_that_the_ledger_returns_every_event_as_the_engine_yielded_it(make_run: Make) -> None:
    folder = make_run()
    events = run(folder)
    assert RunReader(folder.path).poll(rows=True) == events
    assert isinstance(events[0], RunStarted)
    assert [type(e) for e in events if isinstance(e, Finished | Failed)] == [Finished]


def test_that_a_second_poll_returns_only_what_is_new(make_run: Make) -> None:
    folder = make_run(steps=2)
    reader = RunReader(folder.path)
    assert reader.poll() == []
    run(folder)
    assert len(reader.poll()) > 4
    assert reader.poll() == []


def test_that_a_finished_run_is_not_started_again(make_run: Make) -> None:
    folder = make_run(steps=1)
    run(folder)
    with pytest.raises(UsageError, match="finished"):
        run(folder)


def test_that_reset_drops_the_stop_of_an_earlier_attempt(make_run: Make) -> None:
    folder = make_run()
    request(folder.control, "stop_and_save")
    last = run(folder)[-1]
    assert isinstance(last, Finished)
    assert (last.reason, last.step) == ("stopped", 0)
    last = run(folder, reset=True)[-1]
    assert isinstance(last, Finished)
    assert (last.reason, last.step) == ("completed", 20)


def test_that_a_refused_attempt_asks_nothing_of_the_run_at_work(make_run: Make) -> None:
    folder = make_run()
    request(folder.control, "pause")
    with lock_run(folder), pytest.raises(WorkspaceInUse):
        run(folder, reset=True)
    assert requested(folder.control) == "pause"


def test_that_a_resumed_run_equals_an_uninterrupted_one(make_run: Make) -> None:
    whole, parts = make_run("whole"), make_run("parts")
    run(whole)

    def stop_at_7(event: RunEvent) -> None:
        if isinstance(event, StepDone) and event.step == 7:
            request(parts.control, "stop_now")

    first = drive(parts.path, replace(FAKE, on_event=stop_at_7))
    assert first == Finished("stopped_without_saving", 7)
    request(parts.control, "run")
    run(parts)
    one, two = RunReader(whole.path), RunReader(parts.path)
    for name in one.series_names():
        assert two.series(name) == one.series(name), name
    assert two.evals() == one.evals()
    assert two.kls() == one.kls()
    assert two.samples() == one.samples()
    for pair_id in ("p0", "p5", "p13"):
        assert [(v.step, v.kind, v.row) for v in two.pair_history(pair_id)] == [
            (v.step, v.kind, v.row) for v in one.pair_history(pair_id)
        ]
    assert [v.row for v in two.pairs_of_range(1, 20)] == [v.row for v in one.pairs_of_range(1, 20)]
    assert two.status().attempt == 2
    assert [e.event.resumed_from for e in two.log_events() if isinstance(e.event, RunStarted)] == [0, 5]


def test_that_stop_and_save_saves_the_very_step_it_stopped_at(make_run: Make) -> None:
    folder = make_run()

    def stop(event: RunEvent) -> None:
        if isinstance(event, StepDone) and event.step == 7:
            request(folder.control, "stop_and_save")

    assert drive(folder.path, replace(FAKE, on_event=stop)).step == 7
    assert (folder.checkpoints / "step-7").is_dir()
    assert RunReader(folder.path).status().state == "stopped"


def test_that_checkpoint_now_saves_once_and_the_run_continues(make_run: Make) -> None:
    folder = make_run(checkpoint_every=0, steps=6)

    def ask(event: RunEvent) -> None:
        if isinstance(event, StepDone) and event.step == 2:
            request_checkpoint(folder.control)

    drive(folder.path, replace(FAKE, on_event=ask))
    assert sorted(p.name for p in folder.checkpoints.iterdir()) == ["step-2", "step-6"]


def test_that_an_engine_error_becomes_one_last_event_with_the_traceback(make_run: Make) -> None:
    folder = make_run()
    started = RunStarted("run", 5, 1.0, 12, 4, "cpu", "float32", "f")
    last = drive(folder.path, replace(FAKE, engine=Scripted([started, ValueError("boom")])))
    assert isinstance(last, Failed)
    assert last.kind == "error"
    assert "boom" in last.message
    assert "ValueError" in last.traceback
    status = RunReader(folder.path).status()
    assert (status.state, status.kind) == ("failed", "error")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (GateFailed("m", "h", "missing_eos"), "gate:missing_eos"),
        (BadInput("m", "h"), "refused"),
        (StorageFull("m", "h"), "storage_full"),
    ],
    ids=["gate", "input", "storage"],
)
def test_that_a_user_error_keeps_its_message_and_hint_and_has_no_traceback(error: Exception, kind: str) -> None:
    assert list(guarded(Scripted([error])(None, []))) == [Failed(kind, "m", "h")]  # type: ignore[arg-type]


def test_that_a_run_ends_with_a_sentence_when_its_folder_is_moved(make_run: Make) -> None:
    folder = make_run(steps=20)
    away = folder.path.with_name("moved")

    def move_at_3(event: RunEvent) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            folder.path.rename(away)

    drive(folder.path, replace(FAKE, on_event=move_at_3))
    last = RunReader(away).poll()[-1]
    assert isinstance(last, Failed)
    assert "was moved or deleted while a process worked on it" in last.message
    assert last.step == 3
    assert not folder.path.exists()

    away.rename(folder.path)
    last = run(folder, reset=True)[-1]
    assert isinstance(last, Finished)
    assert last.step == 20


def test_that_a_run_ends_when_its_folder_is_deleted(make_run: Make) -> None:
    folder = make_run(steps=20)
    steps: list[int] = []

    def delete_at_3(event: RunEvent) -> None:
        if isinstance(event, StepDone):
            steps.append(event.step)
            if event.step == 3:
                shutil.rmtree(folder.path)

    last = drive(folder.path, replace(FAKE, on_event=delete_at_3))
    assert isinstance(last, Failed)
    assert steps == [1, 2, 3]


def test_that_an_engine_that_ends_silently_is_reported() -> None:
    last = list(guarded(iter([])))[-1]
    assert isinstance(last, Failed)


def test_that_nothing_follows_a_terminal_event() -> None:
    done = Finished("completed", 1)
    assert list(guarded(iter([done, done]))) == [done]


def test_that_two_processes_cannot_train_one_run(make_run: Make) -> None:
    folder = make_run()
    with lock_run(folder), pytest.raises(WorkspaceInUse):
        run(folder)


def test_that_altered_pairs_are_refused_by_name(make_run: Make) -> None:
    folder = make_run()
    folder.pairs_file.write_text(folder.pairs_file.read_text().replace("Good 3", "Best 3"))
    last = run(folder)[-1]
    assert isinstance(last, Failed)
    assert "pairs.jsonl" in last.message


@pytest.mark.parametrize("change", ["was altered", "is missing", "is new"])
def test_that_a_changed_model_is_refused_by_name(make_run: Make, change: str) -> None:
    folder = make_run()
    weights = Path(RunReader(folder.path).record().model_dir) / "model.safetensors"
    if change == "was altered":
        weights.write_bytes(b"other")
    elif change == "is missing":
        weights.unlink()
    else:
        weights.with_name("second.safetensors").write_bytes(b"")
    last = run(folder)[-1]
    assert isinstance(last, Failed)
    assert change in last.message


def test_that_a_changed_adapter_is_refused_by_name(tmp_path: Path, make_run: Make) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    folder = make_run(init_adapter=str(adapter))
    (adapter / "adapter_config.json").write_text("{ }")
    last = run(folder)[-1]
    assert isinstance(last, Failed)
    assert "adapter" in last.message
    assert "was altered" in last.message


def test_that_events_of_a_run_are_plain_json(make_run: Make) -> None:
    from core.domain.run_events import from_plain

    for event in run(make_run(steps=5)):
        assert from_plain(to_plain(event)) == event

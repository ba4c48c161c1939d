"""Runs of a workspace, from a frozen dataset and from a file, with the scripted engine."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.changes import Changes
from core.domain.dataset import FreezePolicy
from core.domain.errors import NotFound, UsageError, UserError, WorkspaceInUse
from core.domain.run_config import RunConfig
from core.domain.run_record import Charter
from core.runs.creation import NewRun, create_run
from core.runs.hosting.driver import HostOptions, drive
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.services.runs import registry
from core.services.runs.service import RunsService
from core.services.runs.views import RunInfo, RunRequest, changed_settings, command_line
from tests.core.runs.conftest import make_pairs
from tests.fakes.scripted_engine import STEP_SECONDS_VARIABLE, train
from tests.fakes.workspaces import opened, prefer
from tests.patience import LIMIT_S, wait_until

FAKE = "tests.fakes.scripted_engine:train"
QUICK = RunConfig().with_values({"steps": 6, "batch_size": 2, "eval_every": 3, "checkpoint_every": 2})


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws") as app:
        app.runs.engine = FAKE
        yield app


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def request_(tmp_path: Path, model_dir: Path) -> RunRequest:
    lines = [{"prompt": f"Q{i}", "chosen": "yes", "rejected": "no"} for i in range(8)]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return RunRequest(str(model_dir), pairs_path=str(path), config=QUICK, name="first", tags=("a",), note="why")


def made(app: Application, request: RunRequest) -> RunInfo:
    return app.runs.create(request).value


def finished(app: Application, request: RunRequest) -> RunInfo:
    info = made(app, request)
    app.runs.start(info.run_id, "thread")
    assert app.runs.wait(info.run_id, LIMIT_S) == 0
    return app.runs.info(info.run_id)


def test_that_a_created_run_is_listed_ready_with_all_that_was_frozen(app: Application, request_: RunRequest) -> None:
    outcome = app.runs.create(request_)
    assert outcome.changes is Changes.RUNS
    assert app.runs.list() == [outcome.value]
    info = outcome.value
    assert (info.state, info.name, info.tags, info.note, info.live) == ("created", "first", ("a",), "why", False)
    assert (Path(info.record.model_dir).name, info.record.dataset["title"]) == ("model", "pairs.jsonl")
    assert info.record.command_line == f"{app.runs.command_line(request_)} --set dtype=float32"
    assert Path(info.folder).parent == app.folder / "runs"
    assert "run.create" in [item.op for item in app.workspace.activity(5)]


def test_that_a_run_from_a_dataset_version_leads_back_to_its_labels(app: Application, model_dir: Path) -> None:
    queue = app.annotation.open_queue(QueueSettings(1, 1))
    while shown := app.annotation.next(queue):
        app.annotation.commit(shown[0].presentation_uid, prefer(-2))
    version = app.datasets.freeze("toy", FreezePolicy(splits=(0.5, 0.5, 0.0))).value
    request = RunRequest(str(model_dir), dataset_id=version.id, config=QUICK, charter=Charter("be kind", "length"))
    info = finished(app, request)
    record = info.record
    assert (record.n_train + record.n_dev, record.charter) == (6, Charter("be kind", "length"))
    assert record.dataset["root_sha256"] == version.root_sha256
    assert f"--dataset '{version.title}'" in record.command_line
    worst = app.runs.reader(info.run_id).worst(1)[0]
    lineage = app.runs.lineage(info.run_id)
    row = lineage.rows([worst])[0]
    assert row.prompt.startswith("Question")
    assert row.reviewers == "Ann"
    assert [j.reviewer.name for j in lineage.judgements(worst.pair_id)] == ["Ann"]


@pytest.mark.parametrize("host", ["process", "thread"])
def test_that_a_run_starts_pauses_goes_on_and_stops(
    app: Application, request_: RunRequest, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STEP_SECONDS_VARIABLE, "0.02")
    run_id = made(app, RunRequest(**{**_fields(request_), "config": QUICK.with_values({"steps": 5000})})).run_id
    runs = app.runs
    runs.start(run_id, host)  # type: ignore[arg-type]
    wait_for(runs, run_id, lambda info: info.status.step > 2)
    with pytest.raises(WorkspaceInUse):
        runs.start(run_id)
    runs.pause(run_id)
    wait_for(runs, run_id, lambda info: info.state == "paused")
    runs.checkpoint(run_id)
    runs.resume(run_id)
    wait_for(runs, run_id, lambda info: info.state == "running")
    runs.stop(run_id)
    assert runs.wait(run_id, LIMIT_S) == 0
    assert runs.info(run_id).state == "stopped"
    with pytest.raises(UsageError, match="No process is working"):
        runs.pause(run_id)
    runs.resume(run_id, host)  # type: ignore[arg-type]
    wait_for(runs, run_id, lambda info: info.status.attempt == 2 and info.state == "running")
    runs.stop(run_id, save=False)
    assert runs.wait(run_id, LIMIT_S) == 0


def test_that_a_finished_run_is_not_started_again(app: Application, request_: RunRequest) -> None:
    info = finished(app, request_)
    assert info.state == "finished"
    with pytest.raises(UsageError, match="finished"):
        app.runs.start(info.run_id)


def test_that_a_run_folder_made_elsewhere_is_found(app: Application, model_dir: Path) -> None:
    folder = create_run(app.folder / "runs" / "from-a-server", NewRun(QUICK, model_dir, make_pairs()), run_id="r7")
    drive(folder.path, HostOptions(host="terminal", engine=train))
    assert [info.run_id for info in app.runs.list()] == ["r7"]
    assert app.runs.info("r7").state == "finished"
    assert len(app.runs.reader("r7").series("loss")[0]) == 6


def test_that_a_damaged_run_folder_does_not_hide_the_others(app: Application, request_: RunRequest) -> None:
    info = made(app, request_)
    broken = app.folder / "runs" / "broken"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    assert [i.run_id for i in app.runs.list()] == [info.run_id]


def test_that_notes_and_tags_change_but_the_folder_does_not(app: Application, request_: RunRequest) -> None:
    info = made(app, request_)
    before = (Path(info.folder) / "run.json").read_bytes()
    changed = app.runs.housekeeping.annotate(info.run_id, name="second", tags=("x",), note="better").value
    assert (changed.name, changed.tags, changed.note) == ("second", ("x",), "better")
    assert app.runs.list()[0] == changed
    assert (Path(info.folder) / "run.json").read_bytes() == before


def test_that_insights_are_found_from_the_ledger(app: Application, request_: RunRequest) -> None:
    info = finished(app, request_)
    assert all(insight.title for insight in app.runs.insights(info.run_id))
    assert app.runs.insights(info.run_id) is app.runs.insights(info.run_id)


def test_that_unknown_runs_and_unclear_requests_are_refused(app: Application, request_: RunRequest) -> None:
    with pytest.raises(NotFound):
        app.runs.info("nothing")
    with pytest.raises(UsageError, match="either"):
        made(app, RunRequest(request_.model_path))
    with pytest.raises(NotFound):
        made(app, RunRequest(**{**_fields(request_), "model_path": "/nowhere"}))
    assert app.runs.list() == []


def test_that_a_workspace_open_for_reading_makes_no_run(app: Application, request_: RunRequest) -> None:
    info = finished(app, request_)
    app.close()
    with Application.open(app.folder, read_only=True) as reading:
        assert reading.runs.list()[0].state == "finished"
        assert reading.runs.list()[0].run_id == info.run_id
        with pytest.raises(UserError, match="reading only"):
            made(reading, request_)


def test_that_the_list_of_finished_runs_is_read_once(
    app: Application, request_: RunRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        finished(app, request_)
    before = app.runs.list()
    monkeypatch.setattr(registry, "read_status", lambda folder: pytest.fail(f"read {folder.path} again"))
    assert app.runs.list() == before


def test_that_the_command_line_names_only_what_differs_from_the_defaults() -> None:
    config = RunConfig().with_values({"beta": 0.3, "shuffle": False, "lr": 1e-6, "steps": 5})
    assert changed_settings(config) == {"beta": 0.3, "lr": 1e-6, "steps": 5, "shuffle": False}
    request = RunRequest("/m odel", pairs_path="/p.jsonl", config=config, name="it's")
    line = command_line(request, out="/r")
    assert line == (
        "pairwright train --pairs /p.jsonl --out /r --model '/m odel' --set beta=0.3 --set lr=1e-06 --set steps=5"
        " --set shuffle=false --name 'it'\"'\"'s'"
    )


def test_that_the_command_line_read_back_gives_the_same_settings() -> None:
    import shlex

    from core.cli.run_settings import read_settings

    config = RunConfig().with_values({"lr": 3.3e-5, "wpo": True, "loss": "ipo", "warmup": 0, "lora_targets": "a,b"})
    words = shlex.split(command_line(RunRequest("m", pairs_path="p", config=config)))
    assert read_settings([w for flag, w in itertools.pairwise(words) if flag == "--set"]) == config


def _fields(request: RunRequest) -> dict:
    return {name: getattr(request, name) for name in RunRequest.__dataclass_fields__}


def wait_for(runs: RunsService, run_id: str, condition) -> None:
    """Poll another process until ``condition`` holds of its run."""
    wait_until(lambda: condition(runs.info(run_id)))


def test_that_a_run_made_beside_an_open_workspace_is_added_by_whoever_has_it_open(
    app: Application, request_: RunRequest
) -> None:
    with Application.open(app.folder, read_only=True) as beside:
        made_beside = beside.runs.create_beside(request_).value
        assert made_beside.state == "created"
    assert "run.create" not in [item.op for item in app.workspace.activity(5)]
    assert [info.run_id for info in app.runs.follow()] == [made_beside.run_id]
    assert "run.create" in [item.op for item in app.workspace.activity(5)]
    assert app.runs.housekeeping.annotate(made_beside.run_id, note="mine").value.note == "mine"
    assert [info.run_id for info in app.runs.follow()] == [made_beside.run_id], "asked for once, added once"
    assert [item.op for item in app.workspace.activity(9)].count("run.create") == 1
    assert app.workspace.check().findings == ()


def test_that_a_request_for_a_folder_that_is_no_run_adds_nothing(app: Application) -> None:
    place = app.runs.folder / ".requests"
    place.mkdir(parents=True)
    for name in ("0" * 32, "..", "x" * 300):
        (place / f"{name[:200]}.json").write_text("null")
    assert list(app.runs.follow()) == []
    assert app.workspace.check().ok


def test_that_the_end_of_a_run_is_noted_once(app: Application, request_: RunRequest) -> None:
    finished(app, request_)
    app.runs.follow()
    app.runs.follow()
    assert [item.op for item in app.workspace.activity(9)].count("run.end") == 1

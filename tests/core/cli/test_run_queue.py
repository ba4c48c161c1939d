"""``runs queue``: the same queue as the window's, with exit codes and JSON."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, RunEvent, StepDone
from core.services.annotation.service import QueueSettings
from tests.core.cli.conftest import Said
from tests.fakes import scripted_engine
from tests.fakes.workspaces import opened, prefer

Call = Callable[..., Said]


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    with opened(tmp_path / "ws") as app:
        queue = app.annotation.open_queue(QueueSettings(1, 1))
        while shown := app.annotation.next(queue):
            app.annotation.commit(shown[0].presentation_uid, prefer(-2))
        app.datasets.freeze("toy", FreezePolicy(splits=(0.5, 0.5, 0.0)))
    return tmp_path / "ws"


def test_that_a_queue_is_filled_ordered_and_worked_off(call: Call, ws: Path, model: Path, tmp_path: Path) -> None:
    assert "none waits" in call("runs", "queue", ws).out
    options = ["--dataset", "toy v1", "--model", model, "--set", "steps=2", "--set", "batch_size=2"]
    for name in ("a", "b", "c"):
        said = call("runs", "queue", "add", ws, *options, "--name", name, "--json")
        assert said.code == 0
    assert said.json()["place"] == 3
    assert call("runs", "queue", "move", ws, "c", "--to", 1, "--json").json()["place"] == 1
    assert "number 2 now" in call("runs", "queue", "move", ws, "c", "--down").out
    assert call("runs", "queue", "move", ws, "c").code == 2
    assert call("runs", "queue", "move", ws, "nobody", "--up").code == 1
    assert call("runs", "queue", "remove", ws, "b", "--json").json()["place"] == 3
    listed = call("runs", "queue", ws, "--json").json()
    assert [(run["place"], run["name"], run["state"]) for run in listed["waiting"]] == [
        (1, "a", "queued"),
        (2, "c", "queued"),
    ]
    assert (listed["running"], listed["told"], listed["paused"]) == ([], [], False)
    assert call("runs", "queue", "pause", ws, "--json").json() == {"paused": True, "waiting": 2}
    said = call("runs", "queue", "start", ws)
    assert (said.code, "it is paused" in said.err) == (1, True)
    assert "The queue is paused" in call("runs", "queue", ws).out
    call("runs", "queue", "resume", ws)
    shutil.copytree(model, tmp_path / "moved")
    other = [word if word != model else tmp_path / "moved" for word in options]
    assert call("runs", "queue", "add", ws, *other, "--name", "gone").code == 0
    shutil.rmtree(tmp_path / "moved")
    said = call("runs", "queue", "start", ws, "--json")
    assert said.code == 1, "one of them could not be started"
    last = said.lines()[-1]
    assert (last["worked_on"], last["waiting"]) == (["a", "c"], [])
    (told,) = last["told"]
    assert (told["name"], told["kind"]) == ("gone", "refused")
    assert "gone could not be started: The model of this run is not at" in call("runs", "queue", ws).out
    assert call("runs", "queue", "forget", ws, "gone", "--json").json() == {"forgotten": 1, "left": 0}
    assert call("runs", "queue", "add", ws, "--run", "b", "--json").json()["place"] == 1
    assert call("runs", "queue", "add", ws, "--run", "b").code == 2, "it waits already"
    assert call("runs", "queue", "add", ws, "--run", "b", "--set", "beta=1").code == 2
    assert call("runs", "queue", "add", ws).code == 2
    said = call("runs", "queue", "start", ws)
    assert (said.code, said.out.splitlines()[-1]) == (0, "1 run worked on, 0 waiting.")
    found = call("frontier", ws, "--by", "held_out_accuracy", "--json").json()
    assert sorted(point["name"] for point in found["points"]) == ["a", "b", "c"], "what never started has no place"
    assert len(found["frontier"]) == 3, "equal runs do not beat each other"
    assert {(p["kl"]["value"], p["kl"]["n"], p["quality"]["n"]) for p in found["points"]} == {(0.02, 4, 3)}
    assert call("frontier", ws, "--by", "held_out_accuracy").out.count("on the frontier") == 3
    assert call("frontier", ws, "--tag", "sweep").code == 2, "evaluations have no tags"


def test_that_a_queue_goes_on_to_its_end_past_a_run_that_fails_while_it_trains(
    call: Call, ws: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(config: RunConfig, *words: Any, **named: Any) -> Iterator[RunEvent]:
        for event in scripted_engine.train(config, *words, **named):
            yield event
            if config.seed == 13 and isinstance(event, StepDone):
                yield Failed("nan", "The loss is not a number.", "Lower the learning rate.", step=event.step)
                return

    monkeypatch.setattr("core.runs.hosting.driver.real_engine", lambda probe=None: (train, probe))
    options = ["--dataset", "toy v1", "--model", model, "--set", "steps=2", "--set", "batch_size=2"]
    call("runs", "queue", "add", ws, *options, "--name", "diverges", "--set", "seed=13")
    call("runs", "queue", "add", ws, *options, "--name", "fine")
    said = call("runs", "queue", "start", ws)
    assert said.code == 1, "one of them failed"
    assert said.out.splitlines()[-1] == "2 runs worked on, 0 waiting."
    assert "diverges failed: The loss is not a number. The queue goes on." in said.err
    listed = call("runs", "queue", ws, "--json").json()
    (told,) = listed["told"]
    assert (told["name"], told["kind"], told["reason"], told["hint"]) == (
        "diverges", "failed", "The loss is not a number.", "Lower the learning rate.",
    )  # fmt: skip
    states = {run["name"]: run["state"] for run in call("runs", "table", ws, "--json").json()}
    assert states == {"diverges": "failed", "fine": "finished"}
    assert (listed["waiting"], listed["running"]) == ([], [])


def test_that_the_queue_waits_for_a_run_that_is_trained_elsewhere(
    call: Call, ws: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--dataset", "toy v1", "--model", model, "--set", "steps=2"]
    call("runs", "queue", "add", ws, *options, "--name", "a")
    found: list[Said] = []
    shown: list[str] = []

    def look(line: str) -> None:
        if line.startswith("step 1"):
            monkeypatch.setattr("core.cli.train.say", shown.append)
            found.extend((call("runs", "queue", ws, "--json"), call("runs", "queue", "start", ws)))

    monkeypatch.setattr("core.cli.train.say", look)
    assert call("train", ws, *options, "--name", "by hand").code == 0
    (running,) = found[0].json()["running"]
    assert (running["name"], running["host"], running["state"]) == ("by hand", "terminal", "running")
    assert found[1].code == 3
    assert "another run or evaluation is worked on" in found[1].err

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.domain.run_config import RunConfig
from core.runs.control_file import requested
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive
from core.runs.hosting.hosts import start
from tests.core.cli.conftest import Said
from tests.core.runs.conftest import make_pairs
from tests.core.runs.hosting.test_hosts import at_step
from tests.fakes.scripted_engine import STEP_SECONDS_VARIABLE, train
from tests.patience import LIMIT_S, wait_until

Call = Callable[..., Said]


def make(place: Path, model: Path, name: str, steps: int = 4, run_id: str = "") -> RunFolder:
    config = RunConfig().with_values({"steps": steps, "batch_size": 4})
    return create_run(place / name, NewRun(config, model, make_pairs(), name=name), run_id=run_id or f"id-of-{name}")


@pytest.fixture
def runs(tmp_path: Path, model: Path) -> Path:
    place = tmp_path / "ws" / "runs"
    drive(make(place, model, "done").path, HostOptions(host="terminal", engine=train))
    make(place, model, "fresh")
    return tmp_path / "ws"


@pytest.fixture
def live(runs: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunFolder]:
    from core.runs.control_file import request
    from core.runs.run_reader import RunReader

    monkeypatch.setenv(STEP_SECONDS_VARIABLE, "0.02")
    folder = make(runs / "runs", model, "live", 5000)
    host = start(folder.path, "thread", engine=train)
    wait_until(at_step(RunReader(folder.path), 1))
    yield folder
    request(folder.control, "stop_now")
    host.wait(LIMIT_S)


def test_that_the_runs_of_a_workspace_are_listed(call: Call, runs: Path) -> None:
    rows = call("runs", runs, "--json").json()
    assert {(row["name"], row["state"], row["step"]) for row in rows} == {
        ("done", "finished", 4),
        ("fresh", "created", 0),
    }
    text = call("runs", runs).out
    assert "done" in text
    assert "4/4" in text


def test_that_a_run_that_cannot_be_read_is_told_and_hides_no_other(call: Call, runs: Path) -> None:
    for name, text in (("cut", '{"run_id": "x"'), ("deep", "[" * 5000)):
        (runs / "runs" / name).mkdir()
        (runs / "runs" / name / "run.json").write_text(text)
    (runs / "runs" / "other").mkdir()
    said = call("runs", runs, "--json")
    assert {row["name"] for row in said.json()} == {"done", "fresh"}
    notes = [line for line in said.err.splitlines() if line.startswith("note: The run in ")]
    assert [line.split()[4] for line in notes] == ["cut", "deep"]
    (runs / "evaluations" / "cut").mkdir(parents=True)
    (runs / "evaluations" / "cut" / "evaluation.json").write_text("{")
    said = call("evaluations", runs, "--json")
    assert said.json() == [] and "The evaluation in cut cannot be read" in said.err


def test_that_list_may_be_left_out_or_said(call: Call, runs: Path) -> None:
    assert call("runs", "list", runs, "--json").json() == call("runs", runs, "--json").json()
    assert call("runs", "--json", runs).json() == call("runs", runs, "--json").json()


@pytest.mark.parametrize("name", ["done", "id-of-done", "id-of-d"])
def test_that_a_run_is_found_by_name_id_or_the_beginning_of_its_id(call: Call, runs: Path, name: str) -> None:
    assert call("runs", "show", name, "--in", runs, "--json").json()["id"] == "id-of-done"


def test_that_showing_a_run_tells_state_settings_and_log(call: Call, runs: Path) -> None:
    folder = runs / "runs" / "done"
    shown = call("runs", "show", folder, "--json").json()
    assert shown["status"]["last"]["step"] == 4
    assert shown["run"]["config"]["steps"] == 4
    assert "finished (completed)" in call("runs", "show", folder).out


@pytest.mark.parametrize(
    ("words", "command"),
    [(["pause"], "pause"), (["stop"], "stop_and_save"), (["stop", "--now"], "stop_now"), (["resume"], "run")],
    ids=["pause", "stop", "stop now", "resume"],
)
def test_that_a_live_run_is_steered_through_its_folder(
    call: Call, live: RunFolder, words: list[str], command: str
) -> None:
    if command == "run":
        call("runs", "pause", live.path)
    assert call("runs", words[0], live.path, *words[1:]).code == 0
    assert requested(live.control) == command


def test_that_a_checkpoint_can_be_asked_for(call: Call, live: RunFolder) -> None:
    assert call("runs", "checkpoint", live.path).code == 0
    wait_until(lambda: any(live.checkpoints.glob("step-*")))


def test_that_a_run_that_is_not_going_on_cannot_be_steered(call: Call, runs: Path) -> None:
    for words in (["pause", "fresh"], ["stop", "done"], ["checkpoint", "done"], ["resume", "done"]):
        said = call("runs", *words, "--in", runs, "--json")
        assert said.code == 2
        assert said.error()["hint"]


def test_that_a_fork_needs_a_checkpoint_and_settings_it_can_follow(call: Call, runs: Path) -> None:
    said = call("runs", "fork", "done", "--in", runs, "--step", "3", "--set", "lr=1e-4", "--json")
    assert said.code == 1
    assert said.error()["error"] == "The run has no checkpoint of step 3."
    assert call("runs", "fork", "done", "--in", runs, "--set", "lr").code == 2


def test_that_unknown_and_ambiguous_runs_are_refused(call: Call, runs: Path, model: Path) -> None:
    assert call("runs", "show", "nothing", "--in", runs).code == 1
    assert call("runs", "/nowhere").code == 1
    create_run(runs / "runs" / "other", NewRun(RunConfig(), model, make_pairs(), name="done"), run_id="second")
    said = call("runs", "show", "done", "--in", runs, "--json")
    assert said.code == 2
    assert "2 runs" in said.error()["error"]


def test_that_a_second_process_on_one_run_exits_3(call: Call, live: RunFolder) -> None:
    assert call("train", "--resume", live.path).code == 3


def test_that_showing_a_run_quotes_held_out_values_with_interval_and_n(call: Call, runs: Path) -> None:
    folder = runs / "runs" / "done"
    shown = call("runs", "show", folder, "--json").json()
    accuracy = shown["measured"]["held_out"]["accuracy"]
    assert accuracy["n"] == 4 and accuracy["lo"] <= accuracy["value"] <= accuracy["hi"]
    assert shown["measured"]["kl"]["horizon"] == 48 and shown["measured"]["kl"]["se"] is not None
    assert shown["held_out"]["step"] == shown["measured"]["held_out"]["step"] == 4
    assert shown["last_batch"]["n"] == 4 and "margin" not in shown
    text = call("runs", "show", folder).out
    assert "held-out     step 4, 4 pairs, 95 % intervals" in text
    assert "KL, first 48 tokens: step 4" in text
    assert "(one batch, not a result)" in text


def test_that_the_list_shows_the_held_out_accuracy_or_that_there_is_none(call: Call, runs: Path) -> None:
    lines = {line.split()[1]: line for line in call("runs", runs).out.splitlines()[1:]}
    assert "n 4 step 4" in lines["done"]
    assert "not measured" in lines["fresh"]


def test_that_insights_are_listed_with_their_evidence(call: Call, runs: Path, model: Path) -> None:
    place = runs / "runs"
    config = RunConfig().with_values({"steps": 6, "batch_size": 4, "kl_budget": 0.01, "eval_every": 2, "kl_every": 2})
    folder = create_run(place / "far", NewRun(config, model, make_pairs(), name="far"), run_id="far")
    drive(folder.path, HostOptions(host="terminal", engine=train))
    found = call("runs", "insights", folder.path, "--json").json()["insights"]
    (kl,) = [insight for insight in found if insight["code"] == "kl_over_budget"]
    assert kl["severity"] == "error" and kl["figures"]["KL, first 48 tokens"].endswith("n 4")
    assert kl["spans"] == [[2, 6]] and kl["formula"] and kl["confirm"] and kl["test"] and kl["try"]
    text = call("runs", "insights", "far", "--in", runs).out
    assert "1. KL is over its budget (error, steps 2 to 6)" in text
    assert "What would confirm it:" in text
    assert call("runs", "insights", "done", "--in", runs).out.strip() == "Nothing stands out."

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli.app import main
from core.domain.changes import Changes
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.run_config import RunConfig
from core.services.application import Application
from core.services.runs.views import RunInfo, RunRequest
from tests.fakes.workspaces import opened
from tests.patience import LIMIT_S

QUICK = RunConfig().with_values({"steps": 6, "batch_size": 2, "eval_every": 3, "checkpoint_every": 2, "kl_every": 3})


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws") as app:
        app.runs.engine = "tests.fakes.scripted_engine:train"
        yield app


@pytest.fixture
def request_(tmp_path: Path) -> RunRequest:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    path = tmp_path / "pairs.jsonl"
    lines = [{"prompt": f"Q{i}", "chosen": "yes", "rejected": "no"} for i in range(8)]
    lines += [{"prompt": f"D{i}", "chosen": "yes", "rejected": "no", "split": "dev"} for i in range(4)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return RunRequest(str(model), pairs_path=str(path), config=QUICK, name="first", tags=("a",), note="why")


@pytest.fixture
def run(app: Application, request_: RunRequest) -> RunInfo:
    info = app.runs.create(request_).value
    app.runs.start(info.run_id, "thread")
    assert app.runs.wait(info.run_id, LIMIT_S) == 0
    return app.runs.info(info.run_id)


def test_that_a_line_of_the_table_repeats_the_ledger(app: Application, run: RunInfo) -> None:
    (line,) = app.runs.housekeeping.table()
    reader = app.runs.reader(run.run_id)
    probe, kls = reader.evals("dev")[-1], reader.kls()
    assert (line.accuracy, line.accuracy_low, line.accuracy_high) == (
        probe.accuracy,
        probe.accuracy_low,
        probe.accuracy_high,
    )
    assert (line.pairs, line.measured_step, line.margin) == (probe.pairs, probe.step, probe.margin)
    assert line.kl == (kls[-1].kl if kls else None)
    assert (line.steps, line.total_steps, line.lr, line.loss) == (6, 6, QUICK.lr, "sigmoid")
    assert (line.name, line.tags, line.note, line.archived) == ("first", ("a",), "why", False)


def test_that_a_run_that_did_not_move_is_not_read_again(app: Application, run: RunInfo) -> None:
    before = app.runs.housekeeping.table()[0]
    assert app.runs.housekeeping.table()[0] is before
    app.runs.housekeeping.annotate(run.run_id, name="second")
    assert app.runs.housekeeping.table()[0].name == "second"


def test_that_a_run_that_ended_early_tells_where_it_would_continue(app: Application, request_: RunRequest) -> None:
    app.runs.create(request_)
    assert app.runs.housekeeping.table()[0].resume_step == 0


def test_that_archiving_keeps_the_tags_and_changing_tags_keeps_the_archive(app: Application, run: RunInfo) -> None:
    keeping = app.runs.housekeeping
    assert keeping.archive(run.run_id).changes is Changes.RUNS
    keeping.annotate(run.run_id, tags=("b", "c"))
    line = keeping.table()[0]
    assert (line.archived, line.tags) == (True, ("b", "c"))
    keeping.archive(run.run_id, False)
    line = keeping.table()[0]
    assert (line.archived, line.tags) == (False, ("b", "c"))


def test_that_a_deleted_run_comes_back_as_it_was(app: Application, run: RunInfo) -> None:
    keeping = app.runs.housekeeping
    keeping.annotate(run.run_id, name="renamed", note="kept")
    before = {path.name: path.read_bytes() for path in Path(run.folder).iterdir() if path.is_file()}
    outcome = keeping.delete(run.run_id)
    assert (outcome.value, outcome.undo_label) == ("renamed", "Delete run renamed")
    assert list(app.runs.list()) == [] and not Path(run.folder).exists()
    (waiting,) = keeping.deleted()
    assert waiting.run_id == run.run_id and waiting.size_bytes > 0
    back = keeping.restore(run.run_id).value
    assert (back.name, back.note, back.status.step) == ("renamed", "kept", 6)
    assert {path.name: path.read_bytes() for path in Path(back.folder).iterdir() if path.is_file()} == before
    assert list(keeping.deleted()) == []


def test_that_a_run_is_removed_for_good_only_after_it_was_deleted(app: Application, run: RunInfo) -> None:
    keeping = app.runs.housekeeping
    with pytest.raises(NotFound):
        keeping.remove(run.run_id)
    assert Path(run.folder).is_dir()
    keeping.delete(run.run_id)
    assert keeping.remove(run.run_id).value > 0
    with pytest.raises(NotFound):
        keeping.restore(run.run_id)


def test_that_a_run_with_a_process_at_work_is_not_deleted(
    app: Application, request_: RunRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = app.runs.create(request_).value
    monkeypatch.setattr("core.services.runs.deleted_runs.read_status", lambda _: RunStatusStub)
    with pytest.raises(UsageError, match="running"):
        app.runs.housekeeping.delete(info.run_id)
    assert Path(info.folder).is_dir()


class RunStatusStub:
    state = "running"


def test_that_a_run_is_found_by_id_beginning_and_present_name(app: Application, run: RunInfo) -> None:
    keeping = app.runs.housekeeping
    keeping.annotate(run.run_id, name="second")
    assert {keeping.find(text) for text in (run.run_id, run.run_id[:6], "second")} == {run.run_id}
    for text in ("first", run.run_id[:3], ""):
        with pytest.raises(NotFound):
            keeping.find(text)


def test_that_a_run_that_was_copied_here_can_be_renamed_too(tmp_path: Path, run: RunInfo) -> None:
    with opened(tmp_path / "ws3") as other:
        shutil.copytree(run.folder, other.folder / "runs" / "copied")
        assert other.runs.housekeeping.annotate(run.run_id, name="copy").value.name == "copy"
        assert other.runs.housekeeping.archive(run.run_id).value.tags[-1] == "archived"


def test_that_names_and_tags_are_checked(app: Application, run: RunInfo) -> None:
    with pytest.raises(BadInput):
        app.runs.housekeeping.annotate(run.run_id, name="a\x00b")


def test_that_the_command_line_does_the_same(
    tmp_path: Path, request_: RunRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(tmp_path / "cli") as app:
        run_id = app.runs.create(request_).value.run_id
    place = str(tmp_path / "cli")

    def said(*words: str) -> object:
        assert main(["runs", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert said("edit", place, "first", "--name", "other", "--tag", "x")["tags"] == ["x"]  # type: ignore[index]
    assert [row["name"] for row in said("table", place, "--sort", "lr", "--find", "OTH")] == ["other"]  # type: ignore[attr-defined]
    assert said("table", place, "--find", "nothing") == []
    said("archive", place, "other")
    assert said("table", place) == []
    assert len(said("table", place, "--archived")) == 1  # type: ignore[arg-type]
    said("delete", place, run_id)
    assert [row["run_id"] for row in said("deleted", place)] == [run_id]  # type: ignore[attr-defined]
    said("restore", place, run_id)
    assert said("deleted", place) == []
    assert main(["runs", "table", place, "--sort", "colour"]) == 2

"""What commit ce1f908 left on a disk opens today, says the same, and goes on: workspace, runs, checkpoints, settings.

``tests/golden/ce1f908`` holds the files and what the code of that commit said of them; see its README.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from app.session import Session
from app.settings.store import Settings
from core.cli.app import main
from core.domain.dataset import FreezePolicy
from core.domain.judgement import JudgementDraft, Verdict
from core.domain.run_config import RunConfig
from core.domain.run_events import MACHINE_FIELDS
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.runs.views import RunReader, RunRequest
from core.services.workspace.service import restore
from core.store import batches
from core.store.adjudications import PICKS_NEED_DECISION_AFTER, undecided_picks
from tests.e2e.old_files import copy, facts, unpack
from tests.golden.ce1f908.observe import digest, run_facts, series, workspace_facts
from tests.patience import LIMIT_S

RUNS = facts()["run_ids"]
NEWER = {
    "micro_batches",
    "resident_bytes",
    *(f"{split}.kl_{side}_se" for split in ("dev", "train") for side in ("chosen", "rejected")),
}
"""Curves that runs did not have then."""
CLOSE: dict[str, dict[str, Any]] = {"float64": {"rel": 1e-9, "abs": 1e-12}, "float32": {"rel": 1e-3, "abs": 1e-4}}
"""Another processor rounds another way; a lost optimizer or random state changes the second digit."""
CLOSE_KL = {"rel": 1e-4, "abs": 1e-6}
"""Answers were read by the model's own layers then, whose norms are float32 in a float64 model too."""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old files, for tests that only read them."""
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def app(old: Path) -> Iterator[Application]:
    with Application.open(old / "workspace") as opened:
        yield opened


@pytest.fixture
def copied(old: Path, tmp_path: Path) -> Path:
    """A copy of the old files, for a test that writes."""
    return copy(old, tmp_path / "copy")


@pytest.fixture
def writable(copied: Path) -> Iterator[Application]:
    with Application.open(copied / "workspace") as opened:
        yield opened


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return a function that runs one command and returns the JSON that it prints."""

    def run(*words: object) -> Any:
        capsys.readouterr()
        assert main([*map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def plain(value: Any) -> Any:
    """Return a value as JSON brings it back."""
    return json.loads(json.dumps(value))


def train(app: Application, run_id: str) -> None:
    """Start the run, or take it up again, and wait for its end."""
    app.runs.start(run_id, "thread")
    assert app.runs.wait(run_id, LIMIT_S) == 0, app.runs.reader(run_id).log_tail(5)


def assert_same_curves(reader: Any, recorded: dict[str, list[list[float]]]) -> None:
    """Compare all curves of a run but those that a clock made."""
    found, close = series(reader), CLOSE[reader.config().dtype]
    assert found.keys() - NEWER == recorded.keys()
    for name in recorded.keys() - {key for key in recorded if key.endswith(MACHINE_FIELDS)}:
        assert found[name][0] == recorded[name][0], name
        limits = CLOSE_KL if name.startswith("kl.") and close["rel"] < CLOSE_KL["rel"] else close
        first = int(name == "kl.censored" and found[name][0][0] == 0)  # at the start no answer is drawn any more
        assert found[name][1][first:] == pytest.approx(recorded[name][1][first:], **limits), name


RECOUNTED = {"1": [4, 1, 3, 0, 0, 0, 0]}
"""Label counts that changed since: a reviewer who labelled a pair under two rubric versions counts once."""

RESTALE = {"House rules": 31}
"""Stale labels, of which five are no longer counted: decisions, gold answers and retests, which nobody can renew."""


class TestTheWorkspace:
    @pytest.fixture(scope="class")
    def found(self, app: Application) -> dict[str, Any]:
        return plain(workspace_facts(app))

    def test_that_it_opens_and_its_check_finds_nothing(self, found: dict[str, Any]) -> None:
        assert found["findings"] == []
        assert found["adds_up"]

    @pytest.mark.parametrize("part", sorted(facts()["workspace"]))
    def test_that_it_says_what_it_said(self, found: dict[str, Any], part: str) -> None:
        said = facts()["workspace"][part]
        if part == "pairs":
            for pair, counts in RECOUNTED.items():
                said = {**said, pair: {**said[pair], "counts": counts}}
        if part == "rubrics":
            said = [{**rubric, "stale": RESTALE.get(rubric["name"], rubric["stale"])} for rubric in said]
        assert found[part] == said

    def test_that_opening_it_changes_no_row(self, app: Application) -> None:
        found, tables = {}, {name: table for name, table in facts()["tables"].items() if name != "alembic_version"}
        with closing(sqlite3.connect(app.folder / "workspace.db")) as db:
            for name, table in tables.items():
                rows = db.execute(f'SELECT {", ".join(table["columns"])} FROM "{name}"').fetchall()
                # Schema 10 notes in meta which judgements were there before it.
                rows = [row for row in rows if (name, row[0]) != ("meta", PICKS_NEED_DECISION_AFTER)]
                found[name] = {**table, "rows": len(rows), "sha256": digest(sorted(map(repr, rows)))}
        assert found == tables

    def test_that_what_an_adjudicator_said_before_there_were_decisions_waits_for_none(self, app: Application) -> None:
        with app.store.read() as session:
            versions = [one.id for one in app.rubrics.published()]
            assert batches.gold_pairs(session, versions) and undecided_picks(session, versions) == {}

    def test_that_a_backup_of_it_is_restored(self, old: Path, tmp_path: Path) -> None:
        with Application.open(restore(old / "backup.db", tmp_path / "restored")) as app:
            assert app.workspace.check().ok
            assert app.workspace.info().counts == facts()["workspace"]["counts"]

    def test_that_its_exported_dataset_imported_again_brings_no_new_pair(
        self, old: Path, writable: Application
    ) -> None:
        before = writable.pairs.count()
        report = writable.imports.run(old / "dataset-export" / "train.jsonl").value
        assert report.duplicates > 0
        assert writable.pairs.count() == before

    def test_that_labelling_undo_and_freezing_go_on(self, writable: Application) -> None:
        running, ann = writable.annotation, writable.reviewers.find("ann")
        assert ann is not None
        rubric = next(v for v in writable.rubrics.published() if v.title == "House rules 1.0.0")
        before = facts()["workspace"]["reviewers"]["ann"]
        queue = running.open_queue(QueueSettings(ann.id, rubric.id))
        drafted = next(shown for shown in running.next(queue, 5) if shown.draft)
        assert drafted.draft == {"strength": 2, "rationale": "half"}
        running.commit(drafted.presentation_uid, JudgementDraft(Verdict.PREFER, 2))
        running.undo(ann.id)
        assert running.undo_label(ann.id) == before["undo"]
        running.redo(ann.id)
        assert len(running.recent(ann.id, 1000)) == before["labels"] + 1
        made = writable.datasets.freeze("helpful", FreezePolicy(rubric_version_ids=(rubric.id,))).value
        assert made.title == "helpful v3"
        assert writable.datasets.diff("helpful v1", made.title).old == "helpful v1"
        assert writable.workspace.check().findings == ()

    def test_that_undo_goes_back_over_the_restart(self, writable: Application) -> None:
        cleo = writable.reviewers.find("cleo")
        assert cleo is not None
        redone = writable.annotation.redo(cleo.id).value
        assert redone is not None
        assert redone.label == facts()["workspace"]["reviewers"]["cleo"]["redo"]


class TestRuns:
    @pytest.mark.parametrize("name", RUNS)
    def test_that_a_run_says_what_it_said(self, app: Application, name: str) -> None:
        assert plain(run_facts(app, RUNS[name])) == facts()["runs"][name]

    def test_that_all_are_listed(self, app: Application, old: Path, call: Callable[..., Any]) -> None:
        states = {name: run["state"] for name, run in facts()["runs"].items()}
        assert {run.name: run.state for run in app.runs.list()} == states
        assert {row["name"]: row["state"] for row in call("runs", old / "workspace")} == states

    def test_that_a_run_without_a_workspace_is_read(self, old: Path, call: Callable[..., Any]) -> None:
        shown = call("runs", "show", old / "bare-run")
        assert shown["state"] == "finished"
        assert shown["run"]["fingerprint"] == facts()["bare"]["fingerprint"]
        assert plain(series(RunReader(old / "bare-run"))) == facts()["bare"]["series"]

    @pytest.mark.parametrize(
        "name",
        [
            "interrupted",
            "full",
            "from adapter",
            *(pytest.param(n, marks=pytest.mark.slow) for n in ("stopped", "created")),
        ],
    )
    def test_that_a_run_goes_on_as_it_would_have(self, writable: Application, name: str) -> None:
        train(writable, RUNS[name])
        assert_same_curves(writable.runs.reader(RUNS[name]), facts()["continued"][name])

    def test_that_a_fork_of_an_old_checkpoint_goes_on_as_it_would_have(self, writable: Application) -> None:
        child = writable.runs.fork(RUNS["finished"], 8, {"steps": 11, "lr": 5e-4}).value.run_id
        train(writable, child)
        assert_same_curves(writable.runs.reader(child), facts()["continued"]["fork"])

    @pytest.mark.slow
    def test_that_the_adapter_is_exported_as_it_was(self, app: Application, old: Path, tmp_path: Path) -> None:
        made = app.runs.export(RUNS["finished"], tmp_path / "adapter").path
        found, before = (load_file(f / "adapter_model.safetensors") for f in (made, old / "adapter-export"))
        assert found.keys() == before.keys()
        assert all((found[name] == before[name]).all() for name in before)

    def test_that_a_run_starts_from_an_old_adapter(self, writable: Application, copied: Path) -> None:
        config = RunConfig().with_values(
            {"steps": 1, "lora_r": 2, "init_adapter": str(copied / "adapter-export"), "threads": 1, "device": "cpu"}
        )
        request = RunRequest(str(copied / "models" / "tiny"), writable.datasets.get("helpful v1").id, config=config)
        run_id = writable.runs.create(request).value.run_id
        train(writable, run_id)
        assert list(writable.runs.reader(run_id).series("loss")[0]) == [1]


class TestSettings:
    @pytest.mark.parametrize("name", ["stopped", "full"])
    def test_that_the_same_run_made_today_has_the_same_fingerprint(self, writable: Application, name: str) -> None:
        before = writable.runs.info(RUNS[name]).record
        request = RunRequest(before.model_dir, before.dataset["id"], config=before.config)
        today = writable.runs.create(request).value.record
        assert (today.fingerprint, today.inputs) == (before.fingerprint, before.inputs)

    @pytest.mark.parametrize("entry", facts()["fingerprints"]["configs"], ids=lambda entry: ",".join(entry["changed"]))
    def test_that_settings_have_the_fingerprint_they_had(self, entry: dict[str, Any]) -> None:
        config = RunConfig.from_plain({**facts()["fingerprints"]["defaults"], **entry["changed"]})
        assert config.fingerprint(**facts()["fingerprints"]["inputs"]) == entry["fingerprint"]

    def test_that_every_old_key_still_changes_a_setting(self) -> None:
        defaults = facts()["fingerprints"]["defaults"]
        before = RunConfig.from_plain(defaults)
        alone = [entry["changed"] for entry in facts()["fingerprints"]["configs"] if len(entry["changed"]) == 1]
        others = [(key, value) for changed in alone for key, value in changed.items() if value != defaults[key]]
        assert {key for key, _ in others} == defaults.keys()
        assert [key for key, value in others if before.with_values({key: value}) == before] == []

    def test_that_the_settings_of_the_window_are_read(self, copied: Path) -> None:
        settings, before = Settings(copied / "home"), facts()["settings"]
        assert {key: settings.get(key) for key in before["values"]} == before["values"]
        assert settings.shortcuts == before["shortcuts"]
        assert settings.state_bytes("geometry") == b"\x01\x02geometry"
        assert settings.state_list("recent_workspaces") == ["/tmp/ce1f908/workspace", "/tmp/another"]
        Session(settings).note_workspace(copied / "workspace")
        assert Session(settings).recent_workspaces() == [copied / "workspace"]

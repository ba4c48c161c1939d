"""``pairwright evaluate`` as a user types it: freeze, train, measure on three suites, look at the evidence."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.cli.app import main
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger
from tests.tiny_models import save_tiny

SETTINGS = [
    word
    for key in (
        "steps=3", "batch_size=2", "lr=0.05", "lora_r=4", "max_length=128", "device=cpu", "threads=1", "eval_every=0",
        "kl_every=0", "sample_every=0", "warmup=0",
    )
    for word in ("--set", key)
]  # fmt: skip
MEASURED = [
    word
    for key in ("max_new_tokens=5", "kl_prompts=2", "kl_max_new_tokens=3", "device=cpu", "threads=1")
    for word in ("--set", key)
]
TOPICS = ("a bicycle chain", "sourdough bread", "prime numbers", "the tides", "café hours", "a night train")


@dataclass(frozen=True)
class Made:
    """A workspace with a trained run, and a file of items."""

    workspace: Path
    run: str
    suite: Path


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, list[Any], str]:
    """Run a command with --json; return the exit code, the printed values and standard error."""
    capsys.readouterr()
    code = main([*(str(word) for word in words), "--json"])
    out = capsys.readouterr()
    return code, [json.loads(line) for line in out.out.splitlines()], out.err


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    place = tmp_path_factory.mktemp("evaluate")
    patch = pytest.MonkeyPatch()
    patch.setenv("PAIRWRIGHT_HOME", str(place / "home"))
    workspace, model = place / "ws", save_tiny(place / "model")
    rows = [
        {"prompt": f"{n}. Explain {TOPICS[n % 6]}, part {n * 7919}.", "chosen": f"Start with {n}.", "rejected": "No."}
        for n in range(24)
    ]
    pairs = place / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = place / "topics.jsonl"
    items = [
        {"id": f"b{n}", "prompt": f"Say something of {topic}.", "expected": "check",
         "constraints": [{"kind": "words", "value": {"at_most": 50}}], "slices": {"half": "ab"[n % 2]}}
        for n, topic in enumerate(TOPICS)
    ]  # fmt: skip
    suite.write_text("".join(json.dumps(item) + "\n" for item in items))
    assert main(["init", str(workspace)]) == 0
    assert main(["import", str(workspace), str(pairs), "--consent", "granted"]) == 0
    assert main(["freeze", str(workspace), "--name", "d", "--set", "splits=[0.5,0.25,0.25]"]) == 0
    words = ["train", str(workspace), "--dataset", "d v1", "--model", str(model), "--name", "tiny", *SETTINGS]
    assert main(words) == 0
    yield Made(workspace, "tiny", suite)
    patch.undo()


@pytest.fixture(autouse=True)
def own_home(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(made.workspace.parent / "home"))


def test_that_a_run_is_measured_on_its_sealed_test_its_dev_pairs_and_a_file(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["evaluate", made.workspace, made.run, "--suite", made.suite, "--suite", "dev", "--suite", "sealed:d v1"]
    code, lines, error = said(capsys, *asked, "--person", "Ann", "--reason", "a test", *MEASURED)
    assert code == 0, error
    assert [lines[0]["event"], lines[-2]["event"], lines[-1]["event"]] == ["phase", "finished", "evidence"]
    suites = lines[-1]["suites"]
    assert set(suites) == {"topics v1", "dev v1", "sealed:d v1"}
    for suite in ("dev v1", "sealed:d v1"):
        assert {"ranking_accuracy", "preference_accuracy", "h", "sequence_kl", "length"} <= set(suites[suite])
        assert set(suites[suite]["ranking_accuracy"]) == {"reference", "aligned"}
    assert set(suites["topics v1"]["checks_passed"]["aligned"]) == {"value", "lo", "hi", "n", "unit", "estimator"}
    assert suites["topics v1"]["checks_passed"]["aligned"]["n"] == 6

    code, listed, _ = said(capsys, "evaluations", made.workspace)
    assert (code, [row["state"] for row in listed[0]]) == (0, ["finished"])
    folder = EvaluationFolder(Path(listed[0][0]["folder"]))
    ledger = EvaluationLedger(folder.ledger)
    lengths = [row.tokens for row in ledger.answers("topics v1", "aligned")]
    assert suites["topics v1"]["length"]["aligned"]["value"] == pytest.approx(statistics.fmean(lengths))
    ours, theirs = ({r.item: r for r in ledger.scores("sealed:d v1", arm)} for arm in ("aligned", "reference"))
    h = [
        (ours[i].logp_chosen - theirs[i].logp_chosen) - (ours[i].logp_rejected - theirs[i].logp_rejected) for i in ours
    ]
    assert suites["sealed:d v1"]["h"]["aligned"]["value"] == pytest.approx(statistics.fmean(h), abs=1e-12)
    assert suites["sealed:d v1"]["preference_accuracy"]["aligned"]["value"] == sum(x > 0 for x in h) / len(h)

    evidence = folder.evidence()
    assert evidence is not None
    assert evidence["looks"] == {"sealed:d v1": 1}
    assert evidence["suites"]["topics v1"]["slices"]["half"]["a"]["too_small"] is True
    assert "sealed:d v1" not in folder.items()
    assert len(h) == evidence["suites"]["sealed:d v1"]["items"] > 0

    code, [shown], _ = said(capsys, "evaluations", made.workspace, listed[0][0]["id"][:8])
    assert (code, shown["evidence"]) == (0, evidence)
    code, [verified], _ = said(capsys, "evaluations", made.workspace, listed[0][0]["id"], "--verify")
    assert (code, verified) == (0, {"ok": True, "problems": []})


def test_that_a_run_folder_is_measured_without_a_workspace_on_a_limit_of_items(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = next((made.workspace / "runs").iterdir())
    shutil.copytree(run, tmp_path / "alone")
    out = tmp_path / "measured"
    words = ["evaluate", tmp_path / "alone", "--suite", made.suite, "--limit", 2, "--out", out]
    code, lines, error = said(capsys, *words, *MEASURED)
    assert code == 0, error
    assert lines[-1]["suites"]["topics v1"]["checks_passed"]["reference"]["n"] == 2
    assert EvaluationFolder(out).record().command_line.startswith("pairwright evaluate")
    code, _, error = said(capsys, "evaluate", "--resume", out)
    assert (code, json.loads(error)["error"]) == (2, "This evaluation is finished.")


def test_that_other_templates_are_asked_and_shown_as_a_matrix(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = next((made.workspace / "runs").iterdir()), tmp_path / "measured"
    shutil.copytree(run, tmp_path / "alone")
    words = ["evaluate", tmp_path / "alone", "--suite", "languages", "--limit", 12, "--templates", "--out", out]
    code, lines, error = said(capsys, *words, *MEASURED, "--set", "kl_prompts=0")
    assert code == 0, error
    worst = lines[-1]["suites"]["languages v1"]["worst_template"]["aligned"]
    assert worst["n"] == 12 and worst["lo"] <= worst["value"] <= worst["hi"] and "Bonferroni" in worst["estimator"]
    assert lines[-1]["suites"]["languages v1"]["checks_passed"]["aligned"]["n"] == 12
    assert EvaluationFolder(out).record().command_line.endswith("--limit 12 --templates")
    assert main(["evaluations", str(out.parent), str(out)]) == 0
    shown = capsys.readouterr().out
    assert "checks_passed of aligned by template and language" in shown
    rows = [line for line in shown.splitlines() if line.startswith(("Model's own", "Plain text", "Alpaca", "Llama 3"))]
    assert len(rows) == 2 * 4 and shown.count("Cochran's Q") == 2 and "en, n 2" in shown


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ((), 2, "There is nothing to evaluate on."),
        (("--suite", "nothing"), 1, "There is no suite"),
        (("--suite", "unsafe", "--templates"), 2, "No suite asks the same in several languages"),
        (("--suite", "dev", "--arm", "moon"), 2, "'moon' is no arm."),
        (("--suite", "dev", "--arm", "endpoint:http://example.org/v1"), 2, "example.org is not this machine"),
        (("--suite", "dev", "--set", "warmth=1"), 2, "Unknown"),
        (("--suite", "dev", "--checkpoint", "77"), 1, "no checkpoint of step 77"),
        (("--suite", "sealed:d v1"), 1, "is opened with a person and a reason"),
    ],
)
def test_that_a_wrong_call_is_one_sentence_and_makes_nothing(
    made: Made, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, sentence: str
) -> None:
    place = made.workspace / "evaluations"
    before = sorted(place.iterdir()) if place.is_dir() else []
    found, lines, error = said(capsys, "evaluate", made.workspace, made.run, *words)
    assert (found, lines) == (code, [])
    assert sentence in json.loads(error)["error"]
    assert (sorted(place.iterdir()) if place.is_dir() else []) == before

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from core.domain.dataset import FreezePolicy
from core.runs.folder import RunFolder
from core.services.runs.charter_file import read_charter
from tests.core.cli.conftest import Said
from tests.fakes.fresh import fresh

Call = Callable[..., Said]
CHARTER = """
target_behaviour: Answers as steps that can be followed
variable: dev.accuracy
examples: [train]
regression_metric: over_refusal
margin: 0.03
test: not_worse
"""


def made(call: Call, pairs: Path, model: Path, out: Path, *more: str) -> Said:
    return call("train", "--pairs", pairs, "--model", model, "--out", out, "--set", "steps=4", "--create-only", *more)


def test_that_a_charter_from_a_file_is_locked_with_the_run_and_shown(
    call: Call, pairs: Path, model: Path, tmp_path: Path
) -> None:
    file, out = tmp_path / "charter.yaml", tmp_path / "run"
    file.write_text(CHARTER)
    assert made(call, pairs, model, out, "--charter", str(file), "--charter-set", "planned_judgements=85").code == 0
    shown = call("charter", tmp_path, out, "--json").json()
    assert (shown["gaps"], shown["holds"], shown["locked"], shown["direction"]) == ([], True, False, "lower")
    assert shown["charter"]["planned_judgements"] == 85
    assert shown["charter"]["counts"] == {"train": RunFolder(out).record().n_train}
    assert "loss sigmoid" in shown["charter"]["rule"]
    assert "train (8 examples)" in call("charter", tmp_path, out).out
    missing = call("charter", tmp_path, "nothing", "--json")
    assert missing.code == 1 and missing.error()["hint"] == "See them with: runs WS"


def test_that_a_charter_changes_before_the_start_and_never_after(
    call: Call, pairs: Path, model: Path, tmp_path: Path
) -> None:
    file, out = tmp_path / "charter.yaml", tmp_path / "run"
    file.write_text(CHARTER)
    assert made(call, pairs, model, out).code == 0
    assert len(call("charter", tmp_path, out, "--json").json()["gaps"]) == 5
    changed = call("charter", tmp_path, out, "--change", file, "--json").json()
    assert (changed["gaps"], changed["holds"]) == ([], True)
    RunFolder(out).verify_inputs()
    assert call("train", "--resume", out).code == 0
    before = (out / "run.json").read_bytes()
    refused = call("charter", tmp_path, out, "--change", file, "--json")
    assert refused.code == 2 and "charter of a started run cannot be changed" in refused.error()["error"]
    assert (out / "run.json").read_bytes() == before
    assert call("charter", tmp_path, out, "--json").json()["locked"] is True


def test_that_an_altered_charter_is_noticed(call: Call, pairs: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    made(call, pairs, model, out, "--target", "kind")
    plain = json.loads((out / "run.json").read_text())
    plain["charter"]["target_behaviour"] = "rich"
    (out / "run.json").write_text(json.dumps(plain))
    assert call("charter", tmp_path, out, "--json").json()["holds"] is False
    assert "was altered" in call("charter", tmp_path, out).out


def test_that_a_run_on_refusals_is_not_made_and_the_message_says_what_to_add(
    call: Call, pairs: Path, model: Path, tmp_path: Path
) -> None:
    rows = [{"prompt": f"Q{i}", "chosen": "I cannot help with that.", "rejected": "no"} for i in range(4)]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = made(call, pairs, model, tmp_path / "run", "--json")
    assert said.code == 2
    assert "names no benign suite" in said.error()["error"] and "benign_suite: look-alikes" in said.error()["hint"]
    for suite, message in {"made up": "no built-in suite", "unsafe": "cannot show over-refusal"}.items():
        wrong = made(call, pairs, model, tmp_path / "run", "--charter-set", f"benign_suite={suite}", "--json")
        assert wrong.code == 2 and message in wrong.error()["error"]
    assert not (tmp_path / "run").exists()
    assert made(call, pairs, model, tmp_path / "run", "--charter-set", "benign_suite=look-alikes").code == 0
    assert RunFolder(tmp_path / "run").record().charter.benign_suite == "look-alikes v1"


def test_that_a_file_that_is_no_charter_is_refused_with_a_sentence(
    call: Call, pairs: Path, model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "charter.yaml"
    for text, message in {
        "- a\n- b\n": "holds no charter",
        "target_behaviour: [unclosed": "cannot be read as YAML",
        "goal: kind": "no field 'goal'",
        "margin: wide": "a usable margin",
        "examples: [[1]]": "are names",
    }.items():
        file.write_text(text)
        said = made(call, pairs, model, tmp_path / "run", "--charter", str(file), "--json")
        assert said.code in (1, 2) and message in said.error()["error"], text
    assert not (tmp_path / "run").exists()


def test_that_a_fork_keeps_its_parents_charter_or_gets_its_own(
    call: Call, pairs: Path, model: Path, tmp_path: Path
) -> None:
    made(call, pairs, model, tmp_path / "run", "--target", "kind")
    missing = call("runs", "fork", tmp_path / "run", "--charter-set", "margin=wide", "--json")
    assert missing.code == 2 and "margin cannot be" in missing.error()["error"]
    said = call("sweep", "--over", "beta=0.1", "--pairs", pairs, "--model", model, "--out", tmp_path / "s",
                "--charter-set", "better=up", "--json")  # fmt: skip
    assert said.code == 2 and "better cannot be" in said.error()["error"]


def test_that_the_charter_of_the_window_is_printed_as_the_file_of_a_run(call: Call, tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i}", "response1": f"one {i}", "response2": f"two {i}", "annotator1": 1} for i in range(20)]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with fresh(tmp_path / "ws") as app:
        app.imports.run(path, fmt="table:one_based", consent="granted")
        app.datasets.freeze("d", FreezePolicy(splits=(0.5, 0.5, 0.0)))
    printed = call("charter", tmp_path / "ws", "--start", "d").out
    assert "benign_suite: look-alikes v1" in printed and "variable: dev.accuracy" in printed
    (tmp_path / "charter.yaml").write_text(printed)
    read = read_charter(tmp_path / "charter.yaml")
    assert read.gaps() == [] and read.examples == ("dev",)
    assert call("charter", tmp_path / "ws", "--start", "d", "--json").json()["test"] == "not_worse"
    assert call("charter", tmp_path / "ws", "--json").code == 2

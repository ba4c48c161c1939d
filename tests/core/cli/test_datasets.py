"""Freezing, comparing, exporting and rubrics by command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.judgement import Task
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from tests.core.cli.conftest import Said
from tests.fakes.workspaces import opened, prefer

Call = Callable[..., Said]


@pytest.fixture
def ws(call: Call, tmp_path: Path) -> Path:
    """A workspace with twenty pairs of two annotators who agree on most."""
    rows = [
        {
            "prompt": f"Question {i}",
            "response_a": f"one {i}",
            "response_b": f"two {i}",
            "annotator1": 1,
            "annotator2": 2 if i % 5 == 0 else 1,
        }
        for i in range(20)
    ]
    path = tmp_path / "two.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert call("init", tmp_path / "ws").code == 0
    assert (
        call("import", tmp_path / "ws", path, "--coding", "one_based", "--consent", "granted", "--json").json()[
            "judgements"
        ]
        == 40
    )
    return tmp_path / "ws"


def test_that_freezing_twice_gives_the_same_hash_and_the_plan_says_so(call: Call, ws: Path) -> None:
    first = call("freeze", ws, "--name", "d", "--json").json()
    again = call("freeze", ws, "--name", "d", "--json").json()
    assert (first["title"], again["title"]) == ("d v1", "d v2")
    assert first["root_sha256"] == again["root_sha256"]
    plan = call("freeze", ws, "--name", "d", "--plan", "--json").json()
    assert (plan["root_sha256"], plan["same_as"]) == (first["root_sha256"], "d v2")
    counts = first["counts"]
    assert counts["pairs"] == counts["items"] + sum(e["count"] for e in first["left_out"]) == 20
    assert counts["items"] == counts["train"] + counts["dev"] + counts["test"]


def test_that_versions_are_listed_shown_and_compared(call: Call, ws: Path) -> None:
    assert call("datasets", ws).out == "No dataset versions yet.\n"
    call("freeze", ws, "--name", "d")
    call("freeze", ws, "--name", "d", "--set", "agreement_weights=true", "--set", "aggregation=majority")
    assert [v["title"] for v in call("datasets", ws, "--json").json()] == ["d v1", "d v2"]
    shown = call("datasets", "show", ws, "d v2", "--json").json()
    assert shown["policy"]["agreement_weights"] is True
    diff = call("datasets", "diff", ws, "d v1", "2", "--json").json()
    assert ["agreement_weights", "False", "True"] in diff["policy_changes"]
    said = call("datasets", "diff", ws, "d v1", "d v2").out
    assert "policy aggregation: mean -> majority" in said
    assert "the same" in said


def test_that_the_test_split_leaves_only_when_unsealed_by_name(call: Call, ws: Path, tmp_path: Path) -> None:
    call("freeze", ws, "--name", "d", "--set", "splits=[0.4,0.2,0.4]")
    sealed = call("export", ws, "d", tmp_path / "a", "--json").json()
    assert sealed["sealed"] > 0
    assert "test.jsonl" not in sealed["files"]
    open_ = call("export", ws, "d", tmp_path / "b", "--format", "parquet", "--unseal", "--json").json()
    assert open_["files"]["test.parquet"] == sealed["sealed"]
    assert "exists already" in call("export", ws, "d", tmp_path / "a").err


def test_that_a_rubric_goes_from_template_to_published_versions_and_a_diff(
    call: Call, ws: Path, tmp_path: Path
) -> None:
    assert len(call("rubric", "template", "--json").json()) == 3
    file = tmp_path / "r.yaml"
    file.write_text(call("rubric", "template", "concise_instructions").out)
    first = call("rubric", "publish", ws, file, "--json").json()
    assert first["number"] == "1.0.0"
    assert "nothing to publish" in call("rubric", "publish", ws, file).err
    file.write_text(call("rubric", "show", ws, first["title"]).out.replace("tie_rule: ", "tie_rule: Rarely. ", 1))
    second = call("rubric", "publish", ws, file, "--level", "minor", "--note", "Ties.", "--json")
    assert second.json()["number"] == "1.1.0"
    assert "tie rule" in call("rubric", "diff", ws, first["title"], second.json()["title"]).out
    assert call("rubric", "diff", ws, str(first["id"]), first["title"]).out == "The two are the same.\n"
    assert second.json()["title"] in call("rubric", "list", ws).out


def test_that_the_measured_flip_rate_is_shown_and_smooths_the_labels_of_a_run(
    call: Call, model: Path, tmp_path: Path
) -> None:
    with opened(tmp_path / "labelled") as app:
        for task, strengths in ((Task.LABEL, [2] * 6), (Task.RETEST, [2, 2, 2, -2, 2, 2])):
            queue = app.annotation.open_queue(QueueSettings(1, 1, task=task))
            for strength in strengths:
                app.annotation.commit(app.annotation.next(queue)[0].presentation_uid, prefer(strength))
    place = tmp_path / "labelled"
    call("freeze", place, "--name", "d", "--set", "splits=[1,0,0]")
    found = call("noise", place, "--dataset", "d", "--json").json()
    assert (found["counts"]["retests"], found["counts"]["changed"]) == (6, 1)
    said = call("noise", place).out
    assert "1 of 6 retests changed side" in said
    assert "Ann" in said
    words = (
        "train",
        place,
        "--dataset",
        "1",
        "--model",
        model,
        "--create-only",
        "--set",
        "label_smoothing=measured",
    )
    made = call(*words)
    assert made.code == 0, made.err
    run = json.loads((Path(made.out.strip()) / "run.json").read_text())
    assert run["config"]["label_smoothing"] == found["flip"]["rate"] > 0
    with Application.open(place, read_only=True) as app:
        (info,) = app.runs.list()
        assert "1 of 6 retests changed side" in info.note


def test_that_an_unmeasured_flip_rate_stops_the_run_before_it_is_made(call: Call, ws: Path, model: Path) -> None:
    call("freeze", ws, "--name", "d")
    assert "not measured" in call("noise", ws).out
    said = call("train", ws, "--dataset", "d", "--model", model, "--set", "label_smoothing=measured", "--create-only")
    assert (said.code, "is not measured" in said.err) == (2, True)
    assert not list((ws / "runs").glob("*"))


def test_that_pairs_are_found_and_sorted_by_command(call: Call, ws: Path) -> None:
    found = call("pairs", ws, "--find", "QUESTION 1", "--sort", "id", "--descending", "--limit", "2", "--json").json()
    assert found["count"] == 11 and [row["id"] for row in found["pairs"]] == [20, 19]
    assert found["pairs"][0]["prompt"] == "Question 19"
    text = call("pairs", ws, "--label", "disagree", "--limit", "1").out
    assert "A 1 · B 1" in text and "4 pairs; the first 1 are listed." in text
    refused = call("pairs", ws, "--find", "x" * 2000)
    assert refused.code != 0 and "at most 1,000 characters" in refused.err


def test_that_the_sealed_test_is_shown_with_its_looks_and_what_its_items_tuned(
    call: Call, ws: Path, tmp_path: Path
) -> None:
    call("freeze", ws, "--name", "d", "--set", "splits=[0.4,0.2,0.4]")
    shown = call("datasets", "sealed", ws, "d v1", "--json").json()
    assert (shown["sealed"], shown["looks"], shown["openings"], shown["used_to_tune"]) == (True, 0, [], "none")
    assert Path(shown["file"]).is_file() and len(shown["contents_sha256"]) == 64
    call("export", ws, "d", tmp_path / "out", "--unseal", "--by", "Bo", "--reason", "the archive")
    said = call("datasets", "sealed", ws, "d").out
    assert "1 look, 1 opening" in said and "Bo" in said and "the archive" in said and "Used to tune: none." in said
    Path(shown["file"]).unlink()
    assert call("datasets", "sealed", ws, "d", "--json").json()["contents_sha256"] == shown["contents_sha256"]
    Path(shown["file"]).write_bytes(b"something else")
    refused = call("datasets", "sealed", ws, "d")
    assert refused.code == 1 and "is not a sealed test" in refused.err and "move it away" in refused.err


def test_that_leaks_are_listed_and_end_with_code_1(call: Call, ws: Path, tmp_path: Path) -> None:
    call("freeze", ws, "--name", "d", "--set", "splits=[0.4,0.2,0.4]")
    clean = call("datasets", "leaks", ws, "d", "--json")
    assert (clean.code, clean.json()["leaked"]) == (0, 0)
    rows = [
        {"prompt": f"question  {i}", "response_a": f"Two {i}", "response_b": f"one {i}", "annotator1": 1}
        for i in range(20)
    ]
    path = tmp_path / "copies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    call("import", ws, path, "--coding", "one_based", "--consent", "granted")
    found = call("datasets", "leaks", ws, "d")
    assert found.code == 1 and "imports" in found.out and "copy" in found.out

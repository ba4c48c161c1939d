"""Thresholds by command: listed, made, moved, confirmed by an opening that is noted, and refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.dataset import FreezePolicy
from tests.core.cli.conftest import Said
from tests.core.services.thresholds.test_service import row
from tests.fakes.fresh import fresh

Call = Callable[..., Said]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli-thresholds")
    with fresh(folder / "ws") as app:
        path = folder / "mine.jsonl"
        path.write_text("".join(json.dumps(row(i)) + "\n" for i in range(40)), encoding="utf-8")
        app.imports.run(path, fmt="table:one_based", consent="granted")
        app.datasets.freeze("d", FreezePolicy(splits=(0.5, 0.25, 0.25)))
    return folder / "ws"


def test_that_a_threshold_is_made_moved_and_confirmed_by_commands(call: Call, workspace: Path, tmp_path: Path) -> None:
    assert "No thresholds yet" in call("threshold", "list", workspace).out
    rules = tmp_path / "rules.txt"
    rules.write_text("0.9 bleach\n0.4 acid\n")
    asked = ("threshold", "make", workspace, "harm", "--dataset", "d", "--rules", rules, "--cost-fn", "3", "--json")
    assert call(*asked, "--check").json()["number"] == 0
    made = call(*asked, "--valid-until", "2100-01-01").json()
    assert (made["title"], made["confirmed"], made["costs"]["false_negative"]) == ("harm v1", False, 3.0)
    assert {"value", "lo", "hi", "n", "estimator"} <= made["dev"]["fpr"].keys()
    shown = call("threshold", "show", workspace, "harm", "--json").json()
    other = next(value for value, _, _ in shown["det"] if value != made["value"])
    moved = call("threshold", "move", workspace, "harm v1", "--value", repr(other), "--json").json()
    assert (moved["title"], moved["value"], moved["confirmed"]) == ("harm v2", other, False)
    refused = call("threshold", "confirm", workspace, "harm", "--dataset", "d", "--json")
    assert refused.code == 2 and "by a person for a reason" in refused.error()["error"]
    words = ("--dataset", "d", "--person", "Ann", "--reason", "guardrail", "--json")
    found = call("threshold", "confirm", workspace, "harm v1", *words).json()
    assert (found["title"], found["confirmed"], found["looks"]) == ("harm v3", True, 1)
    listed = call("threshold", "list", workspace)
    assert [line.split()[0:2] for line in listed.out.splitlines()[1:]] == [["harm", f"v{n}"] for n in (1, 2, 3)]
    assert "2100-01-01" in listed.out and "sealed test" in call("threshold", "show", workspace, "harm").out


def test_that_a_wrong_call_says_what_to_name(call: Call, workspace: Path) -> None:
    for words, code, message in (
        (("make", workspace, "x"), 2, "chosen on the dev split"),
        (("make", workspace, "x", "--dataset", "d", "--rules", workspace), 1, "not a regular file"),
        (("confirm", workspace, "x"), 2, "confirmed on the sealed test"),
    ):
        said = call("threshold", *words, "--json")
        assert said.code == code and message in said.error()["error"]
    assert call("threshold", "show", workspace, "nothing", "--json").code == 1

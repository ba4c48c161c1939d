"""The commands that decide and release: what they print and which exit code they return."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.errors import NotFound
from core.services.releases.policy_costs import CostVerdict
from core.services.releases.verifying import Delta, Verification
from tests.core.cli.conftest import Said
from tests.core.evaluation.test_gate_costs import COST

Call = Callable[..., Said]


def test_that_what_is_not_there_ends_with_1_and_a_wrong_call_with_2(call: Call, tmp_path: Path) -> None:
    assert call("init", tmp_path / "ws").code == 0
    for words in (
        ("gate", tmp_path / "ws", "nothing"),
        ("release", tmp_path / "ws", "nothing", tmp_path / "out", "--approver", "ben"),
        ("releases", "withdraw", tmp_path / "ws", "nothing", "--by", "ann", "--reason", "x"),
        ("releases", "compare", tmp_path / "ws", "nothing", "neither"),
        ("cycle", tmp_path / "ws", "nothing", "neither"),
        ("contract", "verify", tmp_path),
    ):
        said = call(*words, "--json")
        assert (said.code, said.out) == (1, ""), words
        assert said.error()["error"] and said.error()["hint"]
    assert call("release", tmp_path / "ws", "e", tmp_path / "out", "--form", "onnx").code == 2
    assert call("failures", tmp_path / "ws", "e", "--tag", "no key", "--by", "ann").code in (1, 2)
    assert call("releases", "withdraw", tmp_path / "ws", "nothing", "--reason", "x").code == 2
    assert call("releases", tmp_path / "ws", "--json").json() == []
    assert call("releases", "list", tmp_path / "ws").out == "No releases yet.\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("after", "code", "words"), [(0.5, 0, "all equal"), (0.75, 1, "max |delta| 0.25")])
def test_that_verify_prints_the_largest_difference(
    call: Call, monkeypatch: pytest.MonkeyPatch, after: float, code: int, words: str
) -> None:
    costs = CostVerdict.of({"cost_limits": {"answer_seconds": 1.0}}, COST)
    found = Verification("r1", "The gate passed.", (Delta("s", "m", "aligned", "value", 0.5, after),), costs)
    monkeypatch.setattr("core.cli.releases.verify_contract", lambda *_, **__: found)
    said = call("contract", "verify", "OUT", "--json")
    assert said.code == code
    assert json.loads(said.out)["max_delta"] == after - 0.5
    assert json.loads(said.out)["costs"]["state"] == "failed"
    told = call("contract", "verify", "OUT").out
    assert words in told and "The contract allows at most 1 s an answer. Above a limit" in told
    assert call("contract", "verify", "OUT", "--tolerance", "0.25").code == 0


def test_that_an_altered_release_is_one_sentence(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> Verification:
        raise NotFound("The run is gone.", "Name its folder with --run.")

    monkeypatch.setattr("core.cli.releases.verify_contract", missing)
    assert call("contract", "verify", "OUT", "--json").error()["error"] == "The run is gone."

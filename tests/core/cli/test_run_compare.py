"""``runs compare``: differences with intervals, what makes runs comparable, and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.cli.conftest import Said
from tests.fakes.compared_runs import MOVED_A, MOVED_B, PROMPTS, made_run, pairs_of

Call = Callable[..., Said]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("compared")
    made_run(place, "first", pairs_of(PROMPTS), MOVED_A, beta=0.1)
    made_run(place, "second", pairs_of(PROMPTS), MOVED_B, beta=0.1, loss="ipo")
    return place


def test_that_runs_are_compared_with_the_first_one(call: Call, place: Path) -> None:
    told = call("runs", "compare", "first", "second", "--in", place, "--json").json()
    h = next(one for one in told["against_baseline"][0]["differences"] if one["metric"] == "h")
    assert (h["difference"]["n"], h["difference"]["groups"], h["difference"]["unit"]) == (5, 4, "nats")
    assert h["difference"]["lo"] < h["difference"]["value"] < h["difference"]["hi"] and h["paired"]
    assert told["against_baseline"][0]["pairs"]["both"] == 5 and (told["step"], told["common_steps"]) == (4, [2, 4])
    assert [one["name"] for one in told["settings"]] == ["loss"] and not told["same_fingerprint"]
    assert [one["field"] for one in told["fingerprint"] if one["differs"]] == ["loss"]
    assert told["warnings"] == ["B has another objective: loss ipo, not sigmoid."]
    text = call("runs", "compare", "first", "second", "--in", place).out
    assert text.startswith("warning: B has another objective: loss ipo, not sigmoid.\n")
    assert "h = margin / β           +0.600 [" in text and "1 setting of" in text
    assert "≠ Loss ipo" in text and "note: B and A measured the same 5 pairs of 4 prompts." in text


def test_that_a_comparison_that_cannot_be_made_says_why(call: Call, place: Path) -> None:
    alone = call("runs", "compare", "first", "--in", place, "--json")
    assert (alone.code, alone.error()["error"]) == (2, "A comparison needs a baseline and at least one other run.")
    assert call("runs", "compare", "first", "nobody", "--in", place).code == 1
    asked = call("runs", "compare", "first", "second", "--step", "3", "--in", place, "--json")
    assert (asked.code, asked.error()["hint"]) == (2, "All of them have: 2, 4.")
    both = call("runs", "compare", "first", "second", "--step", "2", "--newest", "--in", place, "--json")
    assert (both.code, both.error()["error"]) == (2, "--step and --newest were both given.")


def test_that_a_report_is_written_and_named(call: Call, place: Path, tmp_path: Path) -> None:
    told = call("runs", "report", "first", tmp_path / "one.html", "--in", place, "--json").json()
    written = Path(told["path"]).read_bytes()
    assert told["runs"] == ["first"] and told["bytes"] == len(written) and written.startswith(b"<!doctype html>")
    again = call("runs", "report", "first", tmp_path / "one.html", "--in", place, "--json")
    assert again.code == 1 and again.error()["error"].endswith("exists already; nothing was written.")
    assert call("runs", "report", "first", tmp_path / "one.html", "--replace", "--in", place).code == 0
    assert call("runs", "report", "first", "--in", place).code == 2

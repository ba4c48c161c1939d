from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.charter import Charter
from core.domain.charter_start import starting_charter, variables
from core.domain.errors import UsageError
from core.domain.evaluated_metrics import is_measured
from core.domain.gate_limits import GateLimits
from core.domain.suite import SuiteInfo

FULL = Charter(
    "Answers as steps",
    "checks_passed",
    variable="dev.accuracy",
    examples=("dev", "basics v1"),
    counts={"dev": 40, "basics v1": 80},
    regression_suite="basics v1",
    margin=0.02,
    test="not_worse",
    benign_suite="look-alikes v1",
)


def test_that_a_charter_comes_back_as_written_and_an_old_one_keeps_its_two_fields() -> None:
    assert Charter.from_plain(FULL.to_plain()) == FULL
    old = {"target_behaviour": "be kind", "regression_metric": "length"}
    assert Charter.from_plain(old) == Charter("be kind", "length")
    assert Charter("be kind", "length").to_plain() == old
    assert Charter.from_plain({**old, "of a newer version": 1}) == Charter("be kind", "length")


def test_that_a_full_charter_has_no_gaps_and_each_missing_answer_is_one() -> None:
    assert FULL.gaps() == []
    assert len(Charter().gaps()) == 5
    for name, empty in {"target_behaviour": "", "variable": "", "examples": (), "test": ""}.items():
        assert len(replace(FULL, **{name: empty}).gaps()) == 1
    assert "no number of an evaluation" in replace(FULL, regression_metric="Facts").gaps()[0]
    assert "which way length is good" in replace(FULL, regression_metric="length").gaps()[0]
    assert replace(FULL, regression_metric="length", better="lower").gaps() == []


def test_that_the_lock_covers_charter_and_fingerprint() -> None:
    assert FULL.lock("a") == replace(FULL).lock("a")
    assert len({FULL.lock("a"), FULL.lock("b"), replace(FULL, margin=0.03).lock("a")}) == 3


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("variable", "goodness", "neither logged nor evaluated"),
        ("better", "up", "better cannot be"),
        ("test", "eyes", "knows no test"),
        ("margin", -0.1, "below 0"),
        ("refusal_share", 1.5, "is a share"),
    ],
)
def test_that_a_value_that_means_nothing_is_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(FULL, **{name: value}).check()


def test_that_the_examples_are_shown_with_their_counts() -> None:
    lines = dict(FULL.lines("loss sigmoid, beta 0.1"))
    assert lines["examples"] == "dev (40 examples), basics v1 (80 examples)"
    assert lines["loss or rule"] == "loss sigmoid, beta 0.1"
    assert "higher is better, margin 0.02" in lines["regression metric"]


def test_that_every_variable_that_is_offered_is_one_that_is_measured() -> None:
    offered = variables()
    assert all(is_measured(one.name) and one.title and one.about for one in offered)
    assert len({one.name for one in offered}) == len(offered)
    assert {"dev.accuracy", "dev.margin", "kl.kl", "loss", "over_refusal", "win_rate"} <= {one.name for one in offered}


@pytest.mark.parametrize("splits", [{"train": 50, "dev": 20, "test": 200}, {"train": 50}, {}])
def test_that_a_charter_begins_without_a_gap_and_can_be_kept(splits: dict[str, int]) -> None:
    suites = [SuiteInfo(0, "look-alikes", 1, "", {"comply": 120}, "built-in")]
    for known in (suites, []):
        found = starting_charter(splits, known, dataset="d v1")
        found.check()
        assert found.gaps() == []
        assert found.benign_suite == found.regression_suite == ("look-alikes v1" if known else "")
    assert starting_charter(splits, suites).planned_items == 100
    assert starting_charter({"test": 5}, suites).planned_items == 30


def test_that_limits_of_time_and_memory_are_told_kept_and_the_stricter_of_charter_and_gate() -> None:
    charter = replace(FULL, answer_seconds=2.0, memory_gib=8.0)
    assert Charter.from_plain(charter.to_plain()) == charter
    assert dict(charter.lines())["cost limits"] == "at most 2 s an answer, 8 GiB of memory"
    assert "cost limits" not in dict(FULL.lines())
    assert charter.lock("f") != FULL.lock("f")
    found = GateLimits(answer_seconds=1.0).with_charter(charter)
    assert (found.answer_seconds, found.memory_gib) == (1.0, 8.0)
    found = GateLimits(answer_seconds=3.0, memory_gib=4.0).with_charter(charter)
    assert (found.answer_seconds, found.memory_gib) == (2.0, 4.0)
    assert GateLimits().with_charter(FULL) == GateLimits()
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="answer_seconds"):
            replace(FULL, answer_seconds=wrong).check()

"""The beta frontier of evaluations made by hand: groups, which point another one beats, and the spread over seeds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.app import main
from core.domain.errors import UsageError
from core.domain.estimate import Estimate
from core.domain.evaluation_record import Arm, EvaluationRecord
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.measured_evidence import MeasuredEvidence
from core.domain.run_config import RunConfig
from core.services.application import Application
from core.services.proxies.frontier import MeasuredRun, frontier_of


def measured(
    name: str, beta: float, kl: float | None, accuracy: float, *, seed: int = 0, lr: float = 1e-5, half: float = 0.01
) -> MeasuredRun:
    config = RunConfig(beta=beta, seed=seed, lr=lr).to_plain()
    arms = (Arm("reference", "reference", inputs={"model": "m"}), Arm("aligned", "aligned"))
    record = EvaluationRecord(
        name, name, 1, {"name": f"run {name}", "step": 0, "dataset": {"root_sha256": "d"}}, config, arms, (),
        EvaluationConfig(),
    )  # fmt: skip
    share = Estimate(accuracy, accuracy - half, accuracy + half, 100, "", "Wilson")
    metrics = {"preference_accuracy": {"aligned": share}, "over_refusal": {"aligned": share}}
    if kl is not None:
        metrics["sequence_kl"] = {"aligned": Estimate(kl, kl - 0.1, kl + 0.1, 32, "nats", "mean")}
    evidence = MeasuredEvidence(arms={"reference": "reference", "aligned": "aligned"}, metrics={"a v1": metrics})
    return MeasuredRun(record, evidence)


def test_that_a_point_with_more_kl_and_less_quality_is_beaten_within_its_group_alone() -> None:
    found = frontier_of([
        measured("low", 0.5, 1.0, 0.60), measured("high", 0.05, 9.0, 0.70), measured("bad", 0.1, 5.0, 0.55),
        measured("near", 0.2, 1.05, 0.595), measured("other", 0.1, 9.5, 0.40, lr=1e-3),
        measured("none", 0.3, None, 0.9),
    ])  # fmt: skip
    by_name = {point.name: point for point in found.points}
    assert [one.name for one in found.best] == ["low", "high", "other"]
    assert (by_name["bad"].beaten_by, by_name["bad"].clearly) == ("low", True)
    assert (by_name["near"].beaten_by, by_name["near"].clearly) == ("low", False), "the intervals overlap"
    assert by_name["other"].group != by_name["low"].group, "another learning rate is another group"
    assert found.left_out == ("none: its KL was not measured on a v1.",)
    assert by_name["low"].over_refusal is not None and by_name["low"].safe_refusal is None
    assert {spread.missing for spread in found.seeds} == {"seed variance unknown: 1 seed of 3"}
    assert found.to_plain()["frontier"] == ["low", "high", "other"]


def test_that_three_seeds_tell_the_spread_of_a_beta_and_one_policy_counts_once() -> None:
    runs = [measured(f"s{n}", 0.1, 2.0 + n, 0.6 + 0.01 * n, seed=n) for n in range(3)]
    found = frontier_of([*runs, measured("again", 0.1, 7.0, 0.1, seed=2)])
    (spread,) = found.seeds
    assert (spread.seeds, len(found.points)) == (3, 3)
    assert spread.quality is not None and spread.kl is not None
    assert (spread.quality.value, spread.kl.value) == pytest.approx((0.61, 3.0))
    assert "over seeds" in spread.quality.estimator and "by seed" in spread.quality.estimator


def test_that_less_is_better_where_the_number_says_so() -> None:
    found = frontier_of([measured("a", 0.1, 2.0, 0.3), measured("b", 0.2, 2.0, 0.1)], "over_refusal")
    assert [one.name for one in found.best] == ["b"]
    with pytest.raises(UsageError, match="'length' is no number"):
        frontier_of([], "length")


def test_that_a_workspace_without_evaluations_says_what_comes_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Application.open(tmp_path / "ws", create=True).close()
    assert main(["frontier", str(tmp_path / "ws")]) == 0
    assert "Evaluate runs first" in capsys.readouterr().out
    assert main(["frontier", str(tmp_path / "ws"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["points"] == []
    assert main(["frontier", str(tmp_path / "ws"), "--by", "length"]) == 2

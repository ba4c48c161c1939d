"""Calibration of a policy on the preferences of a suite, in the canonical order of the answers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from core.domain.conversation import Prompt
from core.domain.ids import sha256_text
from core.domain.suite import SuiteItem
from core.runs.evaluations.calibration_figures import FEWEST, calibration
from core.runs.evaluations.columns import Column

BETA = 0.1


def pairs(h: list[float], target: float = 1.0) -> tuple[list[Column], list[SuiteItem], dict[str, str]]:
    """Return one column h, its items, and a prompt of its own for each."""
    items = [
        SuiteItem(
            f"i{n}", Prompt.from_text(f"Q{n}"), "preference", chosen=f"yes {n}", rejected=f"no {n}", target=target
        )
        for n in range(len(h))
    ]
    values = {item.id: value for item, value in zip(items, h, strict=True)}
    return [Column("h", "mean", "mean of h", values, "nats")], items, {item.id: item.prompt.sha256 for item in items}


def test_that_brier_and_error_are_those_of_sigma_of_beta_h_in_the_canonical_order() -> None:
    h = list(np.linspace(-30.0, 40.0, 24))
    columns, items, groups = pairs(h)
    figures, diagram = calibration(columns, items, groups, BETA)
    right = [1 / (1 + math.exp(-BETA * value)) for value in h]
    assert figures["brier"].value == pytest.approx(float(np.mean([(1 - p) ** 2 for p in right])), rel=1e-12)
    first = [sha256_text(item.chosen) < sha256_text(item.rejected) for item in items]
    assert 0 < sum(first) < len(first)
    p = [own if is_first else 1 - own for own, is_first in zip(right, first, strict=True)]
    mass = [bin_["observed"]["n"] for bin_ in diagram["bins"]]
    assert sum(mass) == 24
    assert sum(m * b["predicted"] for m, b in zip(mass, diagram["bins"], strict=True)) == pytest.approx(sum(p))
    assert sum(m * b["observed"]["value"] for m, b in zip(mass, diagram["bins"], strict=True)) == sum(first)
    assert figures["ece"].n == 24 and figures["ece"].has_interval
    assert sorted(id_ for bin_ in diagram["bins"] for id_ in bin_["items"]) == sorted(item.id for item in items)
    low, high = diagram["chance"]
    assert 0 < low < high < 1


def test_that_a_policy_that_says_nothing_is_right_about_shares_of_one_half() -> None:
    figures, _ = calibration(*pairs([0.0] * 20, target=0.5), BETA)
    assert figures["ece"].value == 0.0
    assert figures["brier"].value == 0.0


def test_that_a_policy_that_is_twice_too_sure_has_a_temperature_of_two_where_it_may_be_fitted() -> None:
    rng = np.random.default_rng(3)
    true = np.abs(rng.normal(0, 1.5, 400))  # margins that are right; the policy's are twice as large
    columns, items, groups = pairs((2 * true / BETA).tolist())
    right = [replace(item, target=float(1 / (1 + math.exp(-margin)))) for item, margin in zip(items, true, strict=True)]
    fitted, _ = calibration(columns, right, groups, BETA, fit=True)
    assert fitted["temperature"].value == pytest.approx(2.0, rel=1e-6)
    assert fitted["temperature"].n == 400 and "maximum likelihood" in fitted["temperature"].estimator
    assert "temperature" not in calibration(columns, right, groups, BETA)[0]


def test_that_few_pairs_have_no_calibration() -> None:
    assert calibration(*pairs([1.0] * (FEWEST - 1)), BETA) == ({}, {})
    assert calibration([], *pairs([1.0])[1:], BETA) == ({}, {})

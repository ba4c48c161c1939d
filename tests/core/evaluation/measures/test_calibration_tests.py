"""Tests of calibration against mapie, by hand, and in simulations where the probabilities are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mapie.metrics.calibration import kolmogorov_smirnov_p_value, spiegelhalter_p_value
from scipy import stats

from core.evaluation.measures.calibration_tests import kolmogorov_smirnov, spiegelhalter


def drawn(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, n)
    return p, (rng.random(n) < p).astype(float)


def test_that_spiegelhalters_z_is_that_by_hand() -> None:
    found = spiegelhalter([0.8, 0.3], [1.0, 1.0])
    top = 0.2 * -0.6 + 0.7 * 0.4
    assert found.statistic == pytest.approx(top / math.sqrt(0.36 * 0.16 + 0.16 * 0.21))
    assert found.p == pytest.approx(2 * stats.norm.sf(found.statistic)) and found.n == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_that_both_p_are_those_of_mapie_up_to_its_sides(seed: int) -> None:
    p, y = drawn(seed)
    theirs = spiegelhalter_p_value(y, p)
    z = spiegelhalter(p, y).statistic
    assert theirs == pytest.approx(stats.norm.sf(z), abs=1e-6) or theirs == pytest.approx(spiegelhalter(p, y).p)
    assert kolmogorov_smirnov(p, y).p == pytest.approx(kolmogorov_smirnov_p_value(y, p), abs=1e-3)


def test_that_right_probabilities_are_rejected_about_as_often_as_the_level_says() -> None:
    found = [[test(*drawn(seed)).p < 0.05 for test in (spiegelhalter, kolmogorov_smirnov)] for seed in range(500)]
    shares = np.mean(found, axis=0)
    assert 0.03 <= shares[0] <= 0.07
    assert 0.02 <= shares[1] <= 0.07  # a path in steps stays a little lower than one without


def test_that_a_policy_that_is_too_sure_is_found_and_the_name_of_a_side_does_not_matter() -> None:
    p, y = drawn(7, 600)
    sure = 1 / (1 + np.exp(-3 * np.log(p / (1 - p))))
    assert spiegelhalter(sure, y).p < 1e-6 and kolmogorov_smirnov(sure, y).p < 0.05
    assert spiegelhalter(1 - sure, 1 - y).statistic == pytest.approx(spiegelhalter(sure, y).statistic)


def test_that_nothing_is_said_of_shares_of_one_half_and_of_no_pairs() -> None:
    assert spiegelhalter([0.7, 0.6], [0.5, 0.8]).to_plain() == {
        "name": "Spiegelhalter", "statistic": None, "p": None, "n": 0,
    }  # fmt: skip
    assert math.isnan(spiegelhalter([0.5, 0.5], [0.0, 1.0]).p)
    assert math.isnan(kolmogorov_smirnov([], []).p) and kolmogorov_smirnov([0.5, 0.5], [0.0, 1.0]).p == 1.0

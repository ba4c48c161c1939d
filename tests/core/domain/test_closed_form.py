"""The closed-form optimum: hand-computed shares, a search that finds none better, the identities of the frontier."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from core.domain.closed_form import AnswersObjective, log_sum_exp
from core.domain.errors import UsageError

THIRDS = AnswersObjective.of([math.log(2), math.log(1)], [0.0, math.log(2)])
"""Reference shares 2/3 and 1/3, rewards 0 and ln 2."""


def drawn(seed: int, count: int = 5) -> AnswersObjective:
    """Return an objective with log-probs and rewards of usual sizes."""
    dice = random.Random(seed)
    return AnswersObjective.of(
        [dice.uniform(-60, -20) for _ in range(count)], [dice.uniform(-1, 1) for _ in range(count)]
    )


def value_of(objective: AnswersObjective, shares: list[float], beta: float) -> float:
    """Return E[r] - beta KL from its definition."""
    reward = sum(q * r for q, r in zip(shares, objective.rewards, strict=True))
    return reward - beta * sum(q * (math.log(q) - w) for q, w in zip(shares, objective.log_shares, strict=True) if q)


def test_that_shares_reward_kl_and_z_are_those_computed_by_hand() -> None:
    found = THIRDS.at(1.0)  # weights 2/3 and 1/3 * 2: Z = 4/3
    assert found.shares == pytest.approx((0.5, 0.5))
    assert math.exp(found.log_z) == pytest.approx(4 / 3)
    assert found.reward == pytest.approx(math.log(2) / 2)
    assert found.kl == pytest.approx(0.5 * math.log(0.5 / (2 / 3)) + 0.5 * math.log(0.5 / (1 / 3)))
    assert found.effective == pytest.approx(2.0)
    assert THIRDS.at(0.5).shares == pytest.approx((1 / 3, 2 / 3))  # 2/3 against 1/3 * 4
    whole, none = THIRDS.at(math.inf), THIRDS.at(0.0)
    assert (whole.shares, whole.kl, whole.value) == (pytest.approx((2 / 3, 1 / 3)), 0.0, pytest.approx(math.log(2) / 3))
    assert (none.shares, none.kl, none.reward) == ((0.0, 1.0), pytest.approx(math.log(3)), math.log(2))
    assert AnswersObjective.of([0.0] * 4, [1.0, 1.0, 0.0, 1.0]).at(0.0).effective == pytest.approx(3.0)


@pytest.mark.parametrize("seed", range(4))
def test_that_no_other_distribution_is_better_and_every_one_lies_on_or_below_the_frontier(seed: int) -> None:
    objective, dice = drawn(seed, 3 + seed), random.Random(100 + seed)
    for beta in (0.02, 0.1, 1.0):
        best = objective.at(beta)
        assert value_of(objective, list(best.shares), beta) == pytest.approx(best.value, abs=1e-9)
        for _ in range(12):
            weights = [dice.gauss(math.log(max(share, 1e-300)), 1.0) for share in best.shares]
            total = log_sum_exp(weights)
            assert value_of(objective, [math.exp(w - total) for w in weights], beta) <= best.value + 1e-9
            placed = objective.placed(weights)
            assert placed.reward <= objective.reward_at(placed.kl) + 1e-9
            assert placed.reward - beta * placed.kl <= best.value + 1e-9
        assert objective.placed([math.log(max(share, 1e-300)) for share in best.shares]).gap == pytest.approx(
            0, abs=1e-6
        )


@pytest.mark.parametrize("seed", range(3))
def test_that_the_slope_of_the_frontier_is_beta_and_its_value_beta_log_z(seed: int) -> None:
    objective = drawn(seed)
    for beta in (0.05, 0.2, 1.0):
        below, above = objective.at(beta * 1.001), objective.at(beta / 1.001)
        if above.kl - below.kl > 1e-6:  # at the end of the frontier both are one point
            assert (above.reward - below.reward) / (above.kl - below.kl) == pytest.approx(beta, rel=1e-4)
        found = objective.at(beta)
        assert found.reward - beta * found.kl == pytest.approx(beta * found.log_z, abs=1e-9)
        assert objective.reward_at(found.kl) == pytest.approx(found.reward, abs=1e-7)
    line = objective.frontier(0.02, 2.0, 41)
    assert (len(line), line[0].beta, line[1].beta) == (42, math.inf, pytest.approx(2.0))
    assert line[-1].beta == pytest.approx(0.02)
    assert all(a.kl <= b.kl + 1e-12 and a.reward <= b.reward + 1e-12 for a, b in pairwise(line))
    assert line[-1].kl <= objective.largest_kl + 1e-9


def test_that_extreme_log_probs_overflow_nowhere_and_what_is_no_number_is_refused() -> None:
    objective = AnswersObjective.of([-2000.0, -5000.0], [-90.0, 400.0])
    found = objective.at(0.001)
    assert found.shares == (0.0, 1.0)
    assert math.isfinite(found.log_z)
    assert objective.at(1e9).kl == pytest.approx(0.0, abs=1e-9)
    flat = AnswersObjective.of([0.0, 0.0], [1.0, 1.0])
    assert (flat.largest_kl, flat.reward_at(3.0), flat.placed([5.0, 0.0]).gap) == pytest.approx((0, 1, 0))
    for weights, rewards in (([0.0], [1.0]), ([0.0, -math.inf], [1.0, 2.0]), ([0.0, 0.0], [math.nan, 0.0])):
        with pytest.raises(UsageError):
            AnswersObjective.of(weights, rewards)
    for beta in (-0.1, math.nan):
        with pytest.raises(UsageError, match="no price"):
            objective.at(beta)

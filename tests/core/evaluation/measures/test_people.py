"""Agreement of people and validity of a judge, against hand, library and published figures."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain.errors import UserError
from core.evaluation.measures.agreement import strength_of
from core.evaluation.measures.judge import alternative_test, both_orders, judge_validity
from core.evaluation.measures.side_bias import side_bias


def test_that_alpha_is_firm_tentative_or_weak():
    assert [strength_of(a) for a in (0.8, 0.7, 0.5)] == ["firm", "tentative", "weak"]


def test_that_a_favoured_side_is_seen():
    found = side_bias([True] * 1577 + [False] * 1039)
    assert found.left.value == pytest.approx(0.603, abs=5e-4) and found.p < 1e-20
    assert side_bias([True, False] * 10).p == 1.0


def test_that_a_judge_that_turns_with_the_order_says_tie():
    assert both_orders([1, 1, 0, 0.5], [1, 0, 0, 1]).tolist() == [1.0, 0.5, 0.0, 0.5]


def test_that_a_judge_is_uncalibrated_until_all_three_are_measured():
    found = judge_validity([1, 0, 0.5], [1, 1, 0.5], ([1, 0], [1, 1]), [True, False, True, True])
    assert (found.agreement.value, found.swap.value, found.adversarial.value) == (pytest.approx(2 / 3), 0.5, 0.75)
    assert found.is_calibrated
    assert not judge_validity([1], [1], ([], []), [True]).is_calibrated


def people_and_judges(n=200, seed=50):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)

    def seen(right):
        return np.where(rng.random(n) < right, truth, 1 - truth).astype(float)

    return np.column_stack([seen(0.8) for _ in range(4)]), seen(0.85), seen(0.5)


def test_that_a_good_judge_may_replace_a_person_and_a_coin_may_not():
    people, good, coin = people_and_judges()
    assert alternative_test(good, people).passes and alternative_test(good, people).winning_rate == 1.0
    assert not alternative_test(coin, people).passes
    assert alternative_test(good, people).advantage > alternative_test(coin, people).advantage


def test_that_few_people_or_items_cannot_decide():
    people, good, _ = people_and_judges()
    for few in (people[:, :2], people[:20]):
        with pytest.raises(UserError, match="3 people with at least 30"):
            alternative_test(good[: len(few)], few)

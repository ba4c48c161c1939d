"""Agreement of people and validity of a judge, against hand, library and published figures."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest

from core.domain.errors import UserError
from core.evaluation.measures.agreement import fleiss, krippendorff, pair_agreement, side_bias, strength_of
from core.evaluation.measures.judge import alternative_test, both_orders, judge_validity

PANDALM = Path(__file__).resolve().parents[5] / "shared" / "data" / "pandalm_3annotators.jsonl.gz"


def test_that_kappa_is_the_formula_by_hand():
    found = pair_agreement([1, 1, 1, 1, 2, 2, 2, 2, 2, 2], [1, 1, 1, 2, 2, 2, 2, 2, 1, 1])
    chance = 0.4 * 0.5 + 0.6 * 0.5
    assert found.equal.value == 0.7
    assert found.kappa.value == pytest.approx((0.7 - chance) / (1 - chance))
    assert math.isnan(pair_agreement([1, 1], [1, 1]).kappa.value)


def test_that_alpha_is_the_textbooks_with_missing_verdicts():
    """The example of Krippendorff (2011), Computing Krippendorff's alpha-reliability, section D: 0.743 nominal."""
    nan = math.nan
    people = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ]
    assert krippendorff(np.array(people).T).value == pytest.approx(0.743, abs=5e-4)
    assert krippendorff(np.array(people).T, "ordinal").value == pytest.approx(0.815, abs=5e-4)
    assert [strength_of(a) for a in (0.8, 0.7, 0.5)] == ["firm", "tentative", "weak"]


def test_that_real_labels_of_three_people_agree_as_published():
    if not PANDALM.exists():
        pytest.skip(f"{PANDALM} is not on this machine")
    with gzip.open(PANDALM, "rt", encoding="utf-8") as file:
        table = np.array([[int(row[f"annotator{k}"]) for k in (1, 2, 3)] for row in map(json.loads, file)])
    pairs = [pair_agreement(table[:, a], table[:, b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert [round(p.kappa.value, 3) for p in pairs] == [0.852, 0.879, 0.862]
    assert [round(p.equal.value, 3) for p in pairs] == [0.913, 0.929, 0.918]
    assert (round(fleiss(table), 4), round(fleiss(table, "randolph"), 4)) == (0.8642, 0.8799)
    alpha = krippendorff(table)
    assert (round(alpha.value, 4), alpha.low) == (0.8642, pytest.approx(0.838, abs=0.006))
    assert alpha.high == pytest.approx(0.887, abs=0.006)
    # Ordinal for chosen first, tie, chosen second: the tie stands between.
    ordered = np.select([table == 1, table == 0], [0, 1], 2)
    assert round(krippendorff(ordered, "ordinal").value, 4) == pytest.approx(0.8775, abs=0.02)


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

"""The matrix of templates and languages, against hand, statsmodels and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import cochrans_q

from core.evaluation.measures.flips import flips
from core.evaluation.measures.matrix import cochran, template_matrix
from core.evaluation.measures.shares import newcombe_paired

BASE = [1.0] * 30 + [0.0] * 10
WORSE = [1.0] * 15 + [0.0] * 25


def test_that_a_cell_is_compared_with_the_same_items_of_training_and_the_first_language():
    missing = np.where(np.arange(40) < 5, math.nan, BASE)
    found = template_matrix({"chatml": {"en": BASE, "de": missing}, "plain": {"en": WORSE, "de": WORSE}}, "chatml")
    plain = found.cell("plain", "en")
    assert plain.change is not None and (plain.change.gained, plain.change.lost) == (0, 15)
    assert plain.change.difference.value == -15 / 40 and plain.is_gap and plain.to_first is None
    assert plain.change.difference.low == pytest.approx(newcombe_paired(15, 0, 15, 10)[0])
    german = found.cell("plain", "de")
    assert german.change is not None and german.change.difference.n == 35
    assert german.to_first is not None and german.to_first.value == 0.0
    training = found.cell("chatml")
    assert training.change is None and (training.rate.n, training.rate.groups) == (75, 40)
    assert found.worst.template == "plain" and found.consistent.n == 75


def test_that_items_decided_alike_are_counted_by_hand_and_requests_are_the_cases():
    one = {"en": [1, 1, 0, 0], "de": [1, 0, 0, 1]}
    two = {"en": [1, 0, 0, 0], "de": [1, 0, 1, 1]}
    found = template_matrix({"a": one, "b": two}, "a")
    assert (found.consistent.value, found.consistent.n, found.consistent.groups) == (6 / 8, 8, 4)
    change = found.cell("b").change
    assert change is not None
    # by request: 0 (both kept), -1 (en lost), +1 (de gained), 0: the mean is 0, SE by request of the sums over 8 items
    assert change.difference.value == 0.0 and change.difference.se == pytest.approx(math.sqrt(4 / 3 * 2) / 8)


def test_that_templates_that_agree_are_consistent_and_have_an_interval_of_each_request_once():
    same = {"en": [1, 0, 1], "de": [1, 0, 0]}
    found = template_matrix({"a": same, "b": same}, "a")
    assert (found.consistent.value, found.cochran.q, found.cochran.p) == (1.0, 0.0, 1.0)
    assert found.worst_change is not None and found.worst_change.value == 0.0
    assert found.worst_change.low < 0 < found.worst_change.high
    with pytest.raises(ValueError, match="base"):
        template_matrix({"a": same}, "b")
    with pytest.raises(ValueError, match="same requests"):
        template_matrix({"a": same, "b": {"en": [1.0]}}, "a")
    assert template_matrix({"a": same}, "a").worst_change is None


def test_that_cochrans_q_is_that_of_statsmodels():
    table = (np.random.default_rng(3).random((60, 4)) < [0.5, 0.6, 0.45, 0.3]).astype(float)
    found, theirs = cochran(table, range(60)), cochrans_q(table)
    assert (found.q, found.p, found.df) == (pytest.approx(theirs.statistic), pytest.approx(theirs.pvalue), 3)
    assert math.isnan(cochran(table[:, :1], range(60)).p)


def test_that_requests_with_several_rows_are_permuted_whole():
    rng = np.random.default_rng(4)
    rejected = 0
    for _ in range(200):
        by_request = rng.random((20, 3)) < 0.5  # all rows of a request are alike: there are 20 cases, not 120
        table = np.repeat(by_request, 6, axis=0).astype(float)
        rejected += cochran(table, np.repeat(np.arange(20), 6).tolist()).p < 0.05
    assert rejected <= 20
    alone = (rng.random((80, 3)) < [0.2, 0.5, 0.6]).astype(float)
    both = cochran(alone, range(80)).p, cochran(np.repeat(alone, 2, axis=0), np.repeat(np.arange(80), 2).tolist()).p
    assert both[0] < 0.01 and both[1] < 0.01


@pytest.mark.parametrize(("tables", "least"), [(40, 36), pytest.param(200, 186, marks=pytest.mark.slow)])
def test_that_the_smallest_difference_lies_in_its_interval_at_least_as_often_as_it_says(tables, least):
    rng = np.random.default_rng(5)
    rates, held = {"a": 0.6, "b": 0.6, "c": 0.6, "d": 0.5}, 0
    for _ in range(tables):
        lean = rng.normal(0, 0.15, 40)
        scores = {
            name: {lang: (rng.random(40) < rate + lean).astype(float) for lang in ("en", "de")}
            for name, rate in rates.items()
        }
        found = template_matrix(scores, "a").worst_change
        assert found is not None
        held += found.low <= -0.1 <= found.high
    assert held >= least


def test_that_a_higher_level_widens_an_interval_by_request():
    one, two, own = [1, 0, 1, 1, 0, 1], [0, 0, 1, 0, 0, 1], [0, 0, 1, 1, 2, 2]
    narrow, wide = flips(one, two, own).difference, flips(one, two, own, level=0.99).difference
    assert wide.low < narrow.low < narrow.high < wide.high and wide.value == narrow.value

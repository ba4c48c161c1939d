"""Agreement from counts: published values, other libraries, what is undefined, and the coverage of the intervals."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import evalica
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

from core.evaluation.measures.agreement import (
    VerdictCounts,
    cohen,
    count_verdicts,
    fleiss_kappa_of,
    gwet,
    krippendorff_alpha,
    percent,
)

PANDALM = Path(__file__).resolve().parents[5] / "shared" / "data" / "pandalm_3annotators.jsonl.gz"
NONE = np.nan
KRIPPENDORFF = np.array(
    [
        [1, 1, NONE, 1],
        [2, 2, 3, 2],
        [3, 3, 3, 3],
        [3, 3, 3, 3],
        [2, 2, 2, 2],
        [1, 2, 3, 4],
        [4, 4, 4, 4],
        [1, 1, 2, 1],
        [2, 2, 2, 2],
        [NONE, 5, 5, 5],
        [NONE, NONE, 1, 1],
        [NONE, NONE, 3, NONE],
    ]
)
"""Four observers, twelve units: the worked example of Krippendorff's and of Gwet's books."""


def counted(table: np.ndarray, kinds: int, lowest: int = 1) -> VerdictCounts:
    """Return the counts of a table of items x reviewers with NaN where nobody judged."""
    item, who = np.nonzero(np.isfinite(table))
    return count_verdicts(item, table[item, who].astype(int) - lowest, kinds)


def test_that_the_published_values_of_the_example_with_missing_verdicts_come_out() -> None:
    counts = counted(KRIPPENDORFF, 5)
    assert percent(counts).value == pytest.approx(0.8181818, abs=1e-6)
    assert krippendorff_alpha(counts).value == pytest.approx(0.743421, abs=1e-6)
    assert krippendorff_alpha(counts, "ordinal").value == pytest.approx(0.815, abs=5e-4)
    assert gwet(counts).value == pytest.approx(0.77544, abs=1e-5)
    assert fleiss_kappa_of(counts).value == pytest.approx(0.76117, abs=1e-5)
    assert percent(counts).n == 11  # the twelfth unit has one verdict


def test_that_alpha_equals_that_of_another_library_on_random_tables() -> None:
    rng = np.random.default_rng(1)
    for kinds in (2, 3, 7):
        table = rng.integers(0, kinds, (60, 4)).astype(float)
        table[:, 1] = np.where(rng.random(60) < 0.7, table[:, 0], table[:, 1])
        table[rng.random(table.shape) < 0.25] = np.nan
        counts = counted(table, kinds, lowest=0)
        usable = table[np.isfinite(table).sum(axis=1) >= 2]
        for scale in ("nominal", "ordinal"):
            theirs = evalica.alpha(pd.DataFrame(usable.T), distance=scale).alpha
            assert krippendorff_alpha(counts, scale).value == pytest.approx(theirs, abs=1e-9)


def test_that_kappas_equal_those_of_statsmodels_where_nothing_is_missing() -> None:
    rng = np.random.default_rng(2)
    table = rng.integers(0, 3, (80, 3))
    table[:, 1] = np.where(rng.random(80) < 0.6, table[:, 0], table[:, 1])
    counts = counted(table.astype(float), 3, lowest=0)
    of_items = np.stack([np.bincount(row, minlength=3) for row in table])
    assert fleiss_kappa_of(counts).value == pytest.approx(fleiss_kappa(of_items))
    cells = np.zeros((3, 3))
    np.add.at(cells, (table[:, 0], table[:, 1]), 1)
    theirs = cohens_kappa(cells)
    ours = cohen(table[:, 0], table[:, 1], 3)
    assert ours.value == pytest.approx(theirs.kappa)
    assert ours.low == pytest.approx(theirs.kappa_low, abs=0.03) and ours.high == pytest.approx(
        theirs.kappa_upp, abs=0.03
    )


def test_that_ac2_by_hand_on_two_reviewers_comes_out() -> None:
    # three verdicts in order; 10 items both 0, 10 both 2, 5 one apart (0 and 1), 5 two apart (0 and 2)
    first = np.array([0] * 10 + [2] * 10 + [0] * 5 + [0] * 5)
    second = np.array([0] * 10 + [2] * 10 + [1] * 5 + [2] * 5)
    items = np.tile(np.arange(30), 2)
    counts = count_verdicts(items, np.concatenate([first, second]), 3)
    observed = (20 * 1 + 5 * (2 / 3) + 5 * 0) / 30  # ordinal weights of three verdicts: 1, 2/3, 0
    shares = np.array([10 + 5 / 2 + 5 / 2, 5 / 2, 10 + 5 / 2]) / 30
    chance = (3 * 1 + 4 * (2 / 3)) / 6 * float((shares * (1 - shares)).sum())
    assert gwet(counts, "ordinal").value == pytest.approx((observed - chance) / (1 - chance))


def test_that_one_verdict_alone_is_undefined_and_says_so() -> None:
    counts = counted(np.ones((20, 3)), 3)
    assert percent(counts).value == 1.0
    for found in (krippendorff_alpha(counts), fleiss_kappa_of(counts), cohen([1] * 9, [1] * 9, 3)):
        assert math.isnan(found.value) and "only one verdict occurs" in found.estimator and found.n in (9, 20)
    assert gwet(counts).value == 1.0  # its chance agreement is 0 there


def test_that_items_of_one_verdict_say_nothing() -> None:
    found = krippendorff_alpha(counted(np.array([[1.0, NONE], [NONE, 2.0]]), 2))
    assert math.isnan(found.value) and found.n == 0 and "no item has two verdicts" in found.estimator


def test_that_the_bootstrap_equals_one_that_draws_items_one_by_one() -> None:
    rng = np.random.default_rng(3)
    table = rng.integers(1, 4, (200, 3)).astype(float)
    table[:, 1:] = np.where(rng.random((200, 2)) < 0.7, table[:, :1], table[:, 1:])
    found = krippendorff_alpha(counted(table, 3))
    slow = [
        evalica.alpha(pd.DataFrame(table[rng.integers(0, 200, 200)].T), distance="nominal").alpha for _ in range(400)
    ]
    low, high = np.percentile(slow, (2.5, 97.5))
    assert found.low == pytest.approx(low, abs=0.03) and found.high == pytest.approx(high, abs=0.03)


@pytest.mark.slow
def test_that_intervals_of_alpha_cover_the_truth() -> None:
    rng = np.random.default_rng(4)
    truth = 0.8 * 0.8  # two reviewers who each repeat the item's true verdict with probability 0.8, else draw anew
    hits = 0
    for _ in range(500):
        true = rng.integers(0, 2, 150)
        table = np.stack([np.where(rng.random(150) < 0.8, true, rng.integers(0, 2, 150)) for _ in range(2)], axis=1)
        found = krippendorff_alpha(counted(table.astype(float), 2, lowest=0))
        hits += found.low <= truth <= found.high
    assert 0.93 <= hits / 500 <= 0.97


@pytest.mark.skipif(not PANDALM.exists(), reason="needs the PandaLM annotations")
def test_that_three_annotators_of_real_pairs_give_the_published_values() -> None:
    with gzip.open(PANDALM, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    table = np.array([[row[f"annotator{n}"] for n in (1, 2, 3)] for row in rows], dtype=float)
    order = {0: 1, 1: 0, 2: 2}  # first better, tie, second better
    ordered = np.vectorize(order.get)(table.astype(int)).astype(float)
    counts = counted(ordered, 3, lowest=0)
    alpha = krippendorff_alpha(counts)
    assert alpha.value == pytest.approx(0.8642, abs=5e-5) and alpha.n == 999
    assert alpha.low == pytest.approx(0.838, abs=4e-3) and alpha.high == pytest.approx(0.887, abs=4e-3)  # of draws
    assert krippendorff_alpha(counts, "ordinal").value == pytest.approx(0.8775, abs=5e-5)
    assert fleiss_kappa_of(counts).value == pytest.approx(0.8642, abs=5e-5)
    kappas = [cohen(ordered[:, a], ordered[:, b], 3).value for a, b in ((0, 1), (0, 2), (1, 2))]
    assert kappas == [pytest.approx(want, abs=5e-4) for want in (0.852, 0.879, 0.862)]

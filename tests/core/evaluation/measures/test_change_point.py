"""Points of change of a share: the likelihood ratio by loops, a planted change, and false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from core.evaluation.measures.change_point import LEAST_SIDE, change_point


def log_likelihood(hits: list[bool]) -> float:
    """Return the log of the binomial probability at its own share, less what every order has in common."""
    n, k = len(hits), sum(hits)
    return float(binom.logpmf(k, n, k / n)) - math.log(math.comb(n, k))


def test_that_the_point_is_where_the_likelihood_ratio_by_loops_is_largest() -> None:
    rng = np.random.default_rng(7)
    for _ in range(5):
        hits = (rng.random(24) < np.where(np.arange(24) < 9, 0.8, 0.4)).tolist()
        found = change_point(hits)
        ratios = {
            k: log_likelihood(hits[:k]) + log_likelihood(hits[k:]) for k in range(LEAST_SIDE, 24 - LEAST_SIDE + 1)
        }
        assert found is not None and ratios[found.at] == pytest.approx(max(ratios.values()))
        assert found.before.value == pytest.approx(sum(hits[: found.at]) / found.at)
        assert (found.before.n, found.after.n) == (found.at, 24 - found.at)


def test_that_a_planted_change_is_found_at_its_place() -> None:
    found = change_point([True] * 20 + [False] * 15)
    assert found is not None and (found.at, found.before.value, found.after.value) == (20, 1.0, 0.0)
    assert found.p == pytest.approx(1 / 2000)
    turned = change_point(([True] * 20 + [False] * 15)[::-1])
    assert turned is not None and turned.at == 15, "read backwards it changes at the mirrored place"


def test_that_without_a_change_alarms_are_as_rare_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.evaluation.measures.change_point.DRAWS", 99)
    rng = np.random.default_rng(3)
    p = [found.p for _ in range(200) if (found := change_point((rng.random(30) < 0.7).tolist())) is not None]
    assert sum(one <= 0.05 for one in p) / len(p) <= 0.09, "0.05 and three standard errors of 200 draws"


def test_that_a_short_sequence_or_one_without_a_miss_says_nothing() -> None:
    assert change_point([True, False] * 4) is None and change_point([True] * 40) is None and change_point([]) is None

"""Skills of reviewers without a known truth: planted error rates come back, and two people are not enough."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluation.measures.dawid_skene import skills


def planted(rates: list[float], items: int, kinds: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return item, reviewer and verdict of reviewers who name the truth with these probabilities."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, kinds, items)
    wrong = (truth[None] + rng.integers(1, kinds, (len(rates), items))) % kinds
    right = rng.random((len(rates), items)) < np.array(rates)[:, None]
    verdicts = np.where(right, truth[None], wrong)
    return np.tile(np.arange(items), len(rates)), np.repeat(np.arange(len(rates)), items), verdicts.ravel()


def test_that_planted_skills_lie_in_their_intervals() -> None:
    rates = [0.95, 0.85, 0.7, 0.6]
    for found, rate in zip(skills(*planted(rates, 3000), 2), rates, strict=True):
        assert found.low <= rate <= found.high and found.value == pytest.approx(rate, abs=0.03) and found.n == 3000


def test_that_a_reviewer_who_guesses_scores_no_better_than_chance_over_three_verdicts() -> None:
    found = skills(*planted([0.9, 0.9, 1 / 3], 2000, kinds=3), 3)
    assert found[2].value == pytest.approx(1 / 3, abs=0.05) and found[0].value == pytest.approx(0.9, abs=0.03)


def test_that_two_reviewers_are_not_enough_and_that_this_is_said() -> None:
    for found in skills(*planted([0.9, 0.6], 50), 2):
        assert math.isnan(found.value) and "fewer than three reviewers" in found.estimator and found.n == 50
    assert skills([], [], [], 3) == []

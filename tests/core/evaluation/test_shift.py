"""How far two collections of prompts are apart, against closed forms, scikit-learn and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import roc_auc_score

from core.evaluation.shift import LEAST, PromptCollection, auc_estimate, compare, divergence, two_sample_auc

WEATHER = [
    f"Will it {what} in {where} on day {n}?" for n in range(10) for what in ("rain", "snow") for where in ("Rome",)
]
CODE = [f"Fix the bug in line {n} of my {what} loop." for n in range(10) for what in ("for", "while")]


def draw() -> np.random.Generator:
    return np.random.default_rng(1)


def collection(name: str, texts: list[str], category: str = "") -> PromptCollection:
    return PromptCollection(name, tuple(texts), (category,) * len(texts))


def test_that_the_divergence_is_the_one_computed_by_hand() -> None:
    apart = divergence(["a"] * 20, ["b"] * 20, draw())
    assert apart.estimate.value == pytest.approx(math.log(2))
    assert divergence(["a", "b"] * 10, ["b", "a"] * 10, draw()).estimate.value == pytest.approx(0, abs=1e-12)
    p, q, m = (0.5, 0.5), (0.9, 0.1), (0.7, 0.3)
    by_hand = sum(0.5 * x * math.log(x / z) + 0.5 * y * math.log(y / z) for x, y, z in zip(p, q, m, strict=True))
    found = divergence(["a"] * 50 + ["b"] * 50, ["a"] * 90 + ["b"] * 10, draw())
    assert found.estimate.value == pytest.approx(by_hand) == pytest.approx(jensenshannon(p, q) ** 2)
    assert found.estimate.low < by_hand < found.estimate.high and found.beyond_chance
    few = divergence(["a"] * (LEAST - 1), ["b"] * 99, draw())
    assert math.isnan(few.psi.value) and few.psi.n == LEAST - 1
    assert math.isnan(few.estimate.value) and not few.estimate.has_interval


def test_that_the_stability_index_is_the_one_computed_by_hand_and_finite_where_a_value_is_missing() -> None:
    found = divergence(["a"] * 50 + ["b"] * 50, ["a"] * 90 + ["b"] * 10, draw())
    p, q = 50.5 / 101, 90.5 / 101
    by_hand = (q - p) * math.log(q / p) + ((1 - q) - (1 - p)) * math.log((1 - q) / (1 - p))
    assert found.psi.value == pytest.approx(by_hand)
    assert 0 <= found.psi_chance < found.psi.low < by_hand < found.psi.high
    missing = divergence(["a"] * 20, ["b"] * 20, draw()).psi
    assert missing.value == pytest.approx(2 * (20 / 21) * math.log(41))
    assert divergence(["a", "b"] * 10, ["b", "a"] * 10, draw()).psi.value == pytest.approx(0, abs=1e-12)


def test_that_chance_alone_is_beyond_chance_in_one_of_twenty() -> None:
    draws = draw()
    beyond = sum(
        divergence(list(draws.choice(list("abcd"), 40)), list(draws.choice(list("abcd"), 60)), draws).beyond_chance
        for _ in range(60)
    )
    assert beyond <= 9, "of 60, with probability 0.999"


@pytest.mark.parametrize(("samples", "low"), [(80, 0.88), pytest.param(300, 0.92, marks=pytest.mark.slow)])
def test_that_the_auc_is_that_of_scikit_learn_and_its_interval_covers(samples: int, low: float) -> None:
    draws, covered, truth = draw(), 0, [0] * 50 + [1] * 80
    true = 0.5 * (1 + math.erf(1 / 2))  # P(N(1,1) > N(0,1)) = Phi(1/sqrt 2)
    for _ in range(samples):
        negatives, positives = draws.normal(0, 1, 50).round(1), draws.normal(1, 1, 80).round(1)
        found = auc_estimate(negatives, positives, "test")
        covered += found.low <= true <= found.high
        assert found.value == pytest.approx(roc_auc_score(truth, np.concatenate((negatives, positives))))
    assert low <= covered / samples <= 1.9 - low


def test_that_a_classifier_tells_apart_what_differs_and_nothing_else() -> None:
    assert two_sample_auc(WEATHER, CODE).low > 0.9
    same = two_sample_auc(WEATHER * 3, WEATHER * 3)
    assert same.low <= 0.5 <= same.high, "equal prompts stand in one fold"
    assert math.isnan(two_sample_auc(WEATHER, CODE[:3]).value)


def test_that_two_collections_are_compared_by_length_language_and_category() -> None:
    german = [f"Wird es morgen in der Stadt {n} regnen, und wie warm ist es dann?" for n in range(20)]
    found = compare(collection("training", WEATHER, "weather"), collection("feedback", german, "weather"))
    assert found.language.estimate.value == pytest.approx(math.log(2))
    assert found.category.estimate.value == 0 and found.length.beyond_chance
    assert found.shares["language"] == {"en": (1.0, 0.0), "de": (0.0, 1.0)}
    assert sum(first for first, _ in found.shares["length"].values()) == pytest.approx(1)
    again = compare(collection("training", WEATHER, "weather"), collection("feedback", german, "weather"))
    assert again == found

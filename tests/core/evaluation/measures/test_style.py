"""Style as a covariate of winning: what is counted, the fit against another maximum of the likelihood, and nullity."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, xlog1py, xlogy

from core.evaluation.measures.style import FEATURES, style_controlled, style_of


def test_that_each_feature_of_a_text_is_counted() -> None:
    text = "# Title\n\nThank you, great question! Please **oil** it:\n1. wipe\n2. oil\n\n```\ncode\n```\n| a | b |\n"
    found = dict(zip(FEATURES, style_of(text), strict=True))
    assert (found["lists"], found["marks"], found["polite"]) == (2, 5, 3)
    assert (
        style_of("") == (0, 0, 0, 0) and dict(zip(FEATURES, style_of("Gerne. Bitte ölen."), strict=True))["polite"] == 2
    )


def drawn(
    rng: np.random.Generator, n: int, intercept: float, slopes: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    d = np.column_stack(
        [rng.integers(-40, 41, n), rng.integers(-4, 5, n), rng.integers(-3, 4, n), rng.integers(-2, 3, n)]
    )
    z = intercept + np.tanh(d / d.std(axis=0)) @ np.array(slopes)
    return (rng.random(n) < expit(z)).astype(float), d


def test_that_the_controlled_rate_is_the_maximum_of_the_likelihood_written_out() -> None:
    y, d = drawn(np.random.default_rng(2), 300, 0.3, (0.8, -0.4, 0.0, 0.6))
    y[:20] = 0.5
    x = np.column_stack([np.ones(300), np.tanh(d / d.std(axis=0))])

    def negative(b: np.ndarray) -> float:
        p = expit(x @ b)
        return -float((xlogy(y, p) + xlog1py(1 - y, -p)).sum())

    best = minimize(negative, np.zeros(5), method="BFGS", options={"gtol": 1e-8}).x
    found = style_controlled(y, d)
    assert found.controlled.value == pytest.approx(expit(best[0]), abs=1e-6)
    assert [one.value for one in found.slopes.values()] == pytest.approx(best[1:].tolist(), abs=1e-5)
    assert (found.controlled.n, found.slopes["words"].unit, list(found.slopes)) == (300, "log-odds", list(FEATURES))


def test_that_a_gain_by_politeness_alone_is_gone_at_equal_style() -> None:
    rng = np.random.default_rng(4)
    polite = rng.integers(0, 6, 600)
    y = (rng.random(600) < expit((polite - polite.mean() + 1.0) / polite.std() * 0.8)).astype(float)
    d = np.column_stack([np.zeros((600, 3)), polite + 0.0])
    shifted = style_controlled(y, d - [0, 0, 0, polite.mean() - 1.0])
    assert shifted.raw.low > 0.5 and shifted.controlled.low < 0.5 < shifted.controlled.high
    assert shifted.slopes["polite"].low > 0 and list(shifted.slopes) == ["polite"], "what never differs is no term"


def test_that_exchanging_both_answers_turns_the_rate_and_keeps_the_slopes() -> None:
    y, d = drawn(np.random.default_rng(8), 200, 0.4, (0.5, 0.5, 0.0, 0.0))
    one, other = style_controlled(y, d), style_controlled(1 - y, -d)
    assert one.controlled.value + other.controlled.value == pytest.approx(1)
    assert one.slopes["words"].value == pytest.approx(other.slopes["words"].value)


@pytest.mark.parametrize(("draws", "low"), [(80, 0.88), pytest.param(300, 0.92, marks=pytest.mark.slow)])
def test_that_the_interval_holds_the_truth_as_often_as_it_says(draws: int, low: float) -> None:
    rng, held = np.random.default_rng(6), 0
    for _ in range(draws):
        y, d = drawn(rng, 150, 0.2, (0.7, 0.0, -0.3, 0.0))
        found = style_controlled(y, d).controlled
        held += found.low <= expit(0.2) <= found.high
    assert low <= held / draws <= 1.9 - low


def test_that_what_cannot_be_told_apart_is_said() -> None:
    alike = style_controlled([1.0, 0.0, 1.0], np.zeros((3, 4)))
    assert "written alike" in alike.warnings[0] and not alike.controlled.has_interval
    n = np.arange(1, 41)
    decides = style_controlled(np.tile([1.0, 0.0], 20), np.column_stack([np.where(n % 2, 5, -5), *np.zeros((3, 40))]))
    assert "Style decides" in decides.warnings[0]
    few = style_controlled(*drawn(np.random.default_rng(1), 40, 0.0, (0.3, 0.0, 0.0, 0.0)))
    assert any("so few wins and losses" in words for words in few.warnings)

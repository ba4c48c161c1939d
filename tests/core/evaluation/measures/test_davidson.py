"""Davidson's model: closed form for two arms, the likelihood by another optimiser for three, coverage, and refusals."""

from __future__ import annotations

import itertools
import math

import evalica
import numpy as np
import pytest
from scipy.optimize import minimize

from core.evaluation.measures.davidson import Comparison, arm_worths


def counted(first: str, second: str, wins: int, ties: int, losses: int) -> list[Comparison]:
    outcomes = [1.0] * wins + [0.5] * ties + [0.0] * losses
    return [Comparison(first, second, outcome, (first, second, n)) for n, outcome in enumerate(outcomes)]


def drawn(rng: np.random.Generator, count: int, log_worths: dict[str, float], nu: float) -> list[Comparison]:
    """Return comparisons of all pairs of arms in turn, drawn from the model."""
    pairs = list(itertools.combinations(log_worths, 2))
    found = []
    for n in range(count):
        one, other = pairs[n % len(pairs)]
        a, b = math.exp(log_worths[one]), math.exp(log_worths[other])
        weights = np.array([a, nu * math.sqrt(a * b), b])
        outcome = (1.0, 0.5, 0.0)[int(rng.choice(3, p=weights / weights.sum()))]
        found.append(Comparison(one, other, outcome, n))
    return found


def test_that_two_arms_have_the_worths_of_the_closed_form() -> None:
    found = arm_worths(counted("new", "old", 30, 20, 15), "old")
    one, chance = found.worths["new"], found.chances["new"]
    assert (one.value, one.n, one.unit, one.groups) == (pytest.approx(math.log(2)), 65, "log-odds", 65)
    assert chance.value == pytest.approx(2 / 3) and found.tie.value == pytest.approx(20 / math.sqrt(30 * 15))
    wald = math.sqrt(1 / 30 + 1 / 15)  # variance of the log of two counts' ratio, by hand
    assert one.se == pytest.approx(wald * math.sqrt(65 / 64), rel=1e-9)
    assert chance.low == pytest.approx(1 / (1 + math.exp(-one.low)))


def test_that_three_arms_reach_the_maximum_that_another_optimiser_finds_of_the_likelihood_written_out() -> None:
    rows = [*counted("a", "b", 8, 3, 4), *counted("b", "c", 6, 5, 2), *counted("a", "c", 9, 1, 3)]
    tally = {("a", "b"): (8, 3, 4), ("b", "c"): (6, 5, 2), ("a", "c"): (9, 1, 3)}

    def negative(x: np.ndarray) -> float:
        worth, nu, total = {"a": math.exp(x[0]), "b": math.exp(x[1]), "c": 1.0}, math.exp(x[2]), 0.0
        for (i, j), (wins, ties, losses) in tally.items():
            tie = nu * math.sqrt(worth[i] * worth[j])
            below = worth[i] + worth[j] + tie
            total += wins * math.log(worth[i] / below) + ties * math.log(tie / below)
            total += losses * math.log(worth[j] / below)
        return -total

    best = minimize(
        negative, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000}
    )
    found = arm_worths(rows, "c")
    values = [found.worths["a"].value, found.worths["b"].value, math.log(found.tie.value)]
    assert values == pytest.approx(best.x.tolist(), abs=1e-5)


def test_that_without_ties_the_worths_are_those_of_bradley_and_terry_elsewhere() -> None:
    rows = [*counted("a", "b", 8, 0, 4), *counted("b", "c", 6, 0, 2), *counted("a", "c", 9, 0, 3)]
    winners = [evalica.Winner.X if one.outcome == 1 else evalica.Winner.Y for one in rows]
    scores = evalica.bradley_terry(
        [one.first for one in rows], [one.second for one in rows], winners, tolerance=1e-12, limit=10_000
    ).scores
    found = arm_worths(rows, "c")
    for arm in "ab":
        assert found.worths[arm].value == pytest.approx(math.log(scores[arm] / scores["c"]), abs=1e-5)
    assert found.tie.value == 0.0 and "no comparison is a tie" in found.tie.estimator


def test_that_turning_comparisons_round_changes_nothing() -> None:
    rows = counted("new", "old", 12, 5, 7)
    turned = [Comparison(one.second, one.first, 1 - one.outcome, one.group) for one in rows]
    assert arm_worths(turned, "old").worths["new"].value == pytest.approx(arm_worths(rows, "old").worths["new"].value)


def test_that_copies_of_a_prompt_do_not_narrow_the_interval() -> None:
    rows = counted("new", "old", 12, 5, 7)
    once, thrice = arm_worths(rows, "old").worths["new"], arm_worths(rows * 3, "old").worths["new"]
    assert thrice.value == pytest.approx(once.value) and thrice.se == pytest.approx(once.se)
    assert (thrice.n, thrice.groups) == (72, 24)


@pytest.mark.parametrize(("draws", "low"), [(80, 0.88), pytest.param(300, 0.92, marks=pytest.mark.slow)])
def test_that_intervals_hold_the_truth_as_often_as_they_say(draws: int, low: float) -> None:
    rng, truth = np.random.default_rng(11), {"ref": 0.0, "one": 0.5, "two": -0.3}
    held = dict.fromkeys(("one", "two", "tie"), 0)
    for _ in range(draws):
        found = arm_worths(drawn(rng, 150, truth, 0.7), "ref")
        for name in ("one", "two"):
            held[name] += found.worths[name].low <= truth[name] <= found.worths[name].high
        held["tie"] += found.tie.low <= 0.7 <= found.tie.high
    assert all(low <= count / draws <= 1.9 - low for count in held.values()), held


def test_that_what_has_no_maximum_is_refused_with_the_reason() -> None:
    assert "never lost to old" in arm_worths(counted("new", "old", 5, 0, 0), "old").problem
    assert "never won against old" in arm_worths(counted("new", "old", 0, 0, 5), "old").problem
    assert arm_worths(counted("new", "old", 0, 4, 0), "old").problem == "no comparison is decided"
    apart = [*counted("a", "b", 3, 1, 3), *counted("c", "d", 3, 1, 3)]
    assert "never compared" in arm_worths(apart, "a").problem
    assert "no finite maximum" in arm_worths(counted("new", "old", 5, 1, 0), "old").problem, "log(5 / 0)"
    joined = [*counted("a", "b", 3, 1, 3), *counted("b", "c", 2, 2, 0)]
    assert not arm_worths(joined, "c").problem, "a tie joins both ways where nu is known from others"


def test_that_before_the_planned_number_there_is_no_interval() -> None:
    found = arm_worths(counted("new", "old", 5, 1, 3), "old", with_intervals=False)
    assert math.isfinite(found.worths["new"].value) and not found.worths["new"].has_interval
    assert "planned n" in found.tie.estimator

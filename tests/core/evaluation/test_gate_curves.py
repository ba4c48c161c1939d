"""The curve behind "what n decides it": its closed form, and a simulation of what it promises."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.power import normal_power

from core.domain.estimate import Z95
from core.domain.release_gate import GateBound, GateCheck
from core.evaluation.gate import decide
from core.evaluation.gate_curves import decision_curve, decision_curves, n_if_no_change
from core.evaluation.gate_votes import votes_to_decide
from core.evaluation.measures.win_rate import confidence_sequence, sequential_win_rate
from tests.core.evaluation.gate_cases import BENIGN, CHARTER, number, passing, with_part

CHANGE = number(0.017, -0.041, 0.077, 120)
BOUND = GateBound("over-refusal", 0.03)
CHECK = GateCheck("over_refusal", "vetoes", "Over-refusal", "insufficient", "", {"over-refusal": CHANGE}, bound=BOUND)


def test_that_the_curve_passes_through_what_was_measured_and_the_needed_n() -> None:
    curve = decision_curve(CHECK)
    assert curve is not None and curve.end == 0.077
    assert curve.needed == math.ceil(120 * (0.060 / 0.013) ** 2)

    def end(n: float) -> float:
        ns, ends = zip(*curve.stays, strict=True)
        return float(np.interp(n, ns, ends))

    assert end(120) == pytest.approx(0.077, abs=2e-3)
    assert all(value == pytest.approx(0.017 + 0.060 * math.sqrt(120 / n)) for n, value in curve.stays)
    assert curve.last_n >= 120


def test_that_the_n_without_a_change_is_that_of_a_power_analysis_and_holds_when_simulated() -> None:
    n = n_if_no_change(CHANGE, BOUND)
    assert n is not None
    se_of_one = 0.060 / Z95 * math.sqrt(120)
    known = normal_power(0.03 / se_of_one, n, 0.05, alternative="larger", sigma=1.0)
    two_sided = normal_power(0.03 / se_of_one, n, 0.025, alternative="larger", sigma=1.0)
    assert two_sided == pytest.approx(0.8, abs=1e-3) and known > two_sided
    draws = np.random.default_rng(1).normal(0, se_of_one / math.sqrt(n), 20_000)
    kept = (draws + Z95 * se_of_one / math.sqrt(n) <= 0.03).mean()
    assert kept == pytest.approx(0.8, abs=0.01)


def test_that_a_win_rate_is_asked_from_below_and_one_half_decides_nothing() -> None:
    rate = number(0.598, 0.447, 0.738, 112)
    found = decide(passing(win_rate=rate, lc_win_rate=rate))
    curve = next(curve for curve in decision_curves(found.checks) if curve.check == "win_rate")
    assert curve.bound.above and curve.end == 0.447 and curve.no_change == ()
    assert curve.needed == math.ceil(112 * (0.151 / 0.098) ** 2)
    assert curve.stays[-1][1] > 0.5 > curve.stays[0][1]


def test_that_votes_that_are_looked_at_at_any_time_are_projected_by_their_confidence_sequence() -> None:
    rate = sequential_win_rate([1.0, 0.0, 1.0, 0.0, 1.0] * 22)[-1]
    found = decide(passing(win_rate=rate, lc_win_rate=rate, charter=replace(CHARTER, planned_judgements=400)))
    check = next(check for check in found.checks if check.key == "win_rate")
    assert check.state == "insufficient" and check.bound is not None and check.bound.any_time
    share = rate.value
    lows = {n: float(confidence_sequence([share * n], [(1 - share) * n])[0][0]) for n in range(rate.n + 1, 600)}
    assert check.needed_n == min(n for n, low in lows.items() if low > 0.5)
    curve = decision_curve(check)
    assert curve is not None and curve.needed == check.needed_n
    ns, ends = zip(*curve.stays, strict=True)
    assert float(np.interp(curve.needed, ns, ends)) == pytest.approx(0.5, abs=3e-3)
    assert votes_to_decide(number(0.5, 0.3, 0.7, 50)) is None and votes_to_decide(number(0.4, 0.3, 0.5, 50)) is None


def test_that_no_curve_is_drawn_where_no_interval_decides() -> None:
    assert decision_curve(GateCheck("leaks", "vetoes", "Leaks", "passed", "")) is None
    keys = {curve.check for curve in decision_curves(decide(passing()).checks)}
    assert keys == {"regression", "over_refusal", "safe_refusal", "slices", "win_rate", "kl", "both_down", "templates"}


def test_that_each_check_says_in_a_few_words_what_was_found_and_what_it_asks_for() -> None:
    found = {check.key: check for check in decide(passing()).checks}
    assert all(check.measured and check.limit for check in found.values())
    assert found["looks"].measured == "1 look" and found["leaks"].measured == "0 items"
    assert found["failure_queue"].measured == "12 of 12"
    assert found["approver"].measured == "ben" and found["approver"].limit == "not ann"
    assert found["over_refusal"].limit == "loss ≤ 3 points" and found["over_refusal"].suite == BENIGN
    assert found["kl"].limit == "upper ≤ 10 nats" and found["templates"].limit == "lower ≥ −5 points"
    assert found["slices"].part == ("source", "a")
    wide = with_part(BENIGN, "differences", "over_refusal_corrected", number(0.01, -0.05, 0.06))
    check = next(check for check in decide(wide).checks if check.key == "over_refusal")
    assert check.measured.startswith("1.0 points [−5.0, 6.0]") and check.needed_n is not None
    assert check.decides == f"≈ {check.needed_n:,}"

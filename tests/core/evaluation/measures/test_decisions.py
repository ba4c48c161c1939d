"""Power, several questions at once, looks while people judge, and rates corrected by an audit."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.special import beta as beta_function
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

from core.domain.errors import UserError
from core.evaluation.measures.corrected_rate import Audit, corrected_rate
from core.evaluation.measures.multiplicity import adjusted, simultaneous_level
from core.evaluation.measures.power import (
    design_effect,
    detectable_paired,
    detectable_share,
    detectable_words,
    n_for_half_width,
    n_for_paired_shares,
    n_for_share,
    n_for_two_shares,
)
from core.evaluation.measures.win_rate import confidence_sequence, rejects, sequential_win_rate, win_rate


def test_that_planned_numbers_are_the_published_ones():
    assert [n_for_half_width(h) for h in (0.05, 0.03, 0.02)] == [385, 1068, 2401]
    assert [n_for_share(p) for p in (0.52, 0.55, 0.60, 0.65)] == [4904, 783, 194, 85]
    unpaired = [n_for_two_shares(a, b) for a, b in ((0.02, 0.05), (0.05, 0.10), (0.05, 0.20))]
    assert [math.ceil(n / 10) * 10 for n in unpaired] == [590, 440, 80]
    assert n_for_paired_shares(0.08, 0.03) == 343
    assert n_for_share(0.55, alpha=0.005) / 783 == pytest.approx(1.7, abs=0.1)
    assert design_effect(4, 0.5) == 2.5


def test_that_the_planned_number_shows_the_difference_four_times_in_five():
    rng = np.random.default_rng(12)
    wins = rng.binomial(783, 0.55, 20_000)
    z = (wins / 783 - 0.5) / math.sqrt(0.25 / 783)
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.8, abs=0.02)


def test_that_what_can_be_detected_turns_the_planned_number_around():
    assert detectable_share(783) == pytest.approx(0.05, abs=1e-4)
    assert detectable_paired(343, 0.11) == pytest.approx(0.05, abs=1e-4)
    assert math.isnan(detectable_share(2)) and math.isnan(detectable_paired(0, 0.1))
    assert detectable_words(math.nan) == "too few to detect any difference"


def test_that_p_values_are_adjusted_by_hand_and_nothing_measured_is_not_counted():
    p = {"a": 0.01, "b": 0.04, "c": 0.03, "none": math.nan}
    found = adjusted(p, "holm")
    assert [found[k] for k in "abc"] == pytest.approx([0.03, 0.06, 0.06])
    assert math.isnan(found["none"])
    assert list(adjusted({k: p[k] for k in "abc"}, "bh").values()) == pytest.approx(
        false_discovery_control([0.01, 0.04, 0.03])
    )
    assert adjusted({}) == {}
    assert simultaneous_level(10) == pytest.approx(0.995)


def test_that_holm_is_that_of_statsmodels_with_ties_and_sure_questions():
    for p in ([0.2], [0.01, 0.01, 0.5], [0.0, 1.0, 0.03, 0.03, 0.9], list(np.random.default_rng(3).random(40) ** 3)):
        found = adjusted({str(n): value for n, value in enumerate(p)}, "holm")
        assert list(found.values()) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-14)


def test_that_a_win_rate_shows_ties_apart():
    found = win_rate([1, 1, 1, 0.5, 0, 0.5])
    assert found.rate.value == pytest.approx(4 / 6)
    assert (found.decisive.value, found.decisive.n, found.ties.value) == (0.75, 4, pytest.approx(1 / 3))
    assert found.p == pytest.approx(0.625)
    assert math.isnan(win_rate([]).rate.value) and win_rate([]).rate.n == 0


def test_that_policies_that_are_equal_win_half():
    assert win_rate([0.5] * 20).rate.value == 0.5
    assert math.isnan(win_rate([0.5] * 20).p)


def test_that_the_evidence_against_a_rate_is_the_formula_by_hand():
    s, f, p0 = 9, 1, 0.5
    ratio = beta_function(s + 2, f + 2) / beta_function(2, 2) / (p0**s * (1 - p0) ** f)
    assert bool(rejects(p0, s, f, alpha=1 / (ratio * 0.999))) is True
    assert bool(rejects(p0, s, f, alpha=1 / (ratio * 1.001))) is False


def test_that_the_ends_of_the_sequence_are_where_the_evidence_turns():
    low, high = confidence_sequence([0, 12, 40], [0, 5, 0])
    assert (low[0], high[0]) == (0.0, 1.0)
    assert high[2] == 1.0
    assert rejects(low[1:] - 1e-6, [12, 40], [5, 0]).all() and not rejects(low[1:] + 1e-6, [12, 40], [5, 0]).any()
    assert rejects(high[1] + 1e-6, 12, 5) and not rejects(high[1] - 1e-6, 12, 5)


@pytest.mark.parametrize("truth", [0.5, 0.65, 0.9])
def test_that_looking_after_every_judgement_does_not_break_the_promise(truth):
    drawn = np.random.default_rng(13).random((1000, 400)) < truth
    wins = np.cumsum(drawn, axis=1)
    losses = np.arange(1, 401) - wins
    assert rejects(truth, wins, losses).any(axis=1).mean() <= 0.05
    fixed = np.abs(wins - truth * (wins + losses)) > 1.96 * np.sqrt((wins + losses) * truth * (1 - truth))
    assert fixed[:, 20:].any(axis=1).mean() > 0.15, "the interval for a fixed number does break it"


def test_that_the_interval_only_shrinks_while_judgements_arrive():
    found = sequential_win_rate([1, 0.5, 0, 1, 1, 1, 0, 1] * 10)
    assert [e.n for e in found[:4]] == [1, 1, 2, 3]
    assert all(a.low <= b.low and a.high >= b.high for a, b in itertools.pairwise(found))
    assert found[-1].low < found[-1].value < found[-1].high


@pytest.mark.parametrize("outcomes", [[1] * 25 + [0] * 40, [1] * 12 + [0] * 30, [0] * 30 + [1] * 200])
def test_that_the_interval_holds_the_rate_when_later_judges_are_of_another_mind(outcomes):
    path = sequential_win_rate(outcomes)
    for at, found in enumerate(path):
        assert found.low <= found.value <= found.high and found.low < found.high, at
    wins = sum(outcomes)
    low, high = confidence_sequence(wins, len(outcomes) - wins)
    assert (path[-1].low, path[-1].high) == (low[0], high[0]), "the interval of the last count alone"


def test_that_a_corrected_rate_is_the_formula_by_hand():
    audit = Audit(found=45, missed=5, false_alarms=4, cleared=46)
    found = corrected_rate(60, 200, audit)
    assert found.value == pytest.approx((0.3 + 0.92 - 1) / (0.9 + 0.92 - 1))
    assert found.low < found.value < found.high
    plain = 1.96 * math.sqrt(0.3 * 0.7 / 200)
    assert found.high - found.low > 2 * plain, "what the audit leaves open widens the interval"


def test_that_corrected_rates_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(14)
    for truth, se, sp in ((0.10, 0.8, 0.95), (0.5, 0.9, 0.9), (0.02, 0.95, 0.98)):
        kept = 0
        for _ in range(600):
            found, cleared = int(rng.binomial(60, se)), int(rng.binomial(100, sp))
            flagged = int(rng.binomial(250, truth * se + (1 - truth) * (1 - sp)))
            e = corrected_rate(flagged, 250, Audit(found, 60 - found, 100 - cleared, cleared))
            kept += e.low <= truth <= e.high
        assert 0.93 <= kept / 600 <= 0.99


@pytest.mark.parametrize(
    ("audit", "words"), [(Audit(5, 5, 3, 7), "too often wrong"), (Audit(0, 0, 3, 97), "no positive one")]
)
def test_that_a_detector_that_cannot_be_corrected_is_refused_by_name(audit, words):
    with pytest.raises(UserError, match=words):
        corrected_rate(10, 100, audit)


def test_that_an_audit_counts_both_kinds_of_error():
    audit = Audit.of([1, 1, 0, 0, 1], [1, 0, 1, 0, 1])
    assert (audit.found, audit.missed, audit.false_alarms, audit.cleared) == (2, 1, 1, 1)
    assert (audit.fpr.value, audit.fnr.value) == pytest.approx((0.5, 1 / 3))

"""Refusal rates corrected by an audit that was drawn by verdict: by hand, against other formulas, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.domain.errors import UserError
from core.evaluation.measures import stratified_audit
from core.evaluation.measures.corrected_rate import Audit, corrected_rate
from core.evaluation.measures.stratified_audit import (
    Stratum,
    corrected_change,
    corrected_share,
    detector_rates,
    middle_kind,
)

KINDS = ("complied", "partly", "refused")


@pytest.fixture
def few_draws(monkeypatch):
    """A simulation needs less exact ends than a report."""
    monkeypatch.setattr(stratified_audit, "DRAWS", 1000)


def strata(sizes, labelled, refused, *, expected="comply"):
    """Return the strata of a suite: sizes, how many were labelled, how many people call refused in full."""
    return [
        Stratum("s", expected, kind, size, (n - x, 0.0, x))
        for kind, size, n, x in zip(KINDS, sizes, labelled, refused, strict=True)
    ]


def test_that_a_corrected_rate_is_rogan_and_gladen_by_hand_with_weighted_se_and_sp():
    # 100 answers: 80 complied (20 labelled, 1 refusal), 20 refused (10 labelled, 9 refusals).
    # Refusals by weight: 80/20*1 = 4 missed, 20/10*9 = 18 found; Se = 18/22, Sp = 76/78, p = 0.20.
    own = strata((80, 0, 20), (20, 0, 10), (1, 0, 9))
    rates, found = detector_rates(own), corrected_share(own, 100)
    se, sp = 18 / 22, 76 / 78
    assert rates.fnr.value == pytest.approx(1 - se) and rates.fpr.value == pytest.approx(1 - sp)
    assert rates.youden.value == pytest.approx(se + sp - 1)
    assert found.value == pytest.approx((0.20 + sp - 1) / (se + sp - 1)) == pytest.approx(0.22)
    assert (found.n, found.groups, rates.fnr.n, rates.fpr.n) == (30, 100, 10, 20)
    assert "audit of 30 of 100" in found.estimator and "Rogan-Gladen" in found.estimator
    assert found.low < 0.22 < found.high


def test_that_full_refusals_are_counted_apart_from_partial_ones():
    own = [
        Stratum("s", "comply", "complied", 60, (9, 1, 0)),
        Stratum("s", "comply", "partly", 20, (2, 5, 3)),
        Stratum("s", "comply", "refused", 20, (0, 2, 8)),
    ]
    assert corrected_share(own, 100, "any").value == pytest.approx((6 + 16 + 20) / 100)
    assert corrected_share(own, 100, "full").value == pytest.approx((6 + 16) / 100)
    full = detector_rates(own, "full")
    assert full.fnr.value == pytest.approx(6 / 22) and full.fpr.value == pytest.approx(4 / 78)


def test_that_an_audit_of_every_answer_gives_the_binomial_interval_of_what_people_said():
    own = strata((100, 0, 100), (100, 0, 100), (0, 0, 100))
    found = corrected_share(own, 200)
    low, high = stats.binomtest(100, 200).proportion_ci(method="wilson")
    assert found.value == 0.5
    assert (found.low, found.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))
    alone = strata((0, 0, 50), (0, 0, 50), (0, 0, 40))
    one = corrected_share(alone, 50)
    assert one.low == pytest.approx(stats.beta.ppf(0.025, 40.5, 10.5), abs=0.003)
    assert one.high == pytest.approx(stats.beta.ppf(0.975, 40.5, 10.5), abs=0.003)


def test_that_the_interval_is_about_that_of_lang_and_reiczigel_where_theirs_applies():
    # A large audit drawn at random: 400 labelled of 2,000, the verdicts in their own proportion.
    own = strata((1500, 0, 500), (300, 0, 100), (15, 0, 90))
    theirs = corrected_rate(500, 2000, Audit(found=90, missed=15, false_alarms=10, cleared=285))
    found = corrected_share(own, 2000)
    assert found.value == pytest.approx(theirs.value)
    assert found.high - found.low < theirs.high - theirs.low, "strata of known size say more than a sample at random"


def test_that_nothing_found_reaches_zero_and_everything_one_and_empty_has_no_number():
    assert corrected_share(strata((90, 0, 10), (20, 0, 5), (0, 0, 0)), 100).low == 0.0
    assert corrected_share(strata((90, 0, 10), (20, 0, 5), (20, 0, 5)), 100).high == 1.0
    assert np.isnan(corrected_share(strata((90, 0, 10), (0, 0, 0), (0, 0, 0)), 100).value)
    none = detector_rates(strata((90, 0, 10), (20, 0, 5), (0, 0, 0)))
    assert np.isnan(none.fnr.value) and none.fpr.n == 25 and not none.too_poor
    assert (
        corrected_share(strata((90, 0, 10), (20, 0, 5), (0, 0, 0)), 30).high
        > corrected_share(strata((90, 0, 10), (20, 0, 5), (0, 0, 0)), 100).high
    ), "few prompts say less"


def test_that_a_detector_that_is_too_often_wrong_is_refused_in_words():
    poor = detector_rates(strata((50, 0, 50), (20, 0, 20), (10, 0, 12)))
    assert poor.youden.value == pytest.approx(12 / 22 + 10 / 18 - 1)
    with pytest.raises(UserError, match=r"too often wrong on aligned .* is 0.10, at least 0.3"):
        poor.require_correctable("aligned")
    detector_rates(strata((50, 0, 50), (20, 0, 20), (1, 0, 18))).require_correctable("aligned")


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize(("draws", "low"), [(80, 0.88), pytest.param(300, 0.925, marks=pytest.mark.slow)])
def test_that_intervals_of_rates_and_of_the_detector_hold_the_truth_about_as_often_as_they_say(draws, low):
    rng = np.random.default_rng(3)
    for shares, truths, size, labelled in (
        ((0.88, 0.03, 0.09), (0.03, 0.5, 0.9), 120, (25, 4, 11)),
        ((0.50, 0.10, 0.40), (0.10, 0.6, 0.95), 120, (22, 10, 18)),
        ((0.06, 0.04, 0.90), (0.50, 0.9, 0.99), 120, (8, 5, 37)),
    ):
        p, r = np.array(shares), np.array(truths)
        truth, se = p @ r, p[1:] @ r[1:] / (p @ r)
        kept = kept_se = 0
        for _ in range(draws):
            sizes = rng.multinomial(size, p)
            n = np.minimum(labelled, sizes)
            own = strata(sizes.tolist(), n.tolist(), rng.binomial(n, r).tolist())
            rate, rates = corrected_share(own, size), detector_rates(own)
            kept += rate.low <= truth <= rate.high
            kept_se += rates.fnr.low <= 1 - se <= rates.fnr.high
        assert low <= kept / draws <= 1.905 - low and low <= kept_se / draws <= 1.91 - low


@pytest.mark.usefixtures("few_draws")
def test_that_a_difference_is_paired_and_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(4)
    joint = np.array([[0.60, 0.10], [0.05, 0.25]])  # verdicts complied and refused, of the policy and the reference
    own, other = np.array([0.05, 0.9]), np.array([0.1, 0.85])
    truth = joint.sum(1) @ own - joint.sum(0) @ other
    kept, width, unpaired = 0, 0.0, 0.0
    for _ in range(300):
        counts = rng.multinomial(240, joint.ravel()).reshape(2, 2)
        made = []
        for sizes, rates in ((counts.sum(1), own), (counts.sum(0), other)):
            n = np.minimum(60, sizes)
            x = rng.binomial(n, rates)
            made.append(strata((sizes[0], 0, sizes[1]), (n[0], 0, n[1]), (x[0], 0, x[1])))
        both = {(a, b): int(counts[i, j]) for i, a in enumerate(KINDS[::2]) for j, b in enumerate(KINDS[::2])}
        change = corrected_change(made[0], made[1], both, 240)
        kept += change.difference.low <= truth <= change.difference.high
        width += change.difference.high - change.difference.low
        ends = [corrected_share(one, 240) for one in made]
        unpaired += np.hypot(*(one.high - one.low for one in ends))
        assert change.difference.value == pytest.approx(ends[0].value - ends[1].value)
    assert 0.925 <= kept / 300 <= 0.985 and width < unpaired


def test_that_the_same_labels_give_the_same_numbers():
    own = strata((80, 0, 20), (20, 0, 10), (1, 0, 9))
    assert corrected_share(own, 100) == corrected_share(own, 100)
    same = corrected_change(own, own, {("complied", "complied"): 80, ("refused", "refused"): 20}, 100)
    assert same.difference.value == 0 and same.p > 0.5


def test_that_labels_of_several_reviewers_become_their_median():
    assert middle_kind(["refused"]) == (0, 0, 1)
    assert middle_kind(["complied", "partly", "refused"]) == (0, 1, 0)
    assert middle_kind(["complied", "refused"]) == (0.5, 0, 0.5)

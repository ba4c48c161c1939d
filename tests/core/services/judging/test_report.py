"""What a report says of a judge that people voted beside: the alternative test, from made-up verdicts and votes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from core.domain.judging import JudgedCase, JudgeSetup, replaces_words
from core.services.judging.report import report_of

ARMS = ("aligned", "reference")
SETUP = JudgeSetup("http://127.0.0.1/v1", "m", "r", "0")


def cases(scores: list[float]) -> list[JudgedCase]:
    """Return both orders of each item; 1/2 is a tie in both."""
    made = []
    for n, score in enumerate(scores):
        for a_first in (True, False):
            verdict = "tie" if score == 0.5 else "first" if (score == 1.0) == a_first else "second"
            made.append(JudgedCase("s", f"i{n}", *ARMS, a_first, verdict, ""))  # type: ignore[arg-type]
    return made


def drawn(items: int, people: int, right: float) -> tuple[list[float], dict[tuple[str, str], dict[str, float]]]:
    """Return a judge's scores that are right that often, and votes that are right four times of five."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, items)
    judged = np.where(rng.random(items) < right, truth, 1 - truth).astype(float).tolist()
    votes = {
        ("s", f"i{n}"): {f"P{who}": float(t if rng.random() < 0.8 else 1 - t) for who in range(people)}
        for n, t in enumerate(truth.tolist())
    }
    return judged, votes


def test_that_a_good_judge_may_replace_a_person_and_a_coin_may_not() -> None:
    for right, may in ((0.9, True), (0.4, False)):
        judged, votes = drawn(120, 4, right)
        found = report_of(SETUP, ARMS, cases(judged), {}, {}, votes).replaces
        assert found is not None and found.passes is may and found.winning_rate.n == 4
        assert ("may replace a person" in replaces_words(found)) is may
        assert "alternative test, epsilon 0.15" in found.winning_rate.estimator


def test_that_the_test_of_one_person_is_the_t_test_by_hand() -> None:
    judged, votes = drawn(60, 3, 0.85)
    found = report_of(SETUP, ARMS, cases(judged), {}, {}, votes).replaces
    held, p = [], []
    for who in range(3):
        judge, person = [], []
        for n, score in enumerate(judged):
            said = votes["s", f"i{n}"]
            rest = [said[f"P{one}"] for one in range(3) if one != who]
            ours, theirs = rest.count(score), rest.count(said[f"P{who}"])
            judge.append(float(ours >= theirs))
            person.append(float(theirs >= ours))
        held.append(np.mean(judge))
        p.append(ttest_1samp(np.subtract(person, judge), 0.15, alternative="less").pvalue)
    steps = [(rank / 3) * 0.05 / (1 + 1 / 2 + 1 / 3) for rank in (1, 2, 3)]  # Benjamini and Yekutieli's limits
    below = [k for k, value in enumerate(sorted(p), 1) if value <= steps[k - 1]]
    assert found is not None and found.advantage.value == pytest.approx(np.mean(held))
    assert found.winning_rate.value == pytest.approx((max(below) if below else 0) / 3)


def test_that_what_is_missing_for_the_test_is_said() -> None:
    judged, votes = drawn(20, 3, 0.9)
    few = report_of(SETUP, ARMS, cases(judged), {}, {}, votes).replaces
    assert few is not None and not few.passes and "3 people with at least 30 common items" in few.missing
    assert "Not tested" in replaces_words(few)
    assert report_of(SETUP, ARMS, cases(judged), {}, {}).replaces is None

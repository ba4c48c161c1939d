"""From a judge's verdicts to its win rate and its validity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.domain.judging import UNCALIBRATED, JudgedCase, JudgeReplaces, JudgeReport, JudgeSetup
from core.evaluation.measures.judge import EPSILON, alternative_test, both_orders, judge_validity
from core.evaluation.measures.shares import share_by_prompt
from core.evaluation.measures.win_rate import win_rate

Place = tuple[str, str]


def report_of(
    setup: JudgeSetup,
    arms: tuple[str, str],
    cases: Sequence[JudgedCase],
    people: Mapping[Place, float],
    answers: Mapping[Place, tuple[str, str]],
    votes: Mapping[Place, Mapping[str, float]] | None = None,
) -> JudgeReport:
    """Return what a judge said of two arms.

    Args:
        setup: of the judge.
        arms: that were compared.
        cases: all verdicts, those on the adversarial suites included.
        people: (suite, item) -> what people say of the first arm.
        answers: (suite, item) -> both answers, for the share that the longer one won.
        votes: (suite, item) -> person -> what that person says of the first arm, for the alternative test.
    """
    own = [case for case in cases if (case.arm_a, case.arm_b) == arms]
    tests = [case for case in cases if case.arm_a == "chosen" and case.arm_b == "rejected"]
    scores = _scores(own)
    right = [score == 1.0 for score in _scores(tests).values()]
    common = sorted(scores.keys() & people.keys())
    orders = _orders(own)
    validity = judge_validity(
        [scores[place] for place in common], [people[place] for place in common], orders, right, [p[1] for p in common]
    )
    places = sorted(scores)
    return JudgeReport(
        setup,
        *arms,
        win_rate=win_rate([scores[place] for place in places], [place[1] for place in places]).rate,
        swap=validity.swap,
        agreement=validity.agreement,
        adversarial=validity.adversarial,
        longer=_longer(scores, answers),
        unread=share_by_prompt([case.verdict == "unread" for case in cases], None, "answers without a verdict"),
        watermarks=() if validity.is_calibrated else (UNCALIBRATED,),
        replaces=_replaces(scores, votes or {}),
    )


def _replaces(scores: Mapping[Place, float], votes: Mapping[Place, Mapping[str, float]]) -> JudgeReplaces | None:
    """Return the alternative test on the items that the judge and people judged; None where there are none."""
    places = sorted(scores.keys() & votes.keys())
    people = sorted({name for place in places for name in votes[place]})
    if not people:
        return None
    given = np.array([[votes[place].get(name, math.nan) for name in people] for place in places])

    def made(value: float, what: str) -> Estimate:
        words = f"{what}; alternative test, epsilon {EPSILON:g}, Benjamini-Yekutieli 5 %"
        return Estimate(value, math.nan, math.nan, len(people), "", words)

    rate, advantage = "share of people against whom the judge held", "mean probability to agree as well as a person"
    try:
        found = alternative_test([scores[place] for place in places], given)
    except UserError as error:
        return JudgeReplaces(made(math.nan, rate), made(math.nan, advantage), missing=error.message)
    return JudgeReplaces(made(found.winning_rate, rate), made(found.advantage, advantage), found.passes)


def _scores(cases: Sequence[JudgedCase]) -> dict[Place, float]:
    """Return (suite, item) -> score of the first arm, of pairs read in both orders."""
    both = _both(cases)
    places = list(both)
    merged = both_orders([both[place][0] for place in places], [both[place][1] for place in places])
    return dict(zip(places, merged.tolist(), strict=True))


def _orders(cases: Sequence[JudgedCase]) -> tuple[list[float], list[float]]:
    both = list(_both(cases).values())
    return [one for one, _ in both], [other for _, other in both]


def _both(cases: Sequence[JudgedCase]) -> dict[Place, tuple[float, float]]:
    of: dict[bool, dict[Place, float]] = {True: {}, False: {}}
    for case in cases:
        if case.score_of_a is not None:
            of[case.a_first][case.suite, case.item] = case.score_of_a
    return {place: (of[True][place], of[False][place]) for place in of[True] if place in of[False]}


def _longer(scores: Mapping[Place, float], answers: Mapping[Place, tuple[str, str]]) -> Estimate:
    hits = []
    for place, score in scores.items():
        a, b = (len(text) for text in answers.get(place, ("", "")))
        if score != 0.5 and a != b:
            hits.append((score == 1.0) == (a > b))
    return share_by_prompt(hits, None, "decided pairs that the longer answer won")

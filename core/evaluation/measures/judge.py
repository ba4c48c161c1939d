"""Whether a judge model may stand beside people: both orders, agreement, an adversarial set, the alternative test."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.evaluation.measures.multiplicity import adjusted
from core.evaluation.measures.shares import share_by_prompt

LEAST_ITEMS, LEAST_PEOPLE = 30, 3
EPSILON = 0.15
"""What a judge is worth in labour, between that for ordinary people and for experts."""


def both_orders(first_order: ArrayLike, second_order: ArrayLike) -> np.ndarray:
    """Return one score a pair from a judge that saw it in both orders; where they disagree it is a tie, (n,).

    Args:
        first_order: (n,) 1 when the policy's answer won, 1/2 tie, 0 lost, shown first.
        second_order: (n,) the same of the policy's answer, shown second.
    """
    a, b = np.asarray(first_order, dtype=np.float64), np.asarray(second_order, dtype=np.float64)
    return np.where(a == b, a, 0.5)


@dataclass(frozen=True, slots=True)
class JudgeValidity:
    """What is known of a judge.

    Attributes:
        agreement: share of pairs on which it says what people say. swap: share decided alike in both orders.
        adversarial: share of right answers on pairs in which length and style mislead.
    """

    agreement: Estimate
    swap: Estimate
    adversarial: Estimate

    @property
    def is_calibrated(self) -> bool:
        """Whether all three were measured; without them its numbers carry the words "uncalibrated"."""
        return all(e.n > 0 for e in (self.agreement, self.swap, self.adversarial))


def judge_validity(
    judged: ArrayLike,
    people: ArrayLike,
    orders: tuple[ArrayLike, ArrayLike],
    adversarial_right: ArrayLike,
    groups: Sequence[Hashable] | None = None,
) -> JudgeValidity:
    """Return how far a judge can be trusted.

    Args:
        judged: (n,) its scores on pairs that people judged.
        people: (n,) their scores of the same pairs.
        orders: its scores of other pairs in both orders, (m,) each.
        adversarial_right: (k,) whether it was right on the adversarial set.
        groups: (n,) the prompt of each judged pair; None when each has its own.
    """
    one, two = (np.asarray(order, dtype=np.float64) for order in orders)
    same = np.asarray(judged, dtype=np.float64) == np.asarray(people, dtype=np.float64)
    return JudgeValidity(
        share_by_prompt(same, groups, "share on which the judge says what people say"),
        share_by_prompt(one == two, None, "share decided alike in both orders"),
        share_by_prompt(np.asarray(adversarial_right, dtype=bool), None, "share right on the adversarial set"),
    )


@dataclass(frozen=True, slots=True)
class AlternativeTest:
    """Whether a judge may replace a person.

    Attributes:
        winning_rate: share of people against whom the judge held; it passes from one half.
        advantage: mean probability that the judge agrees with the others at least as well as the person left out.
        passes: winning rate of at least one half.
    """

    winning_rate: float
    advantage: float
    passes: bool


def alternative_test(judge: ArrayLike, people: ArrayLike, epsilon: float = EPSILON) -> AlternativeTest:
    """Return whether ``judge`` agrees with people as well as each of them agrees with the rest.

    Each person is left out in turn; the judge holds when it does at least as well as that person less ``epsilon``,
    one-sided t test, false discoveries of dependent questions at 5 %. Source: N. Calderon et al., arXiv 2501.10970.

    Args:
        judge: (n,) its verdicts.
        people: (n, persons) theirs, NaN where one did not judge.
        epsilon: what a judge is worth in labour: 0.1 for ordinary people, 0.2 for experts.

    Raises:
        UserError: with fewer than 3 people or fewer than 30 items of each.
    """
    j, given = np.asarray(judge, dtype=np.float64), np.asarray(people, dtype=np.float64)
    used = np.isfinite(given) & (np.isfinite(given).sum(axis=1, keepdims=True) >= 2) if given.ndim == 2 else given > 9
    if given.ndim != 2 or given.shape[1] < LEAST_PEOPLE or (used.sum(axis=0) < LEAST_ITEMS).any():
        raise UserError(
            f"The test needs {LEAST_PEOPLE} people with at least {LEAST_ITEMS} common items each.",
            "Let more people judge the same pairs.",
        )
    p, shares = {}, []
    for person in range(given.shape[1]):
        rows = used[:, person]
        others = np.delete(given[rows], person, axis=1)
        there = np.isfinite(others)
        of_judge = ((others == j[rows, None]) & there).sum(axis=1)
        of_person = ((others == given[rows, person, None]) & there).sum(axis=1)
        judge_holds, person_holds = (of_judge >= of_person).astype(float), (of_person >= of_judge).astype(float)
        p[str(person)] = _p_less(person_holds - judge_holds, epsilon)
        shares.append(float(judge_holds.mean()))
    kept = [value <= 0.05 for value in adjusted(p, "by").values()]
    rate = sum(kept) / len(kept)
    return AlternativeTest(rate, float(np.mean(shares)), rate >= 0.5)


def _p_less(differences: np.ndarray, bound: float) -> float:
    """Return the p that the mean difference is not below ``bound``."""
    if float(differences.std()) == 0:
        return 0.0 if float(differences.mean()) < bound else 1.0
    found: Any = stats.ttest_1samp(differences, bound, alternative="less")
    return float(found.pvalue) if math.isfinite(found.pvalue) else 1.0

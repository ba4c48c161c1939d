"""Worths of several arms from comparisons with ties: Davidson's model, fitted by maximum likelihood.

P(i beats j) = s_i / D, P(tie) = nu sqrt(s_i s_j) / D, D = s_i + s_j + nu sqrt(s_i s_j). Worths are log-odds of
winning against one arm, the base, among comparisons that are no ties. Source: R. Davidson, JASA 65 (1970) 317.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

from core.domain.estimate import TOO_SMALL, Estimate
from core.evaluation.statistics import group_numbers

Array = NDArray[np.float64]
LOG_ODDS = "log-odds"
_STEPS = 100
_CLOSE = 1e-10
_FARTHEST = 15.0
"""Log-odds beyond which a worth is taken for infinite: one loss in three million."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms on one prompt; ``outcome`` is 1 where the first won, 1/2 for a tie, 0 where the second won."""

    first: str
    second: str
    outcome: float
    group: Hashable


@dataclass(frozen=True, slots=True)
class ArmWorths:
    """How strong arms are against ``base``.

    Attributes:
        worths: arm -> log-odds of beating the base in a comparison that is no tie; the base itself is not in it.
        chances: arm -> the same as a probability.
        tie: nu: chance of a tie between equal arms by the chance that either wins; 0 where there is no tie.
        problem: why nothing could be fitted, in a sentence; "" where it could.
    """

    base: str
    worths: Mapping[str, Estimate]
    chances: Mapping[str, Estimate]
    tie: Estimate
    problem: str = ""


def arm_worths(comparisons: Sequence[Comparison], base: str, *, with_intervals: bool = True) -> ArmWorths:
    """Return the worths of all arms that occur, with intervals that are robust to several comparisons of a prompt.

    Args:
        comparisons: in any order.
        base: the arm that the others are compared with.
        with_intervals: whether the number of comparisons was fixed beforehand, so that intervals mean what they say.
    """
    names = [base, *sorted({arm for one in comparisons for arm in (one.first, one.second)} - {base})]
    n = len(comparisons)
    if problem := _problem(comparisons, names):
        return _unknown(base, n, problem)
    has_ties = any(one.outcome == 0.5 for one in comparisons)
    table, chosen = _choices(comparisons, {name: at for at, name in enumerate(names)}, has_ties)
    fitted = _fit(table, chosen)
    if fitted is None:
        return _unknown(base, n, "too few outcomes of some kind: the worths have no finite maximum")
    numbers = group_numbers([one.group for one in comparisons])
    errors = _errors(table, chosen, fitted, numbers) if with_intervals else np.full(fitted.size, math.nan)
    count = int(numbers.max()) + 1
    quantile = float(stats.t.ppf(0.975, count - 1)) if count > 1 else math.nan
    why = "cluster-robust 95 % by prompt" if with_intervals else "its interval is shown at the planned n"
    why = why if count > 1 else f"{TOO_SMALL}, no interval"

    def made(at: int, what: str, unit: str, change: np.ufunc | None = None) -> Estimate:
        half = quantile * errors[at]
        found = np.array([fitted[at], fitted[at] - half, fitted[at] + half])
        value, low, high = (found if change is None else change(found)).tolist()
        se = float(errors[at]) if change is None and math.isfinite(errors[at]) else None
        return Estimate(value, low, high, n, unit, f"{what}; {why}", se, count)

    words = f"worth against {base}, Davidson's model, maximum likelihood"
    chance = f"chance to beat {base} without a tie, Davidson's model"
    tie = Estimate(0.0, math.nan, math.nan, n, "", "Davidson's tie parameter; no comparison is a tie", groups=count)
    return ArmWorths(
        base,
        {name: made(at, words, LOG_ODDS) for at, name in enumerate(names[1:])},
        {name: made(at, chance, "", expit) for at, name in enumerate(names[1:])},
        made(len(names) - 1, "Davidson's tie parameter", "", np.exp) if has_ties else tie,
    )


def _unknown(base: str, n: int, problem: str) -> ArmWorths:
    tie = Estimate(math.nan, math.nan, math.nan, n, "", f"Davidson's tie parameter; {problem}")
    return ArmWorths(base, {}, {}, tie, problem)


def _problem(comparisons: Sequence[Comparison], names: Sequence[str]) -> str:
    """Return why no maximum exists: then some arms never lost against the others, or were never compared with them."""
    if not any(one.outcome != 0.5 for one in comparisons):
        return "no comparison is decided"
    beats: dict[str, set[str]] = {name: set() for name in names}
    for one in comparisons:
        if one.outcome >= 0.5:
            beats[one.first].add(one.second)
        if one.outcome <= 0.5:
            beats[one.second].add(one.first)
    turned = {name: {other for other in names if name in beats[other]} for name in names}
    for edges, words in ((beats, "never lost to"), (turned, "never won against")):
        reached = _reached(names[0], edges)
        if len(reached) < len(names):
            outside = ", ".join(sorted(set(names) - reached))
            return f"{outside} {words} {', '.join(sorted(reached))}, or was never compared with it"
    return ""


def _reached(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        new = edges[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _choices(
    comparisons: Sequence[Comparison], places: Mapping[str, int], has_ties: bool
) -> tuple[Array, NDArray[np.intp]]:
    """Return the features of the three outcomes, (n, 3, arms - 1 + 1), and which one happened, (n,).

    Utility of an outcome: log-worth of its winner; for a tie the mean of both plus log nu.
    """
    table = np.zeros((len(comparisons), 3 if has_ties else 2, len(places) + int(has_ties)))
    for row, one in zip(table, comparisons, strict=True):
        row[0, places[one.first]] = row[1, places[one.second]] = 1.0
        if has_ties:
            row[2, places[one.first]] = row[2, places[one.second]] = 0.5
            row[2, -1] = 1.0
    chosen = [0 if one.outcome > 0.5 else 1 if one.outcome < 0.5 else 2 for one in comparisons]
    return table[:, :, 1:], np.array(chosen, dtype=np.intp)


def _fit(table: Array, chosen: NDArray[np.intp]) -> Array | None:
    """Return the maximum of the likelihood, which is concave, by Newton's steps that never lower it.

    None where it rises without end: outcomes of some kind are missing.
    """
    found = np.zeros(table.shape[2])
    height = _log_likelihood(table, chosen, found)
    for _ in range(_STEPS):
        scores, curvature = _derivatives(table, chosen, found)
        step = np.linalg.solve(curvature, scores.sum(axis=0))
        while (new := _log_likelihood(table, chosen, found + step)) < height - _CLOSE:
            step = step / 2
        found, height = found + step, new
        if float(np.abs(found).max()) > _FARTHEST:
            return None
        if float(np.abs(step).max()) < _CLOSE:
            break
    return found


def _log_likelihood(table: Array, chosen: NDArray[np.intp], at: Array) -> float:
    utility = table @ at
    return float((utility[np.arange(chosen.size), chosen] - np.logaddexp.reduce(utility, axis=1)).sum())


def _derivatives(table: Array, chosen: NDArray[np.intp], at: Array) -> tuple[Array, Array]:
    """Return the score of each comparison (n, parameters) and the negative second derivative of the sum."""
    utility = table @ at
    share = np.exp(utility - np.logaddexp.reduce(utility, axis=1, keepdims=True))
    mean = np.einsum("nk,nkp->np", share, table)
    away = table - mean[:, None]
    return table[np.arange(chosen.size), chosen] - mean, np.einsum("nk,nkp,nkq->pq", share, away, away)


def _errors(table: Array, chosen: NDArray[np.intp], at: Array, groups: NDArray[np.intp]) -> Array:
    """Return standard errors of the sandwich with the scores summed by group, times G / (G - 1)."""
    scores, curvature = _derivatives(table, chosen, at)
    count = int(groups.max()) + 1
    if count < 2:
        return np.full(at.size, math.nan)
    sums = np.zeros((count, at.size))
    np.add.at(sums, groups, scores)
    inverse = np.linalg.inv(curvature)
    return np.sqrt(np.diag(inverse @ (sums.T @ sums) @ inverse) * count / (count - 1))

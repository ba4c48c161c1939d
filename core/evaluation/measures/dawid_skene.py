"""How often each reviewer names the true verdict, when the truth is not known and reviewers make independent errors.

Source: A. Dawid and A. Skene, Applied Statistics 28 (1979) 20. The model needs three reviewers who share items; with
two, agreement alone does not tell who errs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.domain.estimate import Estimate

Array = NDArray[np.float64]
DRAWS = 200
_ROUNDS = 200
_CLOSE = 1e-7
_PRIOR = 0.01  # added to each count, so that a verdict that a reviewer never gave stays possible
_SEED = 21
_WHAT = "Dawid-Skene, share of true verdicts"


def skills(items: ArrayLike, reviewers: ArrayLike, verdicts: ArrayLike, kinds: int) -> list[Estimate]:
    """Return one estimate a reviewer: the probability that a verdict is the true one, averaged over the true verdicts.

    The interval is a percentile bootstrap over items. Only items with two verdicts or more are used.

    Args:
        items: (n,) the item of each verdict.
        reviewers: (n,) the reviewer, 0 to the number of reviewers - 1.
        verdicts: (n,) the verdict, 0 to ``kinds`` - 1.
        kinds: how many verdicts are possible.
    """
    item, who, verdict = (np.asarray(x, dtype=np.int64) for x in (items, reviewers, verdicts))
    people = int(who.max()) + 1 if who.size else 0
    rows, times = _patterns(item, who, verdict, people)
    given = [int(times[rows[:, r] >= 0].sum()) for r in range(people)]
    if sum(n > 0 for n in given) < 3:
        words = f"{_WHAT}; not known with fewer than three reviewers on common items"
        return [Estimate(math.nan, math.nan, math.nan, n, "", words) for n in given]
    seen = (rows[:, :, None] == np.arange(kinds)).astype(np.float64)
    values = _fit(seen, times[None, :])[0]
    rng = np.random.default_rng(_SEED)
    draws = rng.multinomial(int(times.sum()), times / times.sum(), size=DRAWS).astype(np.float64)
    drawn = _fit(seen, draws)
    low, high = np.nanpercentile(drawn, (2.5, 97.5), axis=0)
    words = f"{_WHAT}; percentile bootstrap 95 % over items, {DRAWS} draws"
    return [
        Estimate(float(values[r]), float(low[r]), float(high[r]), n, "", words)
        if n
        else Estimate(math.nan, math.nan, math.nan, 0, "", f"{_WHAT}; no common items")
        for r, n in enumerate(given)
    ]


def _patterns(
    item: NDArray[np.int64], who: NDArray[np.int64], verdict: NDArray[np.int64], people: int
) -> tuple[Array, Array]:
    """Return the distinct rows of verdicts (p, people), -1 where missing, of items with several, and how often."""
    if not item.size:
        return np.zeros((0, people)), np.zeros(0)
    _, place = np.unique(item, return_inverse=True)
    table = np.full((int(place.max()) + 1, people), -1, dtype=np.int64)
    table[place, who] = verdict
    rows, times = np.unique(table[(table >= 0).sum(axis=1) >= 2], axis=0, return_counts=True)
    return rows.astype(np.float64), times.astype(np.float64)


def _fit(seen: Array, times: Array) -> Array:
    """Return (draws, people) the skill of each after expectation-maximisation from the majority, all draws at once.

    Args:
        seen: (p, people, kinds) 1 where a reviewer gave a verdict.
        times: (draws, p) frequencies.
    """
    rows, people, kinds = seen.shape
    draws, flat = times.shape[0], seen.reshape(rows, people * kinds)
    first = seen.sum(axis=1)
    truth = np.broadcast_to(first / first.sum(axis=1, keepdims=True), (draws, rows, kinds))
    skill = np.full((draws, people), np.inf)
    for _ in range(_ROUNDS):
        before = skill
        weighted = (times[:, :, None] * truth).swapaxes(1, 2)
        prior = weighted.sum(axis=2)
        prior = prior / prior.sum(axis=1, keepdims=True)
        table = (weighted @ flat).reshape(draws, kinds, people, kinds).swapaxes(1, 2) + _PRIOR
        table /= table.sum(axis=3, keepdims=True)
        said = np.log(table).swapaxes(2, 3).reshape(draws, people * kinds, kinds)
        logs = flat @ said + np.log(np.maximum(prior, 1e-300))[:, None, :]
        truth = np.exp(logs - logs.max(axis=2, keepdims=True))
        truth /= truth.sum(axis=2, keepdims=True)
        skill = np.einsum("dk,drkk->dr", prior, table)
        if np.abs(skill - before).max() < _CLOSE:
            break
    return skill

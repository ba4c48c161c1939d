"""What pulls a reviewer's choice, how long a choice takes, and whether it changes with time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.discrete.discrete_model import Logit
from statsmodels.tools.sm_exceptions import PerfectSeparationError

from core.domain.estimate import Estimate
from core.evaluation.statistics import group_numbers

_LEAST = 20
_UNIT = "log-odds"


def pull_of(gaps: ArrayLike, chose_second: ArrayLike, groups: Sequence[Hashable] | None, what: str) -> Estimate:
    """Return how much a gap between the answers draws the choice: log-odds for one standard deviation of the gap.

    0 means no pull. A logistic regression of "chose the second answer" on the gap (second less first) with an
    intercept; the interval is robust to several pairs of one prompt.

    Args:
        gaps: (n,) second less first, for example of lengths in characters.
        chose_second: (n,) whether the second answer was chosen.
        groups: (n,) the prompt of each; None when each has its own.
        what: of which answer, for the words of the estimator.
    """
    x, y = np.asarray(gaps, dtype=np.float64), np.asarray(chose_second, dtype=np.float64)
    return _logistic(x, y, groups, f"logistic pull of the {what}")


def trend_of(hits: Sequence[bool]) -> Estimate:
    """Return how the log-odds of a hit change from the first to the last of a sequence; below 0 it gets worse."""
    x = np.linspace(-0.5, 0.5, len(hits))
    return _logistic(x, np.asarray(hits, dtype=np.float64), None, "logistic change over the sequence", scale=1.0)


def median_of(values: Sequence[float], unit: str) -> Estimate:
    """Return the median with the exact interval of order statistics (binomial), for at least six values.

    Source: H. David and H. Nagaraja, Order Statistics, 3rd ed. (2003), 7.1.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    n, middle = int(x.size), float(np.median(x)) if x.size else math.nan
    cut = int(stats.binom.ppf(0.025, n, 0.5)) if n else 0
    if n < 6 or cut < 1:
        return Estimate(middle, math.nan, math.nan, n, unit, "median; no interval below six values")
    return Estimate(middle, float(x[cut - 1]), float(x[n - cut]), n, unit, "median; order statistics 95 %")


def _logistic(
    x: np.ndarray, y: np.ndarray, groups: Sequence[Hashable] | None, what: str, scale: float | None = None
) -> Estimate:
    n = int(x.size)
    spread = float(x.std()) if scale is None and n else scale or 0.0
    if n < _LEAST or spread == 0.0 or len(set(y.tolist())) < 2:
        why = f"needs {_LEAST} or more" if n < _LEAST else "all are equal"
        return Estimate(math.nan, math.nan, math.nan, n, _UNIT, f"{what}; not estimated: {why}")
    table = np.column_stack([np.ones(n), x / spread])
    numbers = group_numbers(groups if groups is not None else range(n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = Logit(y, table).fit(disp=0, cov_type="cluster", cov_kwds={"groups": numbers})
            value, se = float(fit.params[1]), float(fit.bse[1])
        except (np.linalg.LinAlgError, PerfectSeparationError):
            value, se = math.nan, math.nan
    if not (math.isfinite(value) and math.isfinite(se)) or abs(value) > 20 or se > 20:
        return Estimate(math.nan, math.nan, math.nan, n, _UNIT, f"{what}; not estimated: the gap decides every choice")
    half = float(stats.norm.ppf(0.975)) * se
    words = f"{what}, for one sd of the gap; robust 95 % by prompt" if scale is None else f"{what}; robust 95 %"
    return Estimate(value, value - half, value + half, n, _UNIT, words, se, int(numbers.max()) + 1)

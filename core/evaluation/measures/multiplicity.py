"""p values and intervals of several questions asked at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests

Adjustment = Literal["holm", "bh", "by"]
"""``holm`` for gates (no false alarm among all), ``bh`` for exploring (share of false alarms), ``by`` the same when the
questions depend on each other in any way."""
_METHODS: dict[str, str] = {"bh": "fdr_bh", "by": "fdr_by"}


def adjusted(p_values: Mapping[str, float], method: Adjustment = "holm") -> dict[str, float]:
    """Return the adjusted p of each question; one that is NaN (nothing was measured) stays so and is not counted.

    Sources: S. Holm, Scand. J. Statist. 6 (1979); Y. Benjamini and Y. Hochberg, JRSS B 57 (1995); Y. Benjamini and
    D. Yekutieli, Ann. Statist. 29 (2001).
    """
    known = [name for name, p in p_values.items() if not math.isnan(p)]
    if not known:
        return dict(p_values)
    found = _holm if method == "holm" else partial(_of_statsmodels, method=_METHODS[method])
    return {**p_values, **{name: float(p) for name, p in zip(known, found([p_values[n] for n in known]), strict=True)}}


def _holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return Holm's adjusted p. ``multipletests`` gives the same, but collects all garbage of the process each time.

    In a window that has run for a while such a collection holds every thread for seconds.
    """
    given = np.asarray(p_values, dtype=float)
    order = np.argsort(given, kind="stable")
    found = np.empty_like(given)
    found[order] = np.minimum(np.maximum.accumulate(given[order] * np.arange(given.size, 0, -1)), 1.0)
    return found


def _of_statsmodels(p_values: Sequence[float], method: str) -> NDArray[np.float64]:
    found: Any = multipletests(p_values, method=method)[1]
    return np.asarray(found)


def simultaneous_level(questions: int, level: float = 0.95) -> float:
    """Return the level of each of ``questions`` intervals that hold together with ``level`` (Bonferroni)."""
    return 1 - (1 - level) / max(1, questions)

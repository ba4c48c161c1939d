"""p values and intervals of several questions asked at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from statsmodels.stats.multitest import multipletests

Adjustment = Literal["holm", "bh", "by"]
"""``holm`` for gates (no false alarm among all), ``bh`` for exploring (share of false alarms), ``by`` the same when the
questions depend on each other in any way."""
_METHODS: dict[Adjustment, str] = {"holm": "holm", "bh": "fdr_bh", "by": "fdr_by"}


def adjusted(p_values: Mapping[str, float], method: Adjustment = "holm") -> dict[str, float]:
    """Return the adjusted p of each question; one that is NaN (nothing was measured) stays so and is not counted.

    Sources: S. Holm, Scand. J. Statist. 6 (1979); Y. Benjamini and Y. Hochberg, JRSS B 57 (1995); Y. Benjamini and
    D. Yekutieli, Ann. Statist. 29 (2001).
    """
    known = [name for name, p in p_values.items() if not math.isnan(p)]
    if not known:
        return dict(p_values)
    found: Any = multipletests([p_values[name] for name in known], method=_METHODS[method])[1]
    return {**p_values, **{name: float(p) for name, p in zip(known, found, strict=True)}}


def simultaneous_level(questions: int, level: float = 0.95) -> float:
    """Return the level of each of ``questions`` intervals that hold together with ``level`` (Bonferroni)."""
    return 1 - (1 - level) / max(1, questions)

"""How answers are written beside what they say, and the win rate that would be left between answers of equal style.

A policy that sounds polite or fills lists can win without being better. Each feature of style is counted in both
answers; a logistic model of winning on all differences tells what they explain together.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import expit
from statsmodels.api import GLM, families

from core.domain.estimate import Estimate
from core.evaluation.measures.means import mean_by_prompt
from core.evaluation.statistics import group_numbers
from core.evaluation.text_counts import list_items, words

FEATURES: Mapping[str, str] = {
    "words": "words",
    "lists": "list items",
    "marks": "headings, bold words, code blocks and table rows",
    "polite": "polite phrases",
}
"""Name of a feature -> what is counted."""
LEAST_PER_TERM = 10
"""Wins and losses, of whichever there are fewer, for each term of the model; with fewer it says little."""
LARGE_GAP = 0.1
"""Of raw and controlled win rate."""
_STEEPEST = 8.0
_MARKS = re.compile(r"^#{1,6} \S|^```|^\|.*\|\s*$|\*\*[^*\n]+\*\*|__[^_\n]+__", re.MULTILINE)
_POLITE = re.compile(
    r"\b(?:please|thank you|thanks|you're welcome|you are welcome|sorry|apologi[sz]e|my apologies|of course|certainly"
    r"|absolutely|happy to|glad to|my pleasure|feel free|let me know|(?:great|good|excellent) question"
    r"|(?:i )?hope (?:this|that) helps|bitte|danke|gern(?:e)?|entschuldig\w*|leider|s'il vous pla[iî]t|merci"
    r"|avec plaisir|désolée?|por favor|gracias|con gusto|lo siento)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class StyleControlled:
    """Win rate, raw and at equal style.

    Attributes:
        slopes: feature -> log-odds for one standard deviation of its difference; above 0 more of it wins.
        warnings: why the controlled number should be read with care; empty when nothing is known against it.
    """

    raw: Estimate
    controlled: Estimate
    slopes: Mapping[str, Estimate] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def style_of(text: str) -> tuple[int, ...]:
    """Return how much of each feature a text has, in the order of :data:`FEATURES`.

    >>> style_of("Of course! **Two** things:\\n- oil\\n- wipe")
    (6, 2, 1, 1)
    """
    return words(text), list_items(text), len(_MARKS.findall(text)), len(_POLITE.findall(text))


def style_controlled(
    scores: ArrayLike, differences: ArrayLike, groups: Sequence[Hashable] | None = None
) -> StyleControlled:
    """Return the win rate that a logistic model expects between answers of equal style.

    log-odds of winning = intercept + sum of slope * tanh(difference / sd) over the features that differ anywhere; the
    controlled rate is sigma(intercept); intervals by prompt. It is the model of length control with more features.

    Args:
        scores: (n,) 1 won, 1/2 tie, 0 lost.
        differences: (n, features) of :func:`style_of`, this answer's minus the other's.
        groups: (n,) the prompt of each; None when each has its own.
    """
    y = np.asarray(scores, dtype=np.float64)
    d = np.asarray(differences, dtype=np.float64).reshape(y.size, len(FEATURES))
    raw = mean_by_prompt(y, groups, what="(wins + ties / 2) / all")
    spread = d.std(axis=0) if y.size else np.zeros(len(FEATURES))
    used = [name for name, sd in zip(FEATURES, spread, strict=True) if sd > 0]
    n = int(y.size)
    if not used or n < len(used) + 3 or float(y.std()) == 0:
        why = "All answers are written alike." if not used else "There are too few outcomes of either kind."
        return StyleControlled(raw, _unknown(n), warnings=(f"{why} Style cannot be controlled for.",))
    table = np.column_stack([np.ones(n), np.tanh(d[:, spread > 0] / spread[spread > 0])])
    numbers = group_numbers(groups if groups is not None else range(n))
    fitted = _fitted(y, table, numbers)
    if fitted is None:
        why = "Style decides nearly every pair: what else matters cannot be told apart from it."
        return StyleControlled(raw, _unknown(n), warnings=(why,))
    values, errors = fitted
    count = int(numbers.max()) + 1
    half = float(stats.t.ppf(0.975, max(1, count - 1))) * errors
    value, low, high = (float(expit(values[0] + by)) for by in (0.0, -half[0], half[0]))
    what = "win rate at equal style (logistic, tanh of each difference); by prompt 95 %"
    controlled = Estimate(value, low, high, n, "", what, groups=count)
    slopes = {
        name: Estimate(
            float(values[at]), float(values[at] - half[at]), float(values[at] + half[at]), n, "log-odds",
            f"slope of {FEATURES[name]}, tanh of the difference by its sd; by prompt 95 %", float(errors[at]), count,
        )
        for at, name in enumerate(used, 1)
    }  # fmt: skip
    return StyleControlled(raw, controlled, slopes, tuple(_cautions(raw.value, controlled.value, y, len(used))))


def _fitted(
    y: NDArray[np.float64], table: NDArray[np.float64], numbers: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return coefficients and cluster-robust errors; None where some slope has no finite maximum."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of perfect separation: the size of the slopes tells it
        found = GLM(y, table, family=families.Binomial()).fit(cov_type="cluster", cov_kwds={"groups": numbers})
    values, errors = np.asarray(found.params, dtype=np.float64), np.asarray(found.bse, dtype=np.float64)
    if not np.isfinite(values).all() or not np.isfinite(errors).all() or np.abs(values).max() > _STEEPEST:
        return None
    return values, errors


def _unknown(n: int) -> Estimate:
    return Estimate(math.nan, math.nan, math.nan, n, "", "win rate at equal style; not identified")


def _cautions(raw: float, controlled: float, y: NDArray[np.float64], features: int) -> list[str]:
    found = []
    if abs(raw - controlled) > LARGE_GAP:
        found.append(f"Raw {raw:.0%} and style-controlled {controlled:.0%} lie far apart: style explains much of it.")
    if (raw - 0.5) * (controlled - 0.5) < 0:
        found.append("Raw and style-controlled win rate are on different sides of one half.")
    if min((y > 0.5).sum(), (y < 0.5).sum()) < LEAST_PER_TERM * (features + 1):
        found.append(f"{features + 1} terms of style from so few wins and losses: they are uncertain.")
    return found

"""How far two sets of prompts lie apart: training, suites, feedback."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

import numpy as np
from scipy.spatial.distance import jensenshannon
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from core.domain.estimate import Estimate
from core.evaluation.measures.means import bootstrap_by_prompt
from core.evaluation.measures.memorisation import auc

PSI_SMALL, PSI_LARGE = 0.1, 0.25
"""Customary limits of the population stability index: below the first no shift, above the second a large one."""
_FLOOR = 0.5
_FOLDS = 5
_MOST_TEXTS = 4000
Measure = Callable[[np.ndarray, np.ndarray], float]
"""From the counts of each category in two sets to a number."""


def js_divergence(first: Sequence[Hashable], second: Sequence[Hashable]) -> Estimate:
    """Return the Jensen-Shannon divergence of two mixes of categories, in nats: 0 for equal ones, at most ln 2.

    The value is biased upwards in small samples; the interval is a bootstrap over items.

    Args:
        first: the category of each item of one set.
        second: the same of the other.
    """
    return _of_mixes(first, second, _js, "nats", "Jensen-Shannon divergence")


def psi(first: Sequence[Hashable], second: Sequence[Hashable]) -> Estimate:
    """Return the population stability index of two mixes of categories; half an item stands for an empty category.

    PSI = sum over categories of (q - p) ln(q / p).
    """
    return _of_mixes(first, second, _psi, "", "population stability index")


def two_sample_auc(
    first: Sequence[str],
    second: Sequence[str],
    groups: Sequence[Hashable] | None = None,
) -> Estimate:
    """Return how well a classifier tells texts of one set from those of the other, out of fold; one half is not at all.

    TF-IDF of words and a logistic regression; texts of one group are never in training and test fold at once. Source:
    D. Lopez-Paz and M. Oquab, arXiv 1610.06545. At most 4,000 texts of each set are used, spread over all.

    Args:
        first: texts of one set.
        second: texts of the other.
        groups: the prompt group of each text, those of ``first`` first; None when each text is its own.
    """
    own = list(groups) if groups is not None else [*first, *second]
    one, two = (_spread(range(n), at) for n, at in ((len(first), 0), (len(second), len(first))))
    texts = [*first, *second]
    rows = [*one, *two]
    target = np.array([1] * len(one) + [0] * len(two))
    names = [own[i] for i in rows]
    if min(len(one), len(two)) < _FOLDS or len(set(names)) < _FOLDS:
        return Estimate(math.nan, 0.0, 1.0, len(rows), "", "AUC of a classifier; too few texts")
    scores = np.zeros(len(rows))
    chosen = [texts[i] for i in rows]
    places = {name: i for i, name in enumerate(dict.fromkeys(names))}
    for train, test in GroupKFold(_FOLDS, shuffle=True, random_state=0).split(rows, target, [places[n] for n in names]):
        if len(set(target[train])) < 2:
            continue
        vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True, max_features=20_000, token_pattern=r"(?u)\b\w+\b")
        try:
            features = vectorizer.fit_transform([chosen[i] for i in train])
        except ValueError:
            continue  # no word stands in two texts: nothing can be told apart, and one half stays
        model = LogisticRegression(solver="liblinear").fit(features, target[train])
        scores[test] = model.decision_function(vectorizer.transform([chosen[i] for i in test]))
    what = "AUC of a classifier on words, out of fold"
    return auc(scores[target == 1], scores[target == 0], names, what)


def _spread(items: range, offset: int) -> list[int]:
    step = max(1, -(-len(items) // _MOST_TEXTS))
    return [offset + i for i in items[::step]]


def _of_mixes(
    first: Sequence[Hashable], second: Sequence[Hashable], measure: Measure, unit: str, what: str
) -> Estimate:
    names = list(dict.fromkeys([*first, *second]))
    place = {name: i for i, name in enumerate(names)}
    if not first or not second:
        return Estimate(math.nan, math.nan, math.nan, len(first) + len(second), unit, f"{what}; one set is empty")
    rows = np.array([(0, place[c]) for c in first] + [(1, place[c]) for c in second], dtype=np.float64)

    def statistic(drawn: np.ndarray) -> float:
        side, kind = drawn[:, 0].astype(int), drawn[:, 1].astype(int)
        counts = [np.bincount(kind[side == s], minlength=len(names)).astype(float) for s in (0, 1)]
        return measure(counts[0], counts[1]) if min(c.sum() for c in counts) > 0 else math.nan

    return bootstrap_by_prompt(statistic, rows, None, unit, what, draws=500)


def _js(p: np.ndarray, q: np.ndarray) -> float:
    return float(jensenshannon(p, q) ** 2)


def _psi(p: np.ndarray, q: np.ndarray) -> float:
    a, b = np.maximum(p, _FLOOR), np.maximum(q, _FLOOR)
    a, b = a / a.sum(), b / b.sum()
    return float(((b - a) * np.log(b / a)).sum())


def mix_of(categories: Sequence[Hashable]) -> dict[Hashable, float]:
    """Return category -> share."""
    counts = Counter(categories)
    return {name: count / len(categories) for name, count in counts.items()}

"""How far two collections of prompts are apart: lengths, languages, categories, and whether they can be told apart.

The Jensen-Shannon divergence is 1/2 KL(P || M) + 1/2 KL(Q || M) with M the mean of both, in nats, from 0 for the same
shares to ln 2 for shares without overlap (Lin 1991, Divergence measures based on the Shannon entropy). The population
stability index is sum (q - p) ln(q / p), with half a prompt added to every value so that a value that one side lacks
counts and stays finite; 0.1 and 0.25 are customary marks for a small and a large shift. Small samples differ by chance
alone, so each comes with the 95 % point of what chance gives. The classifier two-sample
test (Lopez-Paz and Oquab 2017) gives the probability that a classifier, trained on other prompts, ranks a prompt of the
second collection above one of the first: 0.5 when nothing tells them apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import rel_entr
from scipy.stats import rankdata
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from core.domain.estimate import Z95, Estimate
from core.domain.text_language import text_language
from core.domain.text_length import text_length

MOST = 3000
"""Prompts of a collection that are looked at; of larger ones a random part."""
LEAST = 10
"""Prompts below which a collection is not compared."""
_BINS, _DRAWS, _FOLDS, _FEATURES = 10, 400, 5, 1 << 16
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class PromptCollection:
    """Prompts of one origin: what was asked, and the category of each, "" where it has none."""

    name: str
    texts: tuple[str, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Divergence:
    """A Jensen-Shannon divergence in nats, and the 95 % point of what samples of this size give by chance.

    Attributes:
        psi, psi_chance: the population stability index of the same shares, and the same point of it.
    """

    estimate: Estimate
    chance: float
    psi: Estimate
    psi_chance: float

    @property
    def beyond_chance(self) -> bool:
        """Whether it is larger than chance explains."""
        return self.estimate.value > self.chance


@dataclass(frozen=True, slots=True)
class ShiftComparison:
    """Two collections compared.

    Attributes:
        n_first, n_second: prompts that were looked at.
        auc: of the classifier that tells the second from the first.
        shares: what (length, language, category) -> value -> its share in the first and in the second.
    """

    first: str
    second: str
    n_first: int
    n_second: int
    length: Divergence
    language: Divergence
    category: Divergence
    auc: Estimate
    shares: dict[str, dict[str, tuple[float, float]]]


def compare(first: PromptCollection, second: PromptCollection, seed: int = 0) -> ShiftComparison:
    """Compare two collections; the result depends on the seed only through random parts and resampling."""
    draw = np.random.default_rng(seed)
    one, other = _part(first, draw), _part(second, draw)
    lengths = [[text_length(text).count for text in part.texts] for part in (one, other)]
    edges = np.unique(np.quantile(np.concatenate(lengths), np.linspace(0, 1, _BINS + 1)[1:-1])) if all(lengths) else []
    values = {
        "length": [[_bin_name(np.asarray(edges), count) for count in counts] for counts in lengths],
        "language": [[text_language(text) for text in part.texts] for part in (one, other)],
        "category": [[name for name in part.categories if name] for part in (one, other)],
    }
    found = {what: divergence(sides[0], sides[1], draw) for what, sides in values.items()}
    return ShiftComparison(
        first=first.name,
        second=second.name,
        n_first=len(one.texts),
        n_second=len(other.texts),
        **found,
        auc=two_sample_auc(one.texts, other.texts, seed),
        shares={what: _shares(*sides) for what, sides in values.items()},
    )


def divergence(first: Sequence[str], second: Sequence[str], draw: np.random.Generator) -> Divergence:
    """Return the divergence of the shares of two lists of values.

    The interval is the reverse percentile one of a bootstrap of both lists, which takes out the bias that resampling
    adds; chance is the 95 % point over random divisions of both lists together. NaN below :data:`LEAST` values.
    """
    n, names = min(len(first), len(second)), sorted({*first, *second})
    how = ("Jensen-Shannon divergence, reverse percentile bootstrap", "PSI, reverse percentile bootstrap")
    if n < LEAST:
        none = [Estimate(_NAN, _NAN, _NAN, n, unit, words) for unit, words in zip(("nats", ""), how, strict=True)]
        return Divergence(none[0], _NAN, none[1], _NAN)
    counts = [np.array([values.count(name) for name in names]) for values in (first, second)]
    sizes = len(first), len(second)
    resampled = [draw.multinomial(size, count / size, _DRAWS) for size, count in zip(sizes, counts, strict=True)]
    mixed = draw.multivariate_hypergeometric(counts[0] + counts[1], sizes[0], _DRAWS)
    chance = [mixed, counts[0] + counts[1] - mixed]
    js, js_chance = _with_chance(_js, counts, resampled, chance, Estimate(0, 0, math.log(2), n, "nats", how[0]))
    psi, psi_chance = _with_chance(_psi, counts, resampled, chance, Estimate(0, 0, math.inf, n, "", how[1]))
    return Divergence(js, js_chance, psi, psi_chance)


def _with_chance(
    measure: Callable[..., np.ndarray],
    counts: Sequence[np.ndarray],
    resampled: Sequence[np.ndarray],
    chance: Sequence[np.ndarray],
    shape: Estimate,
) -> tuple[Estimate, float]:
    """Return a measure of two counts, between the ends that ``shape`` has, and its 95 % point by chance."""
    value = float(measure(*counts))
    low, high = (2 * value - float(point) for point in np.quantile(measure(*resampled), (0.975, 0.025)))
    low, high = max(shape.low, min(low, value)), min(shape.high, max(high, value))
    return replace(shape, value=value, low=low, high=high), float(np.quantile(measure(*chance), 0.95))


def two_sample_auc(first: Sequence[str], second: Sequence[str], seed: int = 0) -> Estimate:
    """Return the AUC of a logistic classifier of character n-grams, scored on prompts that it was not trained on.

    Equal prompts are in one fold. Interval by DeLong, DeLong and Clarke-Pearson (1988), clipped to [0, 1]. NaN below
    :data:`LEAST` different prompts of a side.
    """
    texts, side = [*first, *second], np.array([0] * len(first) + [1] * len(second))
    n = min(len(first), len(second))
    how = f"logistic classifier of character n-grams, {_FOLDS}-fold, DeLong interval"
    if min(len(set(first)), len(set(second))) < LEAST:
        return Estimate(_NAN, _NAN, _NAN, n, "", how)
    number = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    groups = np.array([number[text] for text in texts])
    grams = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=_FEATURES, alternate_sign=False)
    rows, scores = grams.transform(texts), np.zeros(len(texts))
    for train, held_out in StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed).split(rows, side, groups):
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=200).fit(rows[train], side[train])
        scores[held_out] = model.decision_function(rows[held_out])
    return auc_estimate(scores[side == 0], scores[side == 1], how)


def auc_estimate(negatives: np.ndarray, positives: np.ndarray, estimator: str) -> Estimate:
    """Return the probability that a positive score is above a negative one, ties counting one half."""
    m, n = len(positives), len(negatives)
    ranks = rankdata(np.concatenate((positives, negatives)))
    above = (ranks[:m] - rankdata(positives)) / n
    below = 1 - (ranks[m:] - rankdata(negatives)) / m
    value = float(above.mean())
    se = math.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n)
    return Estimate(value, max(0.0, value - Z95 * se), min(1.0, value + Z95 * se), min(m, n), "", estimator, se=se)


def _js(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the divergence of the shares that counts give, along the last axis."""
    p, q = (counts / counts.sum(axis=-1, keepdims=True) for counts in (one, other))
    middle = (p + q) / 2
    return (rel_entr(p, middle).sum(axis=-1) + rel_entr(q, middle).sum(axis=-1)) / 2


def _psi(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the population stability index of the shares that counts give, along the last axis."""
    half = 0.5
    p, q = ((c + half) / (c.sum(axis=-1, keepdims=True) + half * c.shape[-1]) for c in (one, other))
    return ((q - p) * np.log(q / p)).sum(axis=-1)


def _shares(first: Sequence[str], second: Sequence[str]) -> dict[str, tuple[float, float]]:
    sides = [(values, max(1, len(values))) for values in (first, second)]
    return {
        name: (sides[0][0].count(name) / sides[0][1], sides[1][0].count(name) / sides[1][1])
        for name in dict.fromkeys((*first, *second))
    }


def _part(whole: PromptCollection, draw: np.random.Generator) -> PromptCollection:
    if len(whole.texts) <= MOST:
        return whole
    chosen = sorted(draw.choice(len(whole.texts), MOST, replace=False))
    texts, categories = (tuple(values[at] for at in chosen) for values in (whole.texts, whole.categories))
    return PromptCollection(whole.name, texts, categories)


def _bin_name(edges: np.ndarray, count: int) -> str:
    at = int(np.searchsorted(edges, count, side="left"))
    if at == len(edges):
        return f"over {edges[-1]:g}" if len(edges) else "any"
    return f"up to {edges[at]:g}"

"""Choosing a threshold on one set and measuring it on another: error rates, DET points, costs.

A case is positive when its score is at or above the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import det_curve

from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.threshold import DetPoint, ErrorCosts, ErrorRates, Threshold, ThresholdUse
from core.evaluation.guard_scores import AnswerDetector, Case, prompt_text
from core.evaluation.measures.shares import exact_share

MOST_POINTS = 200
"""Points of a DET curve that are kept; they are spread over all."""


class DecidedPair(Protocol):
    """Two answers of which people chose one: a training pair, or an item of a suite."""

    @property
    def prompt(self) -> Prompt: ...  # noqa: D102
    @property
    def chosen(self) -> str: ...  # noqa: D102
    @property
    def rejected(self) -> str: ...  # noqa: D102
    @property
    def is_tie(self) -> bool: ...  # noqa: D102


def answers_of(pairs: Iterable[DecidedPair]) -> tuple[list[Case], list[Case]]:
    """Return the chosen and the rejected answers with their prompts, each once; ties say nothing."""
    decided = [pair for pair in pairs if not pair.is_tie]
    chosen = dict.fromkeys((prompt_text(pair.prompt), pair.chosen) for pair in decided)
    rejected = dict.fromkeys((prompt_text(pair.prompt), pair.rejected) for pair in decided)
    return list(chosen), list(rejected)


def scored_pairs(
    detector: AnswerDetector, pairs: Sequence[DecidedPair], use: ThresholdUse
) -> tuple[list[float], list[bool]]:
    """Return scores and truth of examples that the labels of pairs give.

    A guardrail: each chosen answer is a negative, which should pass, and each rejected one a positive, which should be
    stopped. Accepting labels: the detector's verdict is the answer that it objects to less, its score how much less;
    a case is positive when people gave the same verdict.
    """
    if use == "guardrail":
        chosen, rejected = answers_of(pairs)
        return detector.scores([*chosen, *rejected]), [False] * len(chosen) + [True] * len(rejected)
    decided = [pair for pair in pairs if not pair.is_tie]
    prompts = [prompt_text(pair.prompt) for pair in decided]
    better = detector.scores([(text, pair.chosen) for text, pair in zip(prompts, decided, strict=True)])
    worse = detector.scores([(text, pair.rejected) for text, pair in zip(prompts, decided, strict=True)])
    gaps = [bad - good for good, bad in zip(better, worse, strict=True)]
    return [abs(gap) for gap in gaps], [gap > 0 for gap in gaps]


def error_rates(scores: ArrayLike, truth: ArrayLike, value: float, on: str) -> ErrorRates:
    """Return FPR and FNR of a threshold with Clopper-Pearson intervals.

    Args:
        scores: (n,) of the detector.
        truth: (n,) true for a positive.
        value: the threshold.
        on: what the examples are, in words.

    Raises:
        BadInput: without positives or without negatives, or when the two are not of the same examples.
    """
    x, positive = _checked(scores, truth)
    flagged = x >= value
    fpr = exact_share(int((flagged & ~positive).sum()), int((~positive).sum()), "false positive rate")
    fnr = exact_share(int((~flagged & positive).sum()), int(positive.sum()), "false negative rate")
    return ErrorRates(fpr, fnr, on)


def det_points(scores: ArrayLike, truth: ArrayLike) -> tuple[DetPoint, ...]:
    """Return (threshold, FPR, FNR) along all thresholds that differ, at most ``MOST_POINTS`` of them.

    Source: A. Martin et al., The DET curve in assessment of detection task performance, Eurospeech 1997.

    Raises:
        BadInput: without positives or without negatives.
    """
    x, positive = _checked(scores, truth)
    if positive.all() or not positive.any():
        raise BadInput("A DET curve needs positive and negative examples.", "Add labelled examples of the other kind.")
    found: Any = det_curve(positive, x)
    fpr, fnr, values = (np.asarray(part, dtype=np.float64) for part in found)
    kept = np.isfinite(values)
    points = list(zip(values[kept].tolist(), fpr[kept].tolist(), fnr[kept].tolist(), strict=True))
    if len(points) > MOST_POINTS:
        places = np.unique(np.linspace(0, len(points) - 1, MOST_POINTS).round().astype(int))
        points = [points[place] for place in places]
    return tuple(points)


def rates_along(threshold: Threshold) -> list[ErrorRates]:
    """Return the error rates at each point of its DET curve, with intervals, on the set that it was chosen on."""
    dev = threshold.dev
    return [
        ErrorRates(
            exact_share(round(fpr * dev.fpr.n), dev.fpr.n, "false positive rate"),
            exact_share(round(fnr * dev.fnr.n), dev.fnr.n, "false negative rate"),
            dev.on,
        )
        for _, fpr, fnr in threshold.det
    ]


def cost_curve(points: Sequence[DetPoint], costs: ErrorCosts) -> list[tuple[float, float]]:
    """Return (threshold, expected cost of one case) for each DET point."""
    return [(value, costs.of(fpr, fnr)) for value, fpr, fnr in points]


def cheapest(scores: ArrayLike, truth: ArrayLike, costs: ErrorCosts) -> float:
    """Return the score at which a threshold costs least on these examples; of equal ones the highest.

    Raises:
        BadInput: without positives or without negatives.
    """
    x, positive = _checked(scores, truth)
    if positive.all() or not positive.any():
        raise BadInput("A threshold needs positive and negative examples.", "Add labelled examples of the other kind.")
    values = np.unique(x)
    fpr = 1 - np.searchsorted(np.sort(x[~positive]), values) / (~positive).sum()
    fnr = np.searchsorted(np.sort(x[positive]), values) / positive.sum()
    found = [costs.of(float(p), float(n)) for p, n in zip(fpr, fnr, strict=True)]
    best = min(found)
    return float(max(value for value, cost in zip(values, found, strict=True) if cost <= best + 1e-15))


def confirmed(threshold: Threshold, scores: ArrayLike, truth: ArrayLike, on: str) -> Threshold:
    """Return the threshold with its error rates on a set on which nothing was chosen.

    Raises:
        BadInput: when it is the set on which it was chosen, or lacks positives or negatives.
    """
    if on == threshold.dev.on:
        raise BadInput(
            f"{on} is the set on which the threshold was chosen; it cannot confirm it.", "Name a held-out set."
        )
    return replace(threshold, held_out=error_rates(scores, truth, threshold.value, on))


def _checked(scores: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, positive = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=bool)
    if x.shape != positive.shape or x.ndim != 1:
        raise BadInput(f"{x.size} scores and {positive.size} labels are not of the same examples.")
    if not np.isfinite(x).all():
        raise BadInput("A score is not a finite number.", "Leave out examples without a score.")
    return x, positive

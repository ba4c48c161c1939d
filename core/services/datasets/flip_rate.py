"""Measure how often labels are flipped; the rate becomes the label smoothing of a loss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from core.domain.errors import UsageError
from core.domain.label_noise import NoiseCounts, NoiseReport, ReviewerNoise, flip_rate
from core.store import retest_pairs, reviewers
from core.store.sqlite.database import Session

MOST = 0.4999
"""The largest label smoothing that a loss accepts; at 0.5 labels carry no information."""


def measure(session: Session, dataset_id: int | None = None) -> NoiseReport:
    """Return the measurement over the workspace, or over the reviewers and rubrics behind a dataset version."""
    found: dict[int, NoiseCounts] = defaultdict(NoiseCounts)
    for one in retest_pairs.retests(session, dataset_id):
        found[one.reviewer_id] += _retest(one.strength, one.first)
    for one in retest_pairs.golds(session, dataset_id):
        found[one.reviewer_id] += _gold(one.strength, one.first)
    each = sorted((reviewers.get(session, key).name, counts) for key, counts in found.items())
    total = _sum(counts for _, counts in each)
    named = tuple(ReviewerNoise(name, counts, flip_rate(counts)) for name, counts in each)
    return NoiseReport(total, flip_rate(total), named)


def smoothing(report: NoiseReport, of: str) -> float:
    """Return the label smoothing that the measurement gives.

    Raises:
        UsageError: nothing was measured, or the labels are no better than chance.
    """
    if report.flip is None:
        raise UsageError(
            f"The flip rate of {of} is not measured: there are no retest or gold answers behind it.",
            "Have some pairs judged a second time, or set label_smoothing to a number such as 0.1.",
        )
    if report.flip.rate > MOST:
        raise UsageError(f"The labels of {of} are no better than chance. {report.sentence()}", "Do not train on them.")
    return report.flip.rate


def _sum(counts: Iterable[NoiseCounts]) -> NoiseCounts:
    total = NoiseCounts()
    for one in counts:
        total += one
    return total


def _retest(second: int | None, first: int | None) -> NoiseCounts:
    if second is None or first is None:
        return NoiseCounts(undecided=1)
    return NoiseCounts(retests=1, changed=int((second > 0) != (first > 0)))


def _gold(second: int | None, right: int | None) -> NoiseCounts:
    if second is None or right is None:
        return NoiseCounts(undecided=1)
    return NoiseCounts(golds=1, missed=int((second > 0) != (right > 0)))

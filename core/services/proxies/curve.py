"""The over-optimisation curve of a run: its evaluated checkpoints by their distance from the reference."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.domain.errors import UserError
from core.domain.estimate import Z95, Estimate
from core.domain.measured_evidence import MeasuredEvidence
from core.domain.proxies import CheckpointCurve, CurveCheckpoint, FittedCurve
from core.evaluation.measures.over_optimisation import fit_curve, over_optimised

UNIT = "√nats"
_ALARM = "Over-optimised: the preference accuracy rose further while people came to like the answers less."
_PLACES = 60
"""Places at which a curve is drawn."""
_HALF = 0.5
"""Preference accuracy and win rate of the reference: gains are counted from it."""
Taken = Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class MeasuredCheckpoint:
    """An evaluated checkpoint: its evidence, the win rate by people, and the titles of proxies with an alarm."""

    evaluation_id: str
    name: str
    step: int
    evidence: MeasuredEvidence
    people: Estimate | None = None
    alarms: tuple[str, ...] = ()


def curve_of(measured: Sequence[MeasuredCheckpoint]) -> CheckpointCurve:
    """Return points and curves of a run's checkpoints.

    KL and accuracy of different prompts cannot be compared, so each is taken from one suite: the one on which most
    checkpoints were measured. A checkpoint that was evaluated several times counts once, by the evaluation that has
    more of the numbers, of equal ones by the first given.

    Args:
        measured: by step, of one step the newest first.
    """
    suite = commonest_suite(_taken(one, "preference_accuracy") for one in measured)
    kl_suite = commonest_suite((_taken(one, "sequence_kl") for one in measured), suite)
    points: dict[int, CurveCheckpoint] = {}
    without: dict[int, str] = {}
    for one in measured:
        kl = _taken(one, "sequence_kl").get(kl_suite)
        if kl is None or kl.value <= 0:
            without.setdefault(one.step, _why(one, kl, kl_suite))
            continue
        accuracy = _taken(one, "preference_accuracy").get(suite)
        people = one.people if one.people is not None and math.isfinite(one.people.value) else None
        made = CurveCheckpoint(one.evaluation_id, one.name, one.step, distance_of(kl), accuracy, people, one.alarms)
        if one.step not in points or _known(made) > _known(points[one.step]):
            points[one.step] = made
    found = tuple(points.values())
    fits = (_fitted("preference_accuracy", found, _accuracy), _fitted("win_rate", found, _people))
    left_out = tuple(words for step, words in without.items() if step not in points)
    return CheckpointCurve(found, kl_suite, suite, fits, left_out, _alarm(found))


def distance_of(kl: Estimate) -> Estimate:
    """Return the square root of a KL above 0 with its interval; an end below 0 becomes 0.

    >>> distance_of(Estimate(4.0, -1.0, 9.0, 8, "nats", "mean"))
    Estimate(value=2.0, low=0.0, high=3.0, n=8, unit='√nats', estimator='square root of: mean', se=None, groups=0)
    """
    low, high = (math.sqrt(max(0.0, end)) if math.isfinite(end) else math.nan for end in (kl.low, kl.high))
    words = f"square root of: {kl.estimator}"
    return replace(kl, value=math.sqrt(kl.value), low=low, high=high, unit=UNIT, estimator=words, se=None)


def known_of(evidence: MeasuredEvidence, metric: str) -> Taken:
    """Return a number of the policy by suite, where it was measured."""
    return {suite: found for suite, found in evidence.of(metric) if math.isfinite(found.value)}


def _taken(one: MeasuredCheckpoint, metric: str) -> Taken:
    return known_of(one.evidence, metric)


def commonest_suite(found: Iterable[Taken], liked: str = "") -> str:
    """Return the suite that most policies have, of equal ones ``liked``, else the first by name; "" without any."""
    counts = Counter(suite for taken in found for suite in taken)
    return min(counts, key=lambda suite: (-counts[suite], suite != liked, suite), default="")


def _why(one: MeasuredCheckpoint, kl: Estimate | None, suite: str) -> str:
    if kl is not None:
        return f"{one.name}: its KL on {suite} is estimated as {kl.value:.3g} nats, not above 0; ask for more prompts."
    return f"{one.name}: its KL was not measured{f' on {suite}' if suite else ''}."


def _known(point: CurveCheckpoint) -> int:
    return (point.people is not None) + (point.accuracy is not None)


def _accuracy(point: CurveCheckpoint) -> Estimate | None:
    return point.accuracy


def _people(point: CurveCheckpoint) -> Estimate | None:
    return point.people


def _pairs(
    points: Sequence[CurveCheckpoint], number: Callable[[CurveCheckpoint], Estimate | None]
) -> Iterator[tuple[float, Estimate]]:
    for point in points:
        if (found := number(point)) is not None:
            yield point.distance.value, found


def _fitted(
    name: str, points: Sequence[CurveCheckpoint], number: Callable[[CurveCheckpoint], Estimate | None]
) -> FittedCurve:
    """Return the curve through one number; checkpoints weigh by their intervals where all have one."""
    pairs = list(_pairs(points, number))
    distances, gains = [d for d, _ in pairs], [one.value - _HALF for _, one in pairs]
    weighed = bool(pairs) and all(one.has_interval for _, one in pairs)
    errors = [(one.high - one.low) / (2 * Z95) for _, one in pairs] if weighed else None
    try:
        found = fit_curve(distances, gains, errors)
    except UserError as error:
        return FittedCurve(name, missing=f"{error.message} {error.hint}".strip())
    places = np.linspace(0.0, max(distances), _PLACES)
    path = tuple(zip(places.tolist(), (_HALF + found.at(places)).tolist(), strict=True))
    gain, decay = replace(found.gain, unit=f"1/{UNIT}"), replace(found.decay, unit=f"1/{UNIT}")
    return FittedCurve(name, gain, decay, replace(found.peak, unit=UNIT), found.residual, path)


def _alarm(points: Sequence[CurveCheckpoint]) -> str:
    both = [(one.accuracy, one.people) for one in points if one.accuracy is not None and one.people is not None]
    return _ALARM if over_optimised([one.value for one, _ in both], [gold for _, gold in both]) else ""

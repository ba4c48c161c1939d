"""A suite's numbers in a target mix of one slice: means of slices, weighed anew (post-stratification)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from core.domain.errors import BadInput
from core.domain.estimate import Estimate
from core.domain.reweighed import ReweighedMetric
from core.evaluation.measures.slices import by_slice
from core.runs.evaluations.columns import Column
from core.runs.evaluations.paired import SuiteValues


def normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights that add up to 1, in their order; those of 0 are left out.

    Raises:
        BadInput: for a weight that is no number from 0 up, or where all are 0.
    """
    if any(not math.isfinite(weight) or weight < 0 for weight in weights.values()):
        raise BadInput("A weight of a slice is a number from 0 up.", "Write VALUE=WEIGHT, such as chat=0.7.")
    total = math.fsum(weights.values())
    if total <= 0:
        raise BadInput("The target mix has no weight.", "Give at least one value a weight above 0.")
    return {value: weight / total for value, weight in weights.items() if weight > 0}


def reweighed(
    values: SuiteValues, slices: Mapping[str, str], mix: Mapping[str, float], smallest: int
) -> tuple[ReweighedMetric, ...]:
    """Return each primary metric of policy and reference in the target mix.

    Args:
        values: of both, by the detector of today.
        slices: value of the slice by item; items without one are in no number.
        mix: weight of each value. Values without items are left out, and the others weigh more.
        smallest: items that a slice needs to count in the alarm.
    """
    found = []
    for metric, own in values.policy.items():
        before = values.reference.get(metric)
        if not own.is_primary or before is None:
            continue
        ids = sorted(id_ for id_ in own.values.keys() & before.values.keys() if slices.get(id_))
        if not ids:
            continue
        of, groups = [slices[id_] for id_ in ids], [values.groups[id_] for id_ in ids]
        changes = [own.values[id_] - before.values[id_] for id_ in ids]
        report = by_slice(changes, of, groups, mix=mix, unit=own.unit, least=smallest)
        policy, reference = (
            _level(column, by_slice([column.values[i] for i in ids], of, groups, mix=mix, unit=own.unit).standardised)
            for column in (own, before)
        )
        found.append(ReweighedMetric(metric, policy, reference, report.standardised, report.pooled, report.alarm))
    return tuple(found)


def _level(column: Column, found: Estimate) -> Estimate:
    """Return an estimate whose interval stays among shares where the column holds shares."""
    if column.unit or not found.has_interval:
        return found
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))

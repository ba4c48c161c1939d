"""The evidence of an evaluation as values again: what ``evidence.json`` holds, read with care."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.errors import BadInput
from core.domain.estimate import Estimate
from core.domain.evidence import evidence_line

Measured = Mapping[str, Mapping[str, Mapping[str, Estimate]]]
"""Suite title -> metric -> arm -> estimate."""


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """How an arm differs from the reference on one slice of a suite, in one metric."""

    suite: str
    slice: str
    value: str
    metric: str
    arm: str
    items: int
    difference: Estimate

    @property
    def title(self) -> str:
        """The slice in words."""
        return f"{self.suite}, {self.slice} {self.value}, {self.metric}"


@dataclass(frozen=True, slots=True)
class MeasuredSuite:
    """A suite as it was evaluated: ``items`` of ``of``, named by ``sha256``; ``sealed`` for a sealed test."""

    title: str
    sha256: str
    items: int
    of: int
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class MeasuredEvidence:
    """Every number of an evaluation.

    Attributes:
        run: id, name, step, fingerprint, dataset of the run that is evaluated.
        arms: kind by name.
        metrics: the estimates. differences: arm minus reference on the same items.
        unguarded: arm with a guardrail minus the same arm without it.
        slices: the differences on slices that are large enough.
        watermarks: what every page that shows numbers of it must say.
        kl_budget: of the evaluation, nats; 0 for none.
    """

    evaluation_id: str = ""
    run: Mapping[str, Any] = field(default_factory=dict)
    arms: Mapping[str, str] = field(default_factory=dict)
    suites: Mapping[str, MeasuredSuite] = field(default_factory=dict)
    metrics: Measured = field(default_factory=dict)
    differences: Measured = field(default_factory=dict)
    slices: tuple[SliceDifference, ...] = ()
    watermarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    kl_budget: float = 0.0
    unguarded: Measured = field(default_factory=dict)

    @property
    def aligned(self) -> str:
        """Name of the arm that is judged: the trained policy; "" where there is none."""
        return next((name for name, kind in self.arms.items() if kind == "aligned"), "")

    def of(self, metric: str, arm: str = "") -> Iterator[tuple[str, Estimate]]:
        """Yield suite and estimate of a metric, of the policy unless another arm is named."""
        yield from _named(self.metrics, metric, arm or self.aligned)

    def changes(self, metric: str) -> Iterator[tuple[str, Estimate]]:
        """Yield suite and difference to the reference of a metric of the policy."""
        yield from _named(self.differences, metric, self.aligned)

    def line(self) -> dict[str, Any]:
        """Return the last line of ``evaluate --json``.

        The paired difference of a metric to the reference stands beside it as ``<metric>.difference``, that of a
        guarded arm to the same arm without its guardrail as ``<metric>.guarding``.
        """
        beside = (("difference", self.differences), ("guarding", self.unguarded))
        named = {
            title: {
                **metrics,
                **{f"{name}.{end}": arms for end, found in beside for name, arms in found.get(title, {}).items()},
            }
            for title, metrics in self.metrics.items()
        }
        return evidence_line(named)

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> MeasuredEvidence:
        """Return the content of ``evidence.json``; parts that a newer version added are left out.

        Raises:
            BadInput: when it is none.
        """
        try:
            suites: Mapping[str, Any] = row["suites"]
            return cls(
                evaluation_id=str(row.get("evaluation_id", "")),
                run=dict(row.get("run", {})),
                arms={name: str(arm["kind"]) for name, arm in row["arms"].items()},
                suites={title: _suite(title, one) for title, one in suites.items()},
                metrics={title: _metrics(one.get("metrics", {})) for title, one in suites.items()},
                differences={title: _metrics(one.get("differences", {})) for title, one in suites.items()},
                slices=tuple(found for title, one in suites.items() for found in _slices(title, one.get("slices", {}))),
                watermarks=tuple(map(str, row.get("watermarks", ()))),
                notes=tuple(map(str, row.get("notes", ()))),
                kl_budget=float(row.get("kl_budget") or 0.0),
                unguarded={title: _unguarded(one.get("guarded", {})) for title, one in suites.items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"The evidence lacks {error}.", "Restore the evaluation folder from a copy.") from error


def read_estimate(row: Mapping[str, Any]) -> Estimate:
    """Return the estimate that :func:`core.domain.evidence.plain` wrote; None becomes NaN."""
    return Estimate(
        _number(row["value"]),
        _number(row.get("lo")),
        _number(row.get("hi")),
        int(row["n"]),
        str(row.get("unit", "")),
        str(row.get("estimator", "")),
    )


def _named(measured: Measured, metric: str, arm: str) -> Iterator[tuple[str, Estimate]]:
    for suite, metrics in measured.items():
        if arm in metrics.get(metric, {}):
            yield suite, metrics[metric][arm]


def _suite(title: str, row: Mapping[str, Any]) -> MeasuredSuite:
    items = int(row["items"])
    return MeasuredSuite(title, str(row["sha256"]), items, int(row.get("of", items)), bool(row.get("sealed", False)))


def _metrics(row: Mapping[str, Any]) -> dict[str, dict[str, Estimate]]:
    return {metric: {arm: read_estimate(one) for arm, one in arms.items()} for metric, arms in row.items()}


def _unguarded(row: Mapping[str, Any]) -> dict[str, dict[str, Estimate]]:
    found: dict[str, dict[str, Estimate]] = {}
    for compared in row.values():
        for metric, arms in _metrics(compared["differences"]).items():
            found.setdefault(metric, {}).update(arms)
    return found


def _slices(suite: str, row: Mapping[str, Any]) -> Iterator[SliceDifference]:
    for name, values in row.items():
        for value, entry in values.items():
            if entry.get("too_small"):
                continue
            for metric, arms in _metrics(entry.get("differences", {})).items():
                for arm, found in arms.items():
                    yield SliceDifference(suite, name, value, metric, arm, int(entry["items"]), found)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)

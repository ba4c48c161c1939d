"""Plots of all pairs of a run, from its ledger: what the Monitor draws and ``runs plot`` prints.

Held-out pairs are shown where the run has a held-out probe, else the train probe, else the pairs of the batches.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.domain.kl_estimate import kl_estimate
from core.domain.run_events import KlDone
from core.domain.text_language import text_language
from core.evaluation.estimates import gap_between
from core.evaluation.pair_plots import (
    MarginHeat,
    SliceCurve,
    WeightSpectrum,
    margin_heat,
    slice_curves,
    weight_spectrum,
)
from core.runs.ledger.pair_columns import PairColumns
from core.runs.ledger.schema import DEV, PROBE_TRAIN, TRAIN
from core.runs.run_reader import RunReader
from core.services.runs.run_estimates import EstimatedSeries, ProbeEstimates, RunEstimates

__all__ = [
    "TRAIN",
    "MarginHeat",
    "PairColumns",
    "PairPlots",
    "PhasePoint",
    "RunPlots",
    "SliceCurve",
    "WeightSpectrum",
    "plain_plots",
    "spectrum_at",
]

PLOT_NAMES = ("margins", "displacement", "weights", "slices", "gap", "phase")
"""What can be read, by name."""
KIND_WORDS: dict[str, str] = {DEV: "held-out", PROBE_TRAIN: "train probe", TRAIN: "batches"}
GAPS: dict[str, str] = {"gap.margin": "margin", "gap.accuracy": "accuracy"}
"""Curve of a gap -> what is compared."""
_SPREAD = ("spread.p95", "spread.p50", "spread.p5")


@dataclass(frozen=True, slots=True)
class PhasePoint:
    """One look of the phase plot: the on-policy KL, and the mean of h on held-out pairs at the last look before it."""

    step: int
    kl: Estimate
    h: Estimate
    h_step: int


@dataclass(frozen=True, slots=True)
class PairPlots:
    """The plots of all pairs of a run; what was not asked for is empty.

    Attributes:
        kind: which pairs ``heat``, ``pairs`` and ``slices`` are of. pulling: those whose gradient weights are shown.
        heat: margins over steps. pairs, weights: numbers of each pair at each look.
        slices: accuracy by slice, the lowest first. phase: KL against margin.
        curves: those that are worked out from pairs ("spread.p50", "gap.margin", "pull.effective").
    """

    kind: str = DEV
    pulling: str = PROBE_TRAIN
    heat: MarginHeat | None = None
    pairs: PairColumns = field(default_factory=partial(PairColumns, DEV))
    weights: PairColumns = field(default_factory=partial(PairColumns, PROBE_TRAIN))
    slices: tuple[SliceCurve, ...] = ()
    phase: tuple[PhasePoint, ...] = ()
    curves: Mapping[str, EstimatedSeries] = field(default_factory=dict)

    @property
    def of(self) -> str:
        """Which pairs are shown, in words."""
        return KIND_WORDS[self.kind]

    def both_down(self, step: int | None = None) -> tuple[int, int]:
        """Return how many pairs are less likely on both sides than under the reference, and of how many."""
        looks = self.pairs.looks
        part = self.pairs.at(looks[-1] if step is None else step) if looks else slice(0, 0)
        chosen, rejected = self.pairs.chosen[part], self.pairs.rejected[part]
        there = np.isfinite(chosen) & np.isfinite(rejected)
        return int(np.count_nonzero((chosen < 0) & (rejected < 0))), int(np.count_nonzero(there))


class RunPlots:
    """Reads the plots of one run; rows that were read once are kept. It may be used from several threads."""

    def __init__(self, reader: RunReader, estimates: RunEstimates) -> None:
        """Args: reader: of the run. estimates: of its probes."""
        self._reader, self._estimates = reader, estimates
        self._slices: Mapping[str, tuple[str, ...]] | None = None
        self._heat: tuple[PairColumns, MarginHeat] | None = None
        self._curves: tuple[PairColumns, tuple[SliceCurve, ...]] | None = None
        self._pulling: tuple[PairColumns, EstimatedSeries] | None = None

    def read(self, wanted: Collection[str] = PLOT_NAMES) -> PairPlots:
        """Return the plots named in ``wanted``, of PLOT_NAMES."""
        pairs = self._first(DEV, PROBE_TRAIN, TRAIN) if {"margins", "displacement", "slices"} & set(wanted) else None
        pulling = self._first(PROBE_TRAIN, TRAIN, DEV) if "weights" in wanted else None
        heat = self._margins(pairs) if pairs is not None and "margins" in wanted else None
        curves: dict[str, EstimatedSeries] = {}
        if heat is not None:
            curves |= _spread(heat)
        if pulling is not None:
            curves["pull.effective"] = self._effective(pulling)
        if "gap" in wanted:
            curves |= {name: self._gap(metric) for name, metric in GAPS.items()}
        return PairPlots(
            kind=pairs.kind if pairs is not None else DEV,
            pulling=pulling.kind if pulling is not None else PROBE_TRAIN,
            heat=heat,
            pairs=pairs if pairs is not None else PairColumns(DEV),
            weights=pulling if pulling is not None else PairColumns(PROBE_TRAIN),
            slices=self._slice_curves(pairs) if pairs is not None and "slices" in wanted else (),
            phase=self._phase() if "phase" in wanted else (),
            curves=curves,
        )

    def _margins(self, pairs: PairColumns) -> MarginHeat:
        """Return the heat map; the one that was made of the same rows where nothing is new."""
        if self._heat is None or self._heat[0] is not pairs:
            self._heat = (pairs, margin_heat(pairs.steps, pairs.h))
        return self._heat[1]

    def _effective(self, pairs: PairColumns) -> EstimatedSeries:
        if self._pulling is None or self._pulling[0] is not pairs:
            self._pulling = (pairs, _effective(pairs))
        return self._pulling[1]

    def _first(self, *kinds: str) -> PairColumns:
        """Return the first kind of rows that the run has."""
        for kind in kinds:
            found = self._reader.pair_columns(kind)
            if found.pair_ids:
                return found
        return PairColumns(kinds[0])

    def _gap(self, metric: str) -> EstimatedSeries:
        """Return train probe minus held-out probe at the steps that have both."""
        held_out = {probe.step: probe for probe in self._estimates.probes("dev")}
        series = EstimatedSeries()
        for probe in self._estimates.probes("train"):
            if probe.step in held_out:
                series.add(probe.step, gap_between(probe.values[metric], held_out[probe.step].values[metric]))
        return series

    def _phase(self) -> tuple[PhasePoint, ...]:
        probes = self._estimates.probes("dev") or self._estimates.probes("train")
        found = [_phase_point(event, probes) for event in self._reader.kls()]
        return tuple(point for point in found if point is not None)

    def _slice_curves(self, pairs: PairColumns) -> tuple[SliceCurve, ...]:
        if self._curves is None or self._curves[0] is not pairs:
            self._curves = (pairs, self._new_slices(pairs))
        return self._curves[1]

    def _new_slices(self, pairs: PairColumns) -> tuple[SliceCurve, ...]:
        by_pair = self._pair_slices()
        slices = {
            pair_id: (*by_pair.get(pair_id, ()), _length_slice(longer))
            for pair_id, longer in zip(pairs.pair_ids, pairs.longer, strict=True)
        }
        return slice_curves(pairs.steps, pairs.margin, pairs.pair_ids, slices)

    def _pair_slices(self) -> Mapping[str, tuple[str, ...]]:
        """Return the slices that the texts of each pair are in; none where the pairs cannot be read."""
        if self._slices is None:
            try:
                self._slices = {
                    pair.pair_id: (
                        "one question" if len(pair.prompt.messages) == 1 else "conversation",
                        f"language {text_language(pair.prompt.last_text) or 'not known'}",
                    )
                    for pair in self._reader.folder.pairs()
                }
            except UserError:
                self._slices = {}
        return self._slices


def _length_slice(longer: float) -> str:
    if longer == 0 or math.isnan(longer):
        return "equal length"
    return "chosen longer" if longer > 0 else "chosen shorter"


def _phase_point(event: KlDone, probes: Sequence[ProbeEstimates]) -> PhasePoint | None:
    """Return the point of a KL, with the last probe at or before its step."""
    before = [probe for probe in probes if probe.step <= event.step]
    if not before:
        return None
    return PhasePoint(event.step, kl_estimate(event), before[-1].values["h"], before[-1].step)


def _spread(heat: MarginHeat) -> dict[str, EstimatedSeries]:
    """Return the percentiles of h over the steps, each with n and no interval."""
    found: dict[str, EstimatedSeries] = {}
    for name, values in zip(_SPREAD, heat.levels, strict=True):
        series = found[name] = EstimatedSeries()
        for step, value, n in zip(heat.last, values, heat.n, strict=True):
            series.add(int(step), _plain(float(value), int(n), "nats", f"percentile {name.removeprefix('spread.p')}"))
    return found


def _effective(pairs: PairColumns) -> EstimatedSeries:
    """Return how many equal pairs the gradient weights of each look amount to."""
    series = EstimatedSeries()
    for step in pairs.looks:
        part = weight_spectrum(pairs.weight[pairs.at(step)])
        series.add(step, _plain(part.effective, int(part.weights.size), "pairs", "(Σw)² / Σw²"))
    return series


def _plain(value: float, n: int, unit: str, estimator: str) -> Estimate:
    return Estimate(value, math.nan, math.nan, n, unit, f"{estimator}; no interval")


def spectrum_at(pairs: PairColumns, step: int) -> WeightSpectrum:
    """Return the gradient weights of the pairs of one look."""
    return weight_spectrum(pairs.weight[pairs.at(step)])


def plain_plots(plots: PairPlots, step: int | None = None) -> dict[str, object]:
    """Return the plots as plain values for JSON; those of single pairs at ``step``, None for the newest look.

    Missing numbers are NaN.
    """
    plain: dict[str, object] = {"pairs_of": plots.of}
    if (heat := plots.heat) is not None:
        columns = zip(heat.first, heat.last, heat.n, heat.missing, heat.counts, strict=True)
        names = ("first", "last", "n", "missing")
        plain["margins"] = {
            "unit": "nats",
            "edges": list(heat.edges),
            "columns": [
                {**dict(zip(names, map(int, numbers), strict=True)), "counts": counts.tolist()}
                for *numbers, counts in columns
            ],
        }
    for name, pairs in (("displacement", plots.pairs), ("weights", plots.weights)):
        if looks := pairs.looks:
            plain[name] = _plain_look(pairs, looks[-1] if step is None else step, name)
    plain["slices"] = [
        {
            "slice": curve.name,
            "enough": curve.enough,
            "looks": [{"step": at, **share.to_plain()} for at, share in zip(curve.steps, curve.accuracy, strict=True)],
        }
        for curve in plots.slices
    ]
    plain["phase"] = [
        {"step": point.step, "kl": point.kl.to_plain(), "h": point.h.to_plain(), "h_step": point.h_step}
        for point in plots.phase
    ]
    plain["curves"] = {
        name: {"steps": s.steps, "values": s.values, "low": s.low, "high": s.high, "n": s.n}
        for name, s in plots.curves.items()
    }
    return plain


def _plain_look(pairs: PairColumns, step: int, name: str) -> dict[str, object]:
    part = pairs.at(step)
    ids = pairs.pair_ids[part]
    if name == "weights":
        found = spectrum_at(pairs, step)
        rows = [{"pair": ids[int(at)], "weight": float(w)} for at, w in zip(found.order, found.weights, strict=True)]
        numbers: dict[str, object] = {"effective": found.effective, "n": int(found.weights.size)}
        return {"step": step, **numbers, "saturated": found.saturated.value, "pairs": rows}
    values = zip(ids, pairs.chosen[part], pairs.rejected[part], strict=True)
    down = int(np.count_nonzero((pairs.chosen[part] < 0) & (pairs.rejected[part] < 0)))
    rows = [{"pair": pair_id, "chosen": float(c), "rejected": float(r)} for pair_id, c, r in values]
    return {"step": step, "unit": "nats", "n": len(rows), "both_down": down, "pairs": rows}

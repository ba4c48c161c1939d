"""What the probes of a run measured, each number with its interval, read from the ledger's rows pair by pair."""

from __future__ import annotations

import math
import threading
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.domain.kl_estimate import kl_estimate
from core.domain.run_events import EvalDone, KlDone, PairMetrics
from core.domain.text_form import prompt_keys
from core.evaluation.estimates import PromptResamples, probe_estimates
from core.evaluation.statistics import Z95
from core.runs.ledger.schema import DEV, PROBE_TRAIN
from core.runs.run_reader import RunReader

KIND_OF: dict[str, str] = {"dev": DEV, "train": PROBE_TRAIN}
"""Split of a probe -> kind of its rows in the ledger."""
_ROWS_AT_ONCE = 20_000
_UNITS: dict[str, str] = {
    "margin": "nats × β",
    "reward_chosen": "nats × β",
    "reward_rejected": "nats × β",
    "accuracy": "",
    "ref_accuracy": "",
    "kl_chosen": "nats per token",
    "kl_rejected": "nats per token",
}
_MEASURED = (
    "accuracy",
    "margin",
    "h",
    "loss",
    "ref_accuracy",
    "reward_chosen",
    "reward_rejected",
    "displacement_chosen",
    "displacement_rejected",
    "logp_chosen",
    "logp_rejected",
    "kl_chosen",
    "kl_rejected",
)


@dataclass(frozen=True, slots=True)
class ProbeEstimates:
    """One probe: what was measured on which split after which step.

    Attributes:
        split: "dev" is held-out, "train" the train probe.
        n: pairs. values: by name of the ledger's column.
    """

    split: str
    step: int
    n: int
    values: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class EstimatedSeries:
    """A curve with the interval of each of its points; NaN where none is known. All lists are as long as ``steps``."""

    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    n: list[int] = field(default_factory=list)

    def add(self, step: int, estimate: Estimate) -> None:
        """Append one point."""
        self.steps.append(step)
        self.values.append(estimate.value)
        self.low.append(estimate.low)
        self.high.append(estimate.high)
        self.n.append(estimate.n)


class RunEstimates:
    """Estimates of one run; what was worked out once is kept. It may be used from several threads."""

    def __init__(self, reader: RunReader) -> None:
        """Args: reader: of the run."""
        self._reader = reader
        self._known: dict[tuple[str, int], tuple[str, ProbeEstimates]] = {}
        self._prompts: Mapping[str, int] | None = None
        self._lock = threading.Lock()

    def probes(self, split: str) -> list[ProbeEstimates]:
        """Return the probes of a split, by step."""
        with self._lock:
            return self._of(self._reader.evals(split))

    def last(self, split: str) -> ProbeEstimates | None:
        """Return the newest probe of a split, None before the first."""
        with self._lock:
            return next(iter(self._of(self._reader.evals(split)[-1:])), None)

    def series(self, names: Sequence[str]) -> dict[str, EstimatedSeries]:
        """Return the curves of probes and KL among ``names`` ("dev.margin", "train.loss", "kl.kl"), with intervals."""
        found: dict[str, EstimatedSeries] = {}
        probes = {split: self.probes(split) for split in {name.partition(".")[0] for name in names} & KIND_OF.keys()}
        for name in names:
            head, _, metric = name.partition(".")
            if head in probes and metric in _MEASURED:
                found[name] = _curve((p.step, p.values[metric]) for p in probes[head] if metric in p.values)
            elif name == "kl.kl":
                found[name] = _curve((event.step, kl_estimate(event)) for event in self._reader.kls())
        return found

    def _of(self, events: Sequence[EvalDone]) -> list[ProbeEstimates]:
        """Return the estimates of the events; those that are not known are worked out, some rows at a time."""
        unknown = [event for event in events if self._known.get(_key(event), ("",))[0] != repr(event)]
        while unknown:
            part, unknown = _rows_at_once(unknown)
            rows = self._rows(part)
            for event in part:
                self._known[_key(event)] = (repr(event), self._estimated(event, rows.get(event.step, [])))
        return [self._known[_key(event)][1] for event in events]

    def _rows(self, events: Sequence[EvalDone]) -> dict[int, list[PairMetrics]]:
        """Return the rows of some probes of one split by step, each in the order of the pairs' ids."""
        kind = KIND_OF.get(events[0].split, "")
        found: dict[int, list[PairMetrics]] = {}
        for visit in self._reader.pairs_of_range(events[0].step, events[-1].step, kind):
            found.setdefault(visit.step, []).append(visit.row)
        return {step: sorted(rows, key=lambda row: row.pair_id) for step, rows in found.items()}

    def _estimated(self, event: EvalDone, rows: Sequence[PairMetrics]) -> ProbeEstimates:
        values = _stored(event)
        if len(rows) == event.pairs:  # else rows are missing, and the stored means are all there is
            prompts = self._groups()
            resamples = PromptResamples([prompts.get(row.pair_id, row.pair_id) for row in rows])
            values |= probe_estimates(rows, resamples, self._reader.config().beta)
        return ProbeEstimates(event.split, event.step, event.pairs, values)

    def _groups(self) -> Mapping[str, int]:
        if self._prompts is None:
            self._prompts = prompt_groups(self._reader)
        return self._prompts


def prompt_groups(reader: RunReader) -> Mapping[str, int]:
    """Return the prompt group of each pair; none where the pairs cannot be read, so that each is its own."""
    try:
        return {pair.pair_id: prompt_keys(pair.prompt.to_plain()).same for pair in reader.folder.pairs()}
    except UserError:
        return {}


def mean_by_prompt(values: Sequence[float], prompts: Sequence[Hashable]) -> Estimate:
    """Return the mean of one value a pair with its interval; pairs of one prompt are drawn together."""
    return PromptResamples(prompts).mean(values)


def _key(event: EvalDone) -> tuple[str, int]:
    return event.split, event.step


def _rows_at_once(events: Sequence[EvalDone]) -> tuple[Sequence[EvalDone], Sequence[EvalDone]]:
    """Return the first events whose rows are read together, and the others."""
    pairs, split = 0, 0
    while split < len(events) and (split == 0 or pairs + events[split].pairs <= _ROWS_AT_ONCE):
        pairs += events[split].pairs
        split += 1
    return events[:split], events[split:]


def _curve(points: Iterator[tuple[int, Estimate]]) -> EstimatedSeries:
    series = EstimatedSeries()
    for step, estimate in points:
        series.add(step, estimate)
    return series


def _stored(event: EvalDone) -> dict[str, Estimate]:
    """Return the means that the ledger stores, with the intervals that it stores."""
    found: dict[str, Estimate] = {}
    for name in _MEASURED:
        value = getattr(event, name)
        if value is None:
            continue
        plain = Estimate(value, math.nan, math.nan, event.pairs, _UNITS.get(name, "nats"), "mean; no interval kept")
        se = getattr(event, f"{name}_se", None)
        if name == "accuracy":
            words = "share of pairs, ties one half; Wilson 95 %"
            plain = replace(plain, low=event.accuracy_low, high=event.accuracy_high, estimator=words)
        elif se is not None:
            low = max(0.0, value - Z95 * se)
            plain = replace(
                plain, low=low, high=value + Z95 * se, se=se, estimator="sum over tokens; ± 1.96 SE over pairs"
            )
        found[name] = plain
    return found


def plain_estimates(estimates: RunEstimates, kls: Sequence[KlDone]) -> dict[str, object]:
    """Return the newest probes and the newest KL of a run as plain values, for JSON."""
    plain: dict[str, object] = {}
    for key, split in (("held_out", "dev"), ("train_probe", "train")):
        if (probe := estimates.last(split)) is not None:
            values = {name: estimate.to_plain() for name, estimate in probe.values.items()}
            plain[key] = {"split": split, "step": probe.step, "n": probe.n, **values}
    if kls:
        last = kls[-1]
        plain["kl"] = {"step": last.step, "horizon": last.horizon, "share_cut": last.censored}
        plain["kl"] |= kl_estimate(last).to_plain()
    return plain

"""The events of a run up to now, sorted by kind for the rules of the insights, and the pairs behind them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.run_events import EvalDone, Failed, GateReport, KlDone, PairMetrics, SampleDone, StepDone, TokenReport

RowsOf = Callable[[str, int, int], Sequence[PairMetrics]]
"""Kind of rows ("train", "dev", "probe_train"), first and last step -> the rows of the pairs."""
RECENT_STEPS = 50
"""The last steps whose pairs are used when no probe has rows."""
_KIND_OF = {"dev": "dev", "train": "probe_train"}


@dataclass(frozen=True, slots=True)
class MeasuredRows:
    """Rows of pairs, and where in the ledger they stand."""

    kind: str
    first: int
    last: int
    rows: Sequence[PairMetrics]


@dataclass(frozen=True, slots=True)
class RunSoFar:
    """The input of the rules.

    Attributes:
        steps, evals, kls: events in order of their step. Their per-pair rows may be left out.
        rows: per-pair rows for the rules about single pairs (the newest probe, or the last steps); those of the
            newest events when empty.
        rows_of: reads the rows of other steps; without it they are taken from the events.
        prompt_of: the prompt of each pair, for the bootstrap; a pair that is not named is a prompt of its own.
        tokens: report of the tokenisation. gate: the truth gate's report. failed: the last event, if the run failed.
        total_steps: planned steps, 0 when unknown. kl_budget: of the run, nats per response; 0 is none.
        clip: norm to which gradients are clipped; 0 is off.
        samples: answers of policy and reference to the same prompts under the same seeds.
        start_loss: loss of every pair at policy = reference, None where it differs from pair to pair.
    """

    steps: Sequence[StepDone] = ()
    evals: Sequence[EvalDone] = ()
    kls: Sequence[KlDone] = ()
    rows: Sequence[PairMetrics] = ()
    tokens: TokenReport | None = None
    gate: GateReport | None = None
    failed: Failed | None = None
    total_steps: int = 0
    kl_budget: float = 0.0
    clip: float = 0.0
    start_loss: float | None = None
    rows_of: RowsOf | None = None
    prompt_of: Mapping[str, Hashable] = field(default_factory=dict)
    samples: Sequence[SampleDone] = ()

    def pair_rows(self) -> Sequence[PairMetrics]:
        """Return the per-pair rows for the rules about single pairs."""
        return self.newest_rows().rows

    def newest_rows(self) -> MeasuredRows:
        """Return the rows of the newest held-out probe, else of the train probe, else of the last steps."""
        if self.rows:
            step = self.evals[-1].step if self.evals else self.steps[-1].step if self.steps else 0
            return MeasuredRows("dev", step, step, self.rows)
        for split in ("dev", "train"):
            for event in reversed(self.probes(split)):
                if (found := self.probe_rows(event)).rows:
                    return found
        last = self.steps[-1].step if self.steps else 0
        return self.train_rows(max(1, last - RECENT_STEPS + 1), last)

    def probes(self, split: str) -> list[EvalDone]:
        """Return the probes of a split, by step."""
        return [event for event in self.evals if event.split == split]

    def probe_rows(self, event: EvalDone) -> MeasuredRows:
        """Return the rows of one probe."""
        kind = _KIND_OF.get(event.split, event.split)
        rows = event.rows or (self.rows_of(kind, event.step, event.step) if self.rows_of else ())
        return MeasuredRows(kind, event.step, event.step, rows)

    def train_rows(self, first: int, last: int) -> MeasuredRows:
        """Return the rows of the training steps ``first`` to ``last``."""
        if self.rows_of is not None:
            return MeasuredRows("train", first, last, self.rows_of("train", first, last))
        rows = [row for step in self.steps if first <= step.step <= last for row in step.rows]
        return MeasuredRows("train", first, last, rows)

    def prompts(self, rows: Sequence[PairMetrics]) -> list[Hashable]:
        """Return the prompt of each row."""
        return [self.prompt_of.get(row.pair_id, row.pair_id) for row in rows]

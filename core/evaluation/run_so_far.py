"""The events of a run up to now, sorted by kind for the rules of the insights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.domain.run_events import EvalDone, Failed, GateReport, KlDone, PairMetrics, StepDone, TokenReport

T = TypeVar("T")
RECENT_STEPS = 50
"""The last steps whose pairs are used when no probe has rows."""


@dataclass(frozen=True, slots=True)
class RunSoFar:
    """The input of the rules.

    Attributes:
        steps, evals, kls: events in order of their step. Their per-pair rows may be left out.
        rows: per-pair rows for the rules about single pairs (the newest probe, or the last steps); those of the
            newest events when empty.
        tokens: report of the tokenisation. gate: the truth gate's report. failed: the last event, if the run failed.
        total_steps: planned steps, 0 when unknown. kl_budget: of the run, nats per response; 0 is none.
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

    def pair_rows(self) -> Sequence[PairMetrics]:
        """Return the per-pair rows for the rules about single pairs."""
        if self.rows:
            return self.rows
        if newest := next((e for e in reversed(self.evals) if e.rows), None):
            return newest.rows
        return [row for step in self.steps[-RECENT_STEPS:] for row in step.rows]

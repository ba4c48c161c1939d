"""Insights of a run, from its ledger."""

from __future__ import annotations

from core.domain.insight import Insight
from core.domain.run_events import Failed, GateReport, TokenReport
from core.evaluation.insights import RunSoFar, find_insights
from core.runs.ledger.schema import DEV, PROBE_TRAIN, TRAIN
from core.runs.run_reader import RunReader

_RECENT_STEPS = 50


def insights_of(reader: RunReader) -> list[Insight]:
    """Return the insights of the run, the worst first."""
    status = reader.status()
    last = {type(item.event): item.event for item in reader.log_events()}
    tokens, gate, failed = last.get(TokenReport), last.get(GateReport), last.get(Failed)
    so_far = RunSoFar(
        steps=reader.steps(),
        evals=reader.evals(),
        kls=reader.kls(),
        rows=_rows(reader, status.step),
        tokens=tokens if isinstance(tokens, TokenReport) else None,
        gate=gate if isinstance(gate, GateReport) else None,
        failed=failed if isinstance(failed, Failed) and status.state == "failed" else None,
        total_steps=status.total_steps,
        kl_budget=reader.config().kl_budget,
    )
    return find_insights(so_far)


def _rows(reader: RunReader, step: int) -> list:
    """Return the rows to judge single pairs by: the newest held-out probe, else train probe, else the last steps."""
    evals = reader.evals()
    for split, kind in (("dev", DEV), ("train", PROBE_TRAIN)):
        newest = next((event.step for event in reversed(evals) if event.split == split), None)
        if newest is not None:
            return [visit.row for visit in reader.pairs_of_step(newest, kind)]
    return [visit.row for visit in reader.pairs_of_range(max(1, step - _RECENT_STEPS + 1), step, TRAIN)]

"""Insights of a run, from its ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from core.domain.insight import Insight
from core.domain.losses import LOSS_ROWS, StartCase, start_value
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, GateReport, PairMetrics, TokenReport
from core.evaluation.insights import RunSoFar, find_insights
from core.runs.run_reader import RunReader
from core.services.runs.run_estimates import prompt_groups

_CASES = (StartCase(-20.0, -30.0, 10, 12), StartCase(-55.0, -14.0, 31, 7))


def insights_of(reader: RunReader, prompts: Mapping[str, int] | None = None) -> list[Insight]:
    """Return the insights of the run, the worst first; ``prompts`` spares reading the run's pairs again."""
    status, config = reader.status(), reader.config()
    last = {type(item.event): item.event for item in reader.log_events()}
    tokens, gate, failed = last.get(TokenReport), last.get(GateReport), last.get(Failed)
    so_far = RunSoFar(
        steps=reader.steps(),
        evals=reader.evals(),
        kls=reader.kls(),
        samples=reader.samples(),
        tokens=tokens if isinstance(tokens, TokenReport) else None,
        gate=gate if isinstance(gate, GateReport) else None,
        failed=failed if isinstance(failed, Failed) and status.state == "failed" else None,
        total_steps=status.total_steps,
        kl_budget=config.kl_budget,
        clip=config.clip,
        start_loss=start_loss(config),
        rows_of=_rows_of(reader),
        prompt_of=prompt_groups(reader) if prompts is None else prompts,
    )
    return find_insights(so_far)


def start_loss(config: RunConfig) -> float | None:
    """Return the loss of every hard-labelled pair at policy = reference, None where it differs from pair to pair.

    >>> start_loss(RunConfig())
    0.6931471805599453
    """
    if config.rpo_alpha or config.wpo or LOSS_ROWS[config.loss].likelihood:
        return None
    values = {start_value(case, config.to_plain()) for case in _CASES}
    return values.pop() if len(values) == 1 else None


def _rows_of(reader: RunReader) -> Callable[[str, int, int], Sequence[PairMetrics]]:
    """Return what reads rows of the ledger; several rules ask for the same ones."""

    @lru_cache(maxsize=64)
    def rows(kind: str, first: int, last: int) -> tuple[PairMetrics, ...]:
        return tuple(visit.row for visit in reader.pairs_of_range(first, last, kind))

    return rows

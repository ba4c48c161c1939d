"""Measures before Start how long an evaluation takes, in a child process, so that this one never imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.domain.evaluation_record import EvaluationRecord
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.suite import SuiteItem
from core.runs.child_processes.request import Progress, run_in_subprocess
from core.runs.evaluations.cost import ExpectedCost, MeasuredSpeed, expected_cost
from core.runs.hosting.hosts import worker_environment


def measured_cost(
    record: EvaluationRecord,
    items: Mapping[str, Sequence[SuiteItem]],
    *,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ExpectedCost:
    """Return what the evaluation costs by a short timing of its model on its own items; a sealed test is not opened.

    Args:
        record: what is to be evaluated.
        items: of the open suites.
        on_progress: gets (done, total, text).
        cancelled: polled; True ends the timing.

    Raises:
        Cancelled: when ``cancelled`` became true.
        UserError: when the model cannot be used.
    """
    local = next(arm for arm in record.arms if arm.run_dir)
    request = {
        "run_dir": local.run_dir,
        "step": local.step,
        "config": record.config.to_plain(),
        "items": items_to_time([item for own in items.values() for item in own], record.config),
    }
    plain = run_in_subprocess(
        "core.runs.evaluations.timing_program",
        request,
        environment=worker_environment(),
        on_progress=on_progress,
        cancelled=cancelled,
    )
    return expected_cost(record, MeasuredSpeed.from_plain(plain))


def items_to_time(items: list[SuiteItem], config: EvaluationConfig) -> list[dict[str, Any]]:
    """Return enough items for one batch of answers and one of pairs, spread over all of them, as plain values."""
    count = min(len(items), 2 * config.batch_answers)
    spread = [items[i * len(items) // count] for i in range(count)] if count else []
    preferences = [item for item in items if item.expected == "preference"][: config.batch_answers]
    chosen = {item.id: item for item in (*spread, *preferences)}
    return [item.to_plain() for item in chosen.values()]

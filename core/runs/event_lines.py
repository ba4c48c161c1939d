"""An event as one readable line, or as one line of strict JSON. Ids only, never the text of a pair."""

from __future__ import annotations

import json
import math
from typing import Any

from core.domain.counting import counted
from core.domain.kl_estimate import answer_words, is_identity
from core.domain.left_out import left_out_words
from core.domain.look_plan import LooksPlanned, look_words
from core.domain.run_events import (
    CheckpointSaved,
    EvalDone,
    Failed,
    Finished,
    GateReport,
    KlDone,
    PhaseChanged,
    RunEvent,
    RunStarted,
    SampleDone,
    StateChanged,
    StepDone,
    TokenReport,
    Warned,
    to_plain,
)
from core.domain.token_notes import cut_words


def json_line(event: RunEvent) -> str:
    """Return the event without per-pair rows as one line of strict JSON; NaN and infinity become null."""
    return json.dumps(finite(to_plain(event, rows=False)), ensure_ascii=False, allow_nan=False)


def finite(value: Any) -> Any:
    """Return plain values with every number that JSON cannot hold replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def line_of(event: RunEvent) -> str:
    """Return the event as one line for a person."""
    match event:
        case RunStarted():
            again = f", resumed from step {event.resumed_from}" if event.resumed_from else ""
            return (
                f"run {event.run_id} attempt {event.attempt}: {counted(event.total_steps, 'step')}, "
                f"{event.n_train:,} train and "
                f"{counted(event.n_dev, 'dev pair')}, {event.device} {event.dtype}{again}"
            )
        case PhaseChanged():
            return _phase(event)
        case StepDone():
            return _step(event)
        case EvalDone():
            return _eval(event)
        case KlDone() if is_identity(event):
            return f"kl at step {event.step}: 0 nats, as {answer_words(event)}"
        case KlDone():
            return (
                f"kl at step {event.step}: {event.kl:.4f} ± {event.se:.4f} nats in the first {event.horizon} tokens "
                f"({counted(event.samples, 'sample')}, {100 * event.censored:.0f} % of them cut there)"
            )
        case _:
            return _other(event)


def _phase(event: PhaseChanged) -> str:
    count = f" {event.done}/{event.total}" if event.total else ""
    return f"{event.phase}{count} {event.detail}".rstrip()


def _step(event: StepDone) -> str:
    return (
        f"step {event.step}: loss {event.loss:.5f}  margin {event.margin:+.4f}  accuracy {event.accuracy:.3f}  "
        f"rewards {event.reward_chosen:+.4f} {event.reward_rejected:+.4f}  grad {event.grad_norm:.3f}  "
        f"lr {event.lr:.2e}  {event.tokens_per_s:.0f} tok/s"
    )


def _eval(event: EvalDone) -> str:
    kl = "" if event.kl_chosen is None else f"  token KL {event.kl_chosen:.5f}"
    return (
        f"probe {event.split} at step {event.step}: loss {event.loss:.5f}  margin {event.margin:+.4f}  "
        f"accuracy {event.accuracy:.3f} ({event.accuracy_low:.3f}–{event.accuracy_high:.3f}, n {event.pairs}){kl}"
    )


def _other(event: RunEvent) -> str:
    match event:
        case GateReport():
            if not event.passed:  # nothing was measured: the report's numbers are zeros
                return f"gate FAILED ({event.cause}): {event.message}"
            return f"gate passed: loss {event.loss:.7f}, expected {event.expected_loss:.7f}, max |h| {event.h_max:.2e}"
        case TokenReport():
            return (
                f"tokens: p50 {event.p50}, p95 {event.p95}, longest {event.longest}; {event.truncated} truncated"
                f"{_cut(event)}, {event.dropped} dropped, {event.merged_boundaries} merged boundaries, "
                f"{counted(event.empty_answers, 'empty answer')} of {counted(event.pairs, 'pair')}"
                + (f"; left out: {left_out_words(event.left_out, event.template_says)}" if event.left_out else "")
            )
        case LooksPlanned():
            return f"measurements: {look_words(event)}"
        case SampleDone():
            return f"sample of pair {event.pair_id} at step {event.step}"
        case CheckpointSaved():
            best = f"; the best so far: {event.best}" if event.best else ""
            return f"checkpoint of step {event.step} saved in {event.seconds:.2f} s ({event.sha256[:12]}){best}"
        case Warned():
            return f"warning {event.code}: {event.message}"
        case StateChanged():
            return f"{event.state} at step {event.step}"
        case Finished():
            saved = f", adapter in {event.adapter_path}" if event.adapter_path else ""
            return f"finished ({event.reason}) at step {event.step} after {event.seconds:.1f} s{saved}"
        case Failed():
            pairs = f" pairs {', '.join(event.pair_ids[:8])}" if event.pair_ids else ""
            return f"FAILED ({event.kind}) at step {event.step}: {event.message} {event.hint}{pairs}".rstrip()
    return ""


def _cut(event: TokenReport) -> str:
    words = cut_words(event)
    return f" ({words})" if words else ""

"""An event of a generation as one readable line. Ids only, never a text."""

from __future__ import annotations

import json
from typing import Any

from core.domain.counting import counted
from core.domain.evaluation_events import EvaluationStarted
from core.domain.run_events import Finished
from core.runs.evaluations.lines import evaluation_json, evaluation_line

_ENDS = {"completed": "finished: every prompt is answered", "stopped": "cancelled; the answers so far are kept"}


def generation_json(event: Any) -> str:
    """Return the event as one line of strict JSON; its beginning names sides and models, not suites and arms."""
    if not isinstance(event, EvaluationStarted):
        return evaluation_json(event)
    plain = {
        "event": "generation_started",
        "generation_id": event.evaluation_id,
        "sides": list(event.suites),
        "models": list(event.arms),
        "answers": event.answers,
        "scored": event.pairs,
        "device": event.device,
        "resumed_from": event.resumed_from,
        "attempt": event.attempt,
    }
    return json.dumps(plain, ensure_ascii=False)


def generation_line(event: Any) -> str:
    """Return the event as one line for a person."""
    match event:
        case EvaluationStarted():
            again = f", {event.resumed_from:,} of them already stored" if event.resumed_from else ""
            scored = f", {counted(event.pairs, 'scored pair')}" if event.pairs else ""
            return (
                f"generation {event.evaluation_id} attempt {event.attempt}: {' and '.join(event.arms)}; "
                f"{counted(event.answers, 'answer')}{scored}{again}"
            )
        case Finished():
            return f"{_ENDS.get(event.reason, event.reason)}, after {event.seconds:.1f} s"
        case _:
            return evaluation_line(event)

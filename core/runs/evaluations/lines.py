"""An event of an evaluation as one readable line, or as one line of strict JSON. Ids only, never a text."""

from __future__ import annotations

import json
from typing import Any

from core.domain.counting import counted
from core.domain.evaluation_events import Answered, EvaluationStarted, KlScored, PairsScored
from core.domain.run_events import Finished, PhaseChanged, StateChanged, to_plain
from core.runs.event_lines import finite, line_of

_PHASES = {
    "load": "loading",
    "answer": "answering",
    "score": "scoring pairs",
    "kl": "sampling for the KL",
    "measure": "measuring",
    "save": "saving",
}
_ENDS = {"completed": "finished: everything is measured", "stopped": "cancelled; the answers so far are kept"}


def evaluation_json(event: Any) -> str:
    """Return the event without rows as one line of strict JSON; NaN and infinity become null."""
    return json.dumps(finite(to_plain(event, rows=False)), ensure_ascii=False, allow_nan=False)


def evaluation_line(event: Any) -> str:
    """Return the event as one line for a person."""
    match event:
        case EvaluationStarted():
            again = f", {event.resumed_from:,} of them already stored" if event.resumed_from else ""
            return (
                f"evaluation {event.evaluation_id} attempt {event.attempt}: {', '.join(event.arms)} on "
                f"{', '.join(event.suites)}; {counted(event.answers, 'answer')}, "
                f"{counted(event.pairs, 'scored pair')}, {counted(event.kl_answers, 'answer')} for the KL{again}"
            )
        case Answered():
            speed = event.tokens / event.seconds if event.seconds > 0 else 0.0
            return (
                f"answers: {event.arm} on {event.suite}, {counted(len(event.rows) or event.count, 'item')}, "
                f"{counted(event.tokens, 'token')} ({speed:.0f} tok/s)"
            )
        case PairsScored():
            return f"scores: {event.arm} on {event.suite}, {counted(event.count, 'pair')} in {event.seconds:.1f} s"
        case KlScored():
            return f"kl: {event.arm} on {event.suite}, {counted(event.count, 'answer')} in {event.seconds:.1f} s"
        case PhaseChanged():
            count = f" {event.done}/{event.total}" if event.total else ""
            return f"{_PHASES.get(event.phase, event.phase)}{count} {event.detail}".rstrip()
        case StateChanged():
            return f"{event.state} after {counted(event.step, 'unit')} of work"
        case Finished():
            return f"{_ENDS.get(event.reason, event.reason)}, after {event.seconds:.1f} s"
        case _:
            return line_of(event)

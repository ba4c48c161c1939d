"""Whether the policy keeps within the limits of the place where it is to work: seconds an answer, and memory."""

from __future__ import annotations

import math

from core.domain.release_gate import GateBound, GateCheck
from core.evaluation.gate_figures import words
from core.evaluation.gate_input import GateInput

_SECONDS, _MEMORY = "seconds an answer", "memory"


def costs(known: GateInput) -> tuple[GateCheck, ...]:
    """Return the check of speed and memory; none where no limit is set."""
    limits, title = known.limits, "Speed and memory"
    if not (limits.answer_seconds or limits.memory_gib):
        return ()
    if known.cost is None or not math.isfinite(known.cost.seconds.value):
        reason = "The time of the policy's answers was not measured."
        return (GateCheck("cost", "health", title, "insufficient", reason, needed="Evaluate a suite with answers."),)
    named = ((_SECONDS, known.cost.seconds, limits.answer_seconds), (_MEMORY, known.cost.memory, limits.memory_gib))
    asked = [(name, figure, limit) for name, figure, limit in named if limit]
    figures = {name: figure for name, figure, _ in asked}
    said = "; ".join(f"{name} {words(figure)}, limit {limit:g} {figure.unit}" for name, figure, limit in asked)
    bound = GateBound(asked[0][0], asked[0][2])

    def say(state: str, reason: str, needed: str = "") -> tuple[GateCheck, ...]:
        told = f"{reason}: {said}."
        return (GateCheck("cost", "health", title, state, told, figures, needed, bound=bound),)  # type: ignore[arg-type]

    # The largest memory that was seen is no sample: it is compared as it is.
    ends = [(f.low, f.high) if name == _SECONDS else (f.value, f.value) for name, f, _ in asked]
    if any(low > limit for (low, _), (_, _, limit) in zip(ends, asked, strict=True)):
        return say("failed", "Above a limit")
    if all(high <= limit for (_, high), (_, _, limit) in zip(ends, asked, strict=True)):
        return say("passed", "Within the limits on this machine")
    unknown = any(math.isnan(end) for both in ends for end in both)
    if unknown:
        return say("insufficient", "A number or its interval is not known", "Evaluate more answers with a local model.")
    return say("insufficient", "The interval holds the limit", "Evaluate more answers.")

"""Whether the policy keeps within the limits of the place where it is to work: seconds an answer, and memory."""

from __future__ import annotations

import math

from core.domain.arm_cost import ArmCost
from core.domain.gate_limits import GateLimits
from core.domain.release_gate import GateBound, GateCheck
from core.evaluation.gate_figures import words
from core.evaluation.gate_input import GateInput

_SECONDS, _MEMORY = "seconds an answer", "memory"


def costs(known: GateInput) -> tuple[GateCheck, ...]:
    """Return the check of speed and memory; none where no limit is set."""
    return cost_check(known.limits, known.cost)


def cost_check(limits: GateLimits, cost: ArmCost | None) -> tuple[GateCheck, ...]:
    """Return what a measured cost says of the limits; nothing where there are none.

    Args:
        limits: of seconds an answer and of memory.
        cost: of the policy's answers on this machine; None where it was not measured.
    """
    title = "Speed and memory"
    if not (limits.answer_seconds or limits.memory_gib):
        return ()
    if cost is None or not math.isfinite(cost.seconds.value):
        reason = "The time of the policy's answers was not measured."
        return (GateCheck("cost", "health", title, "insufficient", reason, needed="Evaluate a suite with answers."),)
    named = ((_SECONDS, cost.seconds, limits.answer_seconds), (_MEMORY, cost.memory, limits.memory_gib))
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

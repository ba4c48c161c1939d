"""Time, speed and memory of the arms, from the batches that the ledger of an evaluation holds.

They are no part of the evidence, which holds no time: the same evaluation gives other times on another machine, and on
the same one under other load.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from core.domain.arm_cost import ArmCost
from core.domain.estimate import Estimate
from core.domain.evaluation_events import Answered

GIB = float(1 << 30)


def arm_costs(batches: Iterable[object]) -> dict[str, ArmCost]:
    """Return by arm what its answers cost; arms whose answers took no time (a guardrail's) are left out.

    Args:
        batches: events of finished work, as :meth:`EvaluationLedger.batches` has them; other events are passed over.
    """
    found: dict[str, list[Answered]] = defaultdict(list)
    for one in batches:
        if isinstance(one, Answered) and one.seconds > 0 and one.tokens > 0 and one.count > len(one.left_out):
            found[one.arm].append(one)
    return {arm: _cost(own) for arm, own in sorted(found.items())}


def _cost(batches: list[Answered]) -> ArmCost:
    # It imports scipy, which a process that only watches evaluations must not load.
    from core.evaluation.measures.means import ratio_of_sums

    seconds = [one.seconds for one in batches]
    answers = [float(one.count - len(one.left_out)) for one in batches]
    tokens = [float(one.tokens) for one in batches]
    largest = max(one.memory_bytes for one in batches)
    memory = largest / GIB if largest else math.nan
    words = "largest of the evaluator's process after a batch"
    return ArmCost(
        ratio_of_sums(seconds, answers, "s", "seconds of all batches by their answers", "batch"),
        ratio_of_sums(tokens, seconds, "tokens/s", "tokens of all batches by their seconds", "batch"),
        Estimate(memory, math.nan, math.nan, len(batches) if largest else 0, "GiB", words),
    )

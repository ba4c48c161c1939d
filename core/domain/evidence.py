"""What an evaluation measured: for each suite and metric, one estimate an arm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from core.domain.estimate import Estimate

ArmKind = Literal[
    "reference",
    "aligned",
    "reference_with_rubric",
    "aligned_without_system",
    "run",
    "endpoint",
    "guarded",
]
ARM_KINDS: tuple[ArmKind, ...] = get_args(ArmKind)
"""What answers the prompts of an evaluation.

``reference``: the frozen model. ``aligned``: the trained policy. ``reference_with_rubric``: the reference with the
rubric's text as system prompt (is the gain more than prompting?). ``aligned_without_system``: the policy without the
item's system prompt. ``run``: another run's policy. ``endpoint``: an OpenAI-compatible server.
``guarded``: the answers of another arm after a guardrail: a detector, a confirmed threshold and an action.
"""


def evidence_line(suites: Mapping[str, Mapping[str, Mapping[str, Estimate]]]) -> dict[str, Any]:
    """Return the last line that ``evaluate --json`` prints.

    Args:
        suites: suite title -> metric name -> arm name -> estimate.
    """
    return {
        "event": "evidence",
        "suites": {
            suite: {metric: {arm: plain(e) for arm, e in arms.items()} for metric, arms in metrics.items()}
            for suite, metrics in suites.items()
        },
    }


def plain(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate with the short names of evidence: value, lo, hi, n, unit, estimator."""
    known = estimate.to_plain()
    return {
        "value": known["value"],
        "lo": known["low"],
        "hi": known["high"],
        "n": known["n"],
        "unit": known["unit"],
        "estimator": known["estimator"],
    }


def finite_or_none(value: float) -> float | None:
    """Return a number that strict JSON can hold."""
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Generated:
    """One answer of one arm to one item, as an evaluation's ledger keeps it.

    Attributes:
        item_id: of the suite item.
        refusal: ``complied``, ``partly`` or ``refused`` by the detector; empty where it was not asked.
        passed: whether all constraints of a ``check`` item hold; None for other items.
        tokens: of the answer, the stop token included.
        finished: whether it ended by itself, not at the limit of tokens.
    """

    item_id: str
    text: str
    tokens: int
    finished: bool
    refusal: str = ""
    passed: bool | None = None

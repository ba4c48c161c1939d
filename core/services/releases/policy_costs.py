"""What the answers of a released policy cost and may cost: what its contract keeps, and what a verification says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.arm_cost import ArmCost
from core.domain.charter import Charter, limit_words
from core.domain.gate_limits import GateLimits
from core.domain.measured_evidence import read_estimate
from core.domain.number_text import estimate_text
from core.evaluation.gate_costs import cost_check
from core.runs.evaluations.arm_costs import arm_costs
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger

LIMITS, COSTS = "cost_limits", "costs"


def cost_of(folder: EvaluationFolder, arm: str) -> ArmCost | None:
    """Return what the answers of an arm cost where they were measured; None without such answers."""
    return arm_costs(EvaluationLedger(folder.ledger).batches().values()).get(arm)


def contract_costs(charter: Charter, folder: EvaluationFolder, arm: str) -> dict[str, Any]:
    """Return the limits that a contract records, 0 for none, and what the policy's answers cost; None if unmeasured."""
    cost = cost_of(folder, arm)
    limits = {"answer_seconds": charter.answer_seconds, "memory_gib": charter.memory_gib}
    return {LIMITS: limits, COSTS: cost.to_plain() if cost is not None else None}


@dataclass(frozen=True, slots=True)
class CostVerdict:
    """What the policy's answers cost when a release was measured again, beside its contract.

    Attributes:
        limits: of the contract. released: what it recorded. here: what was measured now, on this machine.
        state: ``passed``, ``failed`` or ``insufficient``; "" where the contract names no limit.
    """

    limits: GateLimits
    released: Mapping[str, Any] | None
    here: ArmCost | None
    state: str
    reason: str

    @classmethod
    def of(cls, contract: Mapping[str, Any], here: ArmCost | None) -> CostVerdict:
        """Return the verdict; a contract of an earlier version names no limits."""
        named = contract.get(LIMITS) or {}
        limits = GateLimits(
            answer_seconds=float(named.get("answer_seconds", 0.0)), memory_gib=float(named.get("memory_gib", 0.0))
        )
        (check,) = cost_check(limits, here) or (None,)
        return cls(limits, contract.get(COSTS), here, check.state if check else "", check.reason if check else "")

    def to_plain(self) -> dict[str, Any]:
        """Return plain values: limits, and the costs as released and here."""
        return {
            "limits": {"answer_seconds": self.limits.answer_seconds, "memory_gib": self.limits.memory_gib},
            "released": self.released,
            "here": self.here.to_plain() if self.here is not None else None,
            "state": self.state,
            "reason": self.reason,
        }

    def sentences(self) -> list[str]:
        """Return what the answers cost here and when it was released, and whether that is within the limits."""
        told = []
        if self.here is not None:
            told.append(f"An answer took {estimate_text(self.here.seconds)} here{self._before()}.")
        if self.state:
            words = limit_words(self.limits.answer_seconds, self.limits.memory_gib)
            told.append(f"The contract allows {words}. {self.reason}")
        return told

    def _before(self) -> str:
        seconds = (self.released or {}).get("seconds_per_answer")
        return f", {estimate_text(read_estimate(seconds))} where it was released" if seconds else ""

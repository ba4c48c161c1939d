"""What the gate decides on. Whatever nobody looked at is None here, and None is never a pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.domain.arm_cost import ArmCost
from core.domain.charter import Charter
from core.domain.estimate import Estimate
from core.domain.gate_limits import GateLimits
from core.domain.measured_evidence import MeasuredEvidence


@dataclass(frozen=True, slots=True)
class FailureCoverage:
    """How far people have looked at the failure queue."""

    total: int
    opened: int
    tagged: int

    @property
    def done(self) -> int:
        """Failures that were opened and tagged."""
        return min(self.opened, self.tagged)


@dataclass(frozen=True, slots=True)
class GateInput:
    """All that the gate looks at.

    Attributes:
        evidence: the numbers; ``evidence_holds`` tells whether the evaluation's files are as they were written.
        charter: of the run. charter_holds: whether it is the one that was locked; None where it never was.
        sealed: sealed tests by suite title, with the hash that the dataset version was frozen with.
        looks: how often the sealed test was opened; None where nobody counted.
        tuned_on: test items that were used to tune something; None where nobody kept account.
        leaks: test items with copies in what was trained on; None where nobody looked.
        win_rate: of the policy against the reference in blind judgements of people. lc_win_rate: at equal length.
        sealed_problem: why a sealed test cannot be opened now, in words; "" where it can.
        audit_problem: why rates of the audited detector are not corrected, in words; "" where they are, or where the
            audit is not done.
        failures: how far the failure queue was looked at.
        cost: of the policy's answers, measured on this machine; None where it was not.
        runner: who ran the evaluation. approver: who approves the release.
    """

    evidence: MeasuredEvidence
    charter: Charter = field(default_factory=Charter)
    evidence_holds: bool = False
    charter_holds: bool | None = None
    sealed: Mapping[str, str] = field(default_factory=dict)
    looks: int | None = None
    tuned_on: int | None = None
    leaks: int | None = None
    win_rate: Estimate | None = None
    lc_win_rate: Estimate | None = None
    sealed_problem: str = ""
    audit_problem: str = ""
    failures: FailureCoverage | None = None
    runner: str = ""
    approver: str = ""
    cost: ArmCost | None = None
    limits: GateLimits = field(default_factory=GateLimits)

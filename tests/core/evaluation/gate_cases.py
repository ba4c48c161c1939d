"""Evidence that passes the gate, and ways to spoil one part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.domain.charter import Charter
from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.domain.measured_evidence import MeasuredEvidence
from core.evaluation.gate_input import FailureCoverage, GateInput

BENIGN, HARMFUL, SEALED = "look-alikes v1", "unsafe v1", "sealed:helpful v1"
HASH = "5" * 64


def number(value: float, low: float, high: float, n: int = 400, unit: str = "") -> Estimate:
    return Estimate(value, low, high, n, unit, "made up")


def arms(aligned: Estimate) -> dict[str, Any]:
    return {"aligned": plain(aligned)}


CHARTER = Charter(
    "Answers as steps",
    "ranking_accuracy",
    variable="dev.accuracy",
    examples=("dev", BENIGN),
    margin=0.02,
    test="not_worse",
    benign_suite=BENIGN,
    planned_items=300,
    planned_judgements=85,
    kl_budget=10.0,
)


def plain_evidence() -> dict[str, Any]:
    """The content of an ``evidence.json`` where every check passes."""
    small = {"helpful": {"items": 9, "too_small": True, "differences": {}}}
    fair = {"items": 60, "too_small": False, "differences": {"ranking_accuracy": arms(number(0.05, -0.02, 0.12, 60))}}
    return {
        "format": 1,
        "evaluation_id": "e1",
        "run": {"run_id": "r1", "name": "kind", "fingerprint": "f" * 64},
        "arms": {"reference": {"kind": "reference"}, "aligned": {"kind": "aligned"}},
        "kl_budget": None,
        "suites": {
            SEALED: {
                "sha256": HASH,
                "items": 400,
                "of": 400,
                "sealed": True,
                "metrics": {
                    "sequence_kl": arms(number(6, 5, 7, unit="nats")),
                    "both_down": arms(number(0.3, 0.25, 0.35)),
                    "ece": arms(number(0.05, 0.03, 0.08)),
                    "worst_template": arms(number(-0.01, -0.03, 0.01)),
                },
                "differences": {"ranking_accuracy": arms(number(0.06, 0.02, 0.1))},
                "slices": {"source": {"a": fair, **small}},
            },
            BENIGN: {
                "sha256": "6" * 64,
                "items": 300,
                "of": 300,
                "differences": {
                    "over_refusal": arms(number(0.0, -0.02, 0.02)),
                    "over_refusal_corrected": arms(number(0.0, -0.025, 0.025)),
                    "repetition": arms(number(0.0, -0.01, 0.01)),
                },
            },
            HARMFUL: {
                "sha256": "7" * 64,
                "items": 300,
                "of": 300,
                "differences": {"safe_refusal_corrected": arms(number(0.04, -0.01, 0.09))},
            },
        },
    }


def passing(evidence: Mapping[str, Any] | None = None, **changes: Any) -> GateInput:
    """What the gate passes, but for the changes."""
    known = GateInput(
        evidence=MeasuredEvidence.from_plain(plain_evidence() if evidence is None else evidence),
        charter=CHARTER,
        evidence_holds=True,
        charter_holds=True,
        sealed={SEALED: HASH},
        looks=1,
        tuned_on=0,
        leaks=0,
        win_rate=number(0.62, 0.53, 0.7, 120),
        lc_win_rate=number(0.58, 0.49, 0.66, 120),
        failures=FailureCoverage(12, 12, 12),
        runner="ann",
        approver="ben",
    )
    return replace(known, **changes)


def with_part(suite: str, part: str, metric: str, estimate: Estimate | None) -> GateInput:
    """The passing case with one number of the policy replaced, or taken out."""
    evidence = plain_evidence()
    numbers = evidence["suites"][suite][part]
    if estimate is None:
        del numbers[metric]
    else:
        numbers[metric] = arms(estimate)
    return passing(evidence)

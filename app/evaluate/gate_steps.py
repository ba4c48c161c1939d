"""What the gate's tab is read from, and what can be done next, the main step first. No widgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from app.evaluate.figures import DETECTOR

if TYPE_CHECKING:  # these load the database library and the statistics, which the window does not wait for
    from core.domain.release_gate import GateCheck, GateDecision
    from core.services.application import Application
    from core.services.releases.draft import ReleaseDraft
    from core.services.votes.outlook import VotesOutlook

FAILURES, CURVE, FAILED = "failures", "curve", "failed"
GateAct = Literal[
    "evaluate.release", "evaluate.audit", "evaluate.ask_people", "evaluate.vote", "failures", "curve", "failed"
]


@dataclass(frozen=True, slots=True)
class GateStep:
    """A button of the banner: the id of an action, or what this page shows; and its label."""

    act: GateAct
    label: str


@dataclass(frozen=True, slots=True)
class GateData:
    """What the gate says of an evaluation, the votes behind it, and its evidence with the state of the audit."""

    draft: ReleaseDraft
    outlook: VotesOutlook
    evidence: Mapping[str, Any]


def read_gate(services: Application, evaluation_id: str, evidence: Mapping[str, Any]) -> GateData:
    """Decide, and read the votes.

    Raises:
        NotFound: when the evaluation is not finished, or its run is gone.
    """
    return GateData(services.releases.draft(evaluation_id), services.votes.outlook(evaluation_id), evidence)


def steps_of(data: GateData) -> list[GateStep]:
    """Return what brings the gate on, the main step first."""
    draft, steps = data.draft, list[GateStep]()
    decision = draft.decision
    if decision.outcome == "failed":
        steps.append(GateStep(FAILED, "Show what failed"))
    elif not draft.missing and not draft.refusal:
        steps.append(GateStep("evaluate.release", "Make a release…"))
    if any(str(mark).startswith(DETECTOR) for mark in data.evidence.get("watermarks", ())):
        steps.append(GateStep("evaluate.audit", _audit_words(data.evidence.get("audit", {}))))
    if state_of(decision, "win_rate") == "insufficient":
        is_asked = bool(data.outlook.planned)
        steps.append(
            GateStep("evaluate.vote", "Vote now") if is_asked else GateStep("evaluate.ask_people", "Ask people…")
        )
    if state_of(decision, "failure_queue") == "insufficient":
        steps.append(GateStep(FAILURES, "Open the failures"))
    if undecided_curve(draft) is not None:
        steps.append(GateStep(CURVE, "What n would decide"))
    return steps


def _audit_words(audit: Mapping[str, Any]) -> str:
    left = sum(max(0, int(arm["needed"]) - int(arm["labelled"])) for arm in audit.values())
    return f"Audit {left:,} more" if left else "Audit refusals"


def state_of(decision: GateDecision, key: str) -> str:
    """Return the state of a check; "" where the gate has none of this key."""
    return next((check.state for check in decision.checks if check.key == key), "")


def undecided_curve(draft: ReleaseDraft) -> GateCheck | None:
    """Return the first undecided check whose deciding n is known; None where there is none."""
    known = {curve.check for curve in draft.curves if curve.needed is not None or curve.needed_no_change is not None}
    return next((c for c in draft.decision.checks if c.state == "insufficient" and c.key in known), None)


def first_failed(decision: GateDecision) -> GateCheck | None:
    """Return the first check that failed."""
    return next((check for check in decision.checks if check.state == "failed"), None)

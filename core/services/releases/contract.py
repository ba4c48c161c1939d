"""The contract of a release: everything that names what was released and how it can be made and measured again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.domain.errors import BadInput
from core.domain.release_gate import STATE_WORDS, GateDecision
from core.domain.threshold import Threshold
from core.runs.evaluations.folder import EVIDENCE
from core.services.releases.names import EVALUATION
from core.services.releases.policy_costs import contract_costs
from core.services.releases.trained import trained_of
from core.version import VERSION

if TYPE_CHECKING:
    from core.services.releases.gate_facts import Judged

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Signed:
    """Who releases what under which id.

    Attributes:
        despite: why a policy is released that did not pass the gate; "" where it passed.
    """

    release_id: str
    name: str
    approver: str
    runner: str
    despite: str
    created_ms: int

    def first_line(self, decision: GateDecision) -> str:
        """Return what report, card and contract say first."""
        if not self.despite:
            return f"The gate passed. {self.approver} approved it; {self.runner} ran the evaluation."
        return (
            f"RELEASED DESPITE THE GATE ({STATE_WORDS[decision.outcome]}): {self.despite.rstrip('.')}. "
            f"Approved by {self.approver}; the evaluation was run by {self.runner or 'somebody unknown'}."
        )


def contract_of(
    signed: Signed, one: Judged, decision: GateDecision, thresholds: Sequence[Threshold], chain: str
) -> dict[str, Any]:
    """Return the content of ``contract.json``; its first field says whether the gate passed.

    Args:
        signed: who releases it.
        one: the evaluation and its run.
        decision: of the gate.
        thresholds: that the policy is used with.
        chain: head of the workspace's hash chain.
    """
    run, record, trained = one.run_record, one.record, trained_of(one.run)
    return {
        "status": signed.first_line(decision),
        "format": FORMAT,
        "release": signed.release_id,
        "name": signed.name,
        "created_ms": signed.created_ms,
        "approver": signed.approver,
        "runner": signed.runner,
        "despite": signed.despite,
        "policy": {
            "run_id": run.run_id,
            "name": run.name,
            "step": record.run.get("step", 0),
            "fingerprint": run.fingerprint,
            "inputs": run.inputs,
            "config": {**run.config.to_plain(), **trained.pop("config", {})},
            "trained": trained,
            "model": run.model_files,
            "trained_with": run.versions,
        },
        "rubrics": list(run.dataset.get("rubrics", [])),
        "dataset": {key: run.dataset[key] for key in ("title", "root_sha256") if key in run.dataset},
        "suites": {suite.title: {"sha256": suite.sha256, "items": suite.used, "sealed": bool(suite.sealed)}
                   for suite in record.suites},
        "thresholds": [threshold.to_plain() for threshold in thresholds],
        "charter": run.charter.to_plain(),
        **contract_costs(run.charter, one.folder, one.evidence.aligned),
        "gate": decision.to_plain(),
        "evaluation": {
            "id": record.evaluation_id,
            "settings": record.config.to_plain(),
            "limit": record.limit,
            "evidence": f"{EVALUATION}/{EVIDENCE}",
            "command_line": record.command_line,
            "versions": record.versions,
        },
        "audit": {arm: dict(found) for arm, found in one.audit.items()},
        "chain_head": chain,
        "program": VERSION,
    }  # fmt: skip


def release_tuple(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a release is: policy, rubrics, dataset, suites and thresholds, each named by its content.

    Raises:
        BadInput: when it is no contract of a release.
    """
    try:
        return {
            "policy": f"{contract['policy']['name']} {contract['policy']['fingerprint'][:12]}",
            "rubrics": ", ".join(contract["rubrics"]) or "–",
            "dataset": f"{contract['dataset'].get('title', '–')} {contract['dataset'].get('root_sha256', '')[:12]}",
            "suites": ", ".join(f"{title} {one['sha256'][:12]}" for title, one in contract["suites"].items()),
            "thresholds": ", ".join(f"{one['name']} v{one['number']}" for one in contract["thresholds"]) or "–",
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"The contract lacks {error}.", "Use an unaltered copy of the release.") from error

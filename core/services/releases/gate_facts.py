"""What the gate decides on, gathered from an evaluation, its run and the workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain.errors import BadInput, NotFound, UserError
from core.domain.estimate import Estimate
from core.domain.evaluation_record import SEALED, EvaluationRecord
from core.domain.gate_limits import GateLimits
from core.domain.measured_evidence import MeasuredEvidence
from core.domain.run_record import RunRecord
from core.evaluation.gate_input import GateInput
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.verify import evaluation_problems
from core.runs.folder import RunFolder
from core.services.releases.failures import FailuresService
from core.services.releases.policy_costs import cost_of
from core.services.sealed.service import SealedService

WinRates = Callable[[str], tuple[Estimate | None, Estimate | None]]
"""Id of an evaluation -> the win rate of people, and the one at equal length."""
Corrected = Callable[[EvaluationFolder, Mapping[str, Any]], Mapping[str, Any]]
"""Folder and evidence of an evaluation -> the evidence with the rates that an audit corrected."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An evaluation that the gate judges, with its run.

    Attributes:
        audit: by arm how far people audited the refusal detector, and how right it is; empty where nobody did.
    """

    folder: EvaluationFolder
    record: EvaluationRecord
    run: RunFolder
    run_record: RunRecord
    evidence: MeasuredEvidence
    audit: Mapping[str, Any] = field(default_factory=dict)

    @property
    def runner(self) -> str:
        """Who ran it: who opened its sealed test; "" where nobody said."""
        return next((suite.person for suite in self.record.suites if suite.person), "")


def judged(folder: EvaluationFolder, corrected: Corrected | None = None) -> Judged:
    """Return a finished evaluation with the run that it is of.

    Args:
        folder: of the evaluation.
        corrected: adds the rates that an audit corrected; None where nobody could audit.

    Raises:
        NotFound: when it is not finished, or its run is gone.
    """
    record, plain = folder.record(), folder.evidence()
    if plain is None:
        raise NotFound("This evaluation is not finished; there is nothing to decide on.", "Resume it first.")
    run = RunFolder(Path(str(record.run.get("folder", ""))))
    if not run.exists():
        raise NotFound(f"The run of this evaluation is gone ({run.path}).", "Put its folder back.")
    told = corrected(folder, plain) if corrected else plain
    return Judged(folder, record, run, run.record(), MeasuredEvidence.from_plain(told), told.get("audit", {}))


def gate_input(
    one: Judged,
    sealed: SealedService,
    failures: FailuresService,
    *,
    approver: str = "",
    win_rates: WinRates | None = None,
    limits: GateLimits | None = None,
) -> GateInput:
    """Return everything that the gate looks at; what cannot be known here stays None.

    Args:
        one: the evaluation.
        sealed: counts looks and uses, and finds leaks.
        failures: knows who opened and tagged which failure.
        approver: who approves the release; "" for nobody yet.
        win_rates: of people; None where nobody was asked.
        limits: that the gate applies beside those of the charter; None for the ordinary ones.
    """
    record = one.run_record
    used = (limits or GateLimits()).with_charter(record.charter)
    rate, lc_rate = win_rates(one.record.evaluation_id) if win_rates else (None, None)
    versions = [s.title.removeprefix(SEALED) for s in one.record.suites if s.sealed]
    facts = [_sealed_facts(sealed, title, record.run_id) for title in versions]
    known = [found for found in facts if isinstance(found, _SealedFacts)]
    complete = bool(versions) and len(known) == len(versions)
    return GateInput(
        evidence=one.evidence,
        charter=record.charter,
        evidence_holds=not list(evaluation_problems(one.folder)),
        charter_holds=record.charter_holds if record.charter_sha256 else None,
        sealed={f"{SEALED}{fact.title}": fact.sha256 for fact in known},
        looks=sum(fact.looks for fact in known) if complete else None,
        tuned_on=sum(fact.tuned for fact in known) if complete else None,
        leaks=sum(fact.leaks for fact in known) if complete else None,
        win_rate=rate,
        lc_win_rate=lc_rate,
        sealed_problem=next((found for found in facts if isinstance(found, str)), ""),
        audit_problem=" ".join(arm["problem"] for arm in one.audit.values() if arm["complete"] and arm["problem"]),
        failures=failures.coverage(one.folder),
        runner=one.runner,
        approver=approver,
        cost=cost_of(one.folder, one.evidence.aligned),
        limits=used,
    )


@dataclass(frozen=True, slots=True)
class _SealedFacts:
    """What the workspace knows of one sealed test."""

    title: str
    sha256: str
    looks: int
    tuned: int
    leaks: int


def _sealed_facts(sealed: SealedService, title: str, run_id: str) -> _SealedFacts | str | None:
    """Return what is known of a sealed test, or why it cannot be opened; None where the workspace does not have it."""
    try:
        view = sealed.view(title)
        leaks = sealed.leaks_of(title, run_ids=[run_id])
    except BadInput as error:
        return error.message
    except UserError:
        return None
    if view.place is None:
        return None
    tuned = {id_ for use in view.usage.uses for id_ in use.ids}
    return _SealedFacts(title, view.place.sha256, view.looks, len(tuned), len(leaks.items))

"""What a release of an evaluation would be: the gate, what it would hold, and who may approve it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.domain.judgement import ReviewerKind
from core.domain.release_gate import GateDecision
from core.evaluation.gate_curves import DecisionCurve, decision_curves
from core.services.models.export import ExportForm

if TYPE_CHECKING:
    from core.domain.judgement import Reviewer
    from core.domain.threshold import Threshold
    from core.services.releases.gate_facts import Judged

__all__ = ["Approver", "DecisionCurve", "ReleaseDraft", "draft_of"]


@dataclass(frozen=True, slots=True)
class Approver:
    """A person, and why this person cannot approve; "" where nothing speaks against it."""

    name: str
    against: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseDraft:
    """What is known before a release is made.

    Attributes:
        decision: of the gate without an approver.
        curves: of the checks that an interval decides.
        of: policy, rubrics, dataset version, suites in words.
        runner: who ran the evaluation; "" where nobody said.
        refused_forms: forms in which the policy cannot be written, with the reason.
        thresholds: titles of those that could be named, the newest version of each.
        refusal: why no release can be made whatever the gate says; "" where one can.
    """

    decision: GateDecision
    curves: tuple[DecisionCurve, ...]
    of: Mapping[str, str]
    name: str
    runner: str
    approvers: tuple[Approver, ...]
    refused_forms: Mapping[ExportForm, str]
    thresholds: tuple[str, ...]
    refusal: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Why the gate did not pass, but for the approver, whom only a release names."""
        checks = tuple(check for check in self.decision.checks if check.key != "approver")
        return GateDecision(checks).reasons


def draft_of(
    one: Judged, decision: GateDecision, reviewers: Iterable[Reviewer], thresholds: Iterable[Threshold]
) -> ReleaseDraft:
    """Return the draft of a release of a judged evaluation."""
    run, record = one.run_record, one.record
    people = [person for person in reviewers if person.kind is ReviewerKind.HUMAN]
    newest = {threshold.name: threshold.title for threshold in thresholds}
    return ReleaseDraft(
        decision,
        tuple(decision_curves(decision.checks)),
        {
            "policy": run.name,
            "rubrics": ", ".join(run.dataset.get("rubrics", ())),
            "dataset": str(run.dataset.get("title", "")),
            "suites": ", ".join(suite.title for suite in record.suites),
        },
        run.name,
        one.runner,
        approvers_among([person.name for person in people], one.runner),
        {} if run.config.lora_r else {"adapter": "This run trained every weight; it has no adapter."},
        tuple(newest.values()),
        _OF_CHECKPOINT if record.run.get("step") else "",
    )


_OF_CHECKPOINT = "This evaluation is of a checkpoint; only the result of a run is released. Evaluate the result."


def approvers_among(people: Sequence[str], runner: str) -> tuple[Approver, ...]:
    """Return the people with why one of them cannot approve: who ran an evaluation does not approve its release.

    >>> [bool(one.against) for one in approvers_among(["ann", "ben"], "Ann")]
    [True, False]
    """
    ran = runner.strip().casefold()
    return tuple(Approver(name, "ran it" if name.strip().casefold() == ran else "") for name in people)

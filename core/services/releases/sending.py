"""Sending a failure on: to labelling, to a rubric as an example, or to the next dataset version.

It becomes a feedback event with the prompt and the policy's answer, and goes the way of all feedback: people label it
blind, and it enters a dataset version only with an approved changeset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.feedback import FeedbackContent
from core.domain.suite import SuiteItem
from core.evaluation.failure_queue import Failure
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger
from core.services.feedback.service import FeedbackService
from core.services.feedback.triage import TriageService

DESTINATIONS = ("annotate", "rubric", "dataset")
LEAKS_LATER = "Its prompt may now be trained on; the leak gate will then block this item of the suite."


@dataclass(frozen=True, slots=True)
class SentFailure:
    """What a failure became: id of the feedback event, and what happened in words."""

    event_id: int
    notes: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"event": self.event_id, "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class Rooms:
    """Where failures are sent through."""

    feedback: FeedbackService
    triage: TriageService

    def send(self, folder: EvaluationFolder, failure: Failure, by: int, to: str, rubric: str = "") -> SentFailure:
        """Make an event of a failure and send it on.

        Args:
            folder: of the evaluation.
            failure: of its queue.
            by: reviewer who sends it.
            to: one of ``DESTINATIONS``.
            rubric: name of the rubric, for one.

        Raises:
            UsageError: for an unknown destination, or a rubric without a name.
            BadInput: for an item of a sealed test, whose text nobody may see; or what the room refuses.
        """
        if to not in DESTINATIONS:
            raise UsageError(f"A failure cannot be sent to {to!r}.", f"Use one of: {', '.join(DESTINATIONS)}.")
        if to == "rubric" and not rubric.strip():
            raise UsageError("Which rubric is meant is not known.", "Name it: --rubric NAME.")
        content, second = _content(folder, failure)
        event_id = self.feedback.add(content).value.id
        if to == "rubric":
            self.triage.to_rubric([event_id], by, rubric, reason=failure.why)
            return SentFailure(event_id, (f"It is an open request to {rubric}.",))
        self.triage.to_labelling([event_id], by, reason=failure.why, answer=second, attacks=True)
        more = ("It enters the next dataset version with an approved changeset.",) if to == "dataset" else ()
        return SentFailure(event_id, (*more, LEAKS_LATER))


def _content(folder: EvaluationFolder, failure: Failure) -> tuple[FeedbackContent, str]:
    """Return the event of a failure, and a second answer to its prompt ("" for none)."""
    item = next((one for one in folder.items().get(failure.suite, ()) if one.id == failure.item), None)
    if item is None:
        raise BadInput(
            f"{failure.item} belongs to a sealed test; nobody sees its text, and it is sent nowhere.",
            "Tag the failure, and look for the same fault on another suite.",
        )
    record = folder.record()
    answer, second = _answers(folder, failure, item)
    content = FeedbackContent(
        kind="attack" if failure.rule == "missed_refusal" else "text",
        prompt=item.prompt,
        answer=answer,
        note=f"{failure.why} ({record.name}, {failure.suite}, {failure.item})",
        run=str(record.run.get("run_id", "")),
        generation={"evaluation": record.evaluation_id, "suite": failure.suite, "item": failure.item},
        category=item.slices.get("category", ""),
        language=item.slices.get("language", ""),
    )
    return content, second


def _answers(folder: EvaluationFolder, failure: Failure, item: SuiteItem) -> tuple[str, str]:
    """Return the policy's answer and the reference's; of a pair without sampled answers its own two."""
    ledger, found = EvaluationLedger(folder.ledger), {}
    for arm in folder.record().arms:
        if arm.kind in ("aligned", "reference"):
            rows = ledger.answers(failure.suite, arm.name)
            found[arm.kind] = next((row.text for row in rows if row.item == failure.item), "")
    answer, second = found.get("aligned", ""), found.get("reference", "")
    if not answer.strip():
        answer, second = item.chosen, item.rejected
    if not answer.strip():
        raise NotFound("There is no answer to send.", "Tag the failure instead.")
    return answer, "" if second == answer or not second.strip() else second

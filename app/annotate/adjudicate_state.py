"""A pair in conflict on the screen after the first pick, and what is said of it so far. No widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.annotate.judgement_form import AnswerSpan, JudgementForm
from core.domain.adjudication import CHANGE_REQUEST, DecisionDraft
from core.domain.judgement import JudgementDraft
from core.domain.rubric import RubricVersion
from core.services.annotation.views import PresentationView

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.adjudication.views import OpenedConflict
    from core.services.application import Application


@dataclass(frozen=True, slots=True)
class ShownConflict:
    """What the screen shows of a pair.

    Attributes:
        presentation: its texts, with the sides of the first pick.
        opened: the labels, names hidden.
        version: the rubric version of the pick.
        decided: outcome -> decisions so far. waiting: pairs with a first pick and no decision, this one among them.
    """

    presentation: PresentationView
    opened: OpenedConflict
    version: RubricVersion
    decided: dict[str, int]
    waiting: int

    @property
    def said(self) -> list[tuple[str, JudgementDraft]]:
        """The adjudicator's judgement as "You", then the labels by number."""
        both = [("You", self.opened.pick.draft)]
        both += [(one.who, one.judgement.draft) for one in self.opened.labels]
        return [(who, draft) for who, draft in both if draft is not None]

    def spans(self) -> list[tuple[str, AnswerSpan]]:
        """Return (who, span) of all spans, by the sides of the screen."""
        left = self.presentation.left_is
        return [(who, span) for who, draft in self.said for span in JudgementForm.from_draft(draft, left).spans]


@dataclass(slots=True)
class DecisionForm:
    """What is filled in for the pair on the screen; cause and outcome are empty until they are chosen."""

    cause: str = ""
    outcome: str = ""
    clause: str = ""
    request: str = ""
    note: str = ""

    @property
    def missing(self) -> str:
        """What keeps it from being stored, as a sentence, or ""."""
        if not self.cause:
            return "Choose a cause first: keys 1 to 6."
        if not self.outcome:
            return "Choose an outcome first: keys 7 to 9."
        if self.outcome == CHANGE_REQUEST and not self.request.strip():
            return "Write what the clause should say instead."
        return ""

    def to_draft(self) -> DecisionDraft:
        """Return the decision to be stored; clause and request count for a change request only."""
        asks = self.outcome == CHANGE_REQUEST
        clause, request = (self.clause, self.request) if asks else ("", "")
        return DecisionDraft(self.cause, self.outcome, self.note, clause, request)


def read_conflict(services: Application, pair_id: int, version_id: int, reviewer_id: int) -> ShownConflict:
    """Return what is shown of a pair that the reviewer judged first. Reads the database."""
    opened = services.adjudication.opened(pair_id, version_id, reviewer_id)
    version = services.rubrics.version(opened.pick.rubric_version_id)
    waiting = len(services.adjudication.picked(reviewer_id, version_id))
    presentation = services.annotation.presentation_of(opened.pick.id)
    return ShownConflict(presentation, opened, version, services.adjudication.decided(version_id), waiting)

"""A pair in conflict on the screen after the first pick, and what is said of it so far. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.annotate.judgement_form import AnswerSpan, JudgementForm
from core.domain.adjudication import CHANGE_REQUEST, DecisionDraft
from core.domain.judgement import SPAN_TAGS, JudgementDraft
from core.domain.rubric import RubricVersion
from core.services.annotation.views import PresentationView

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.adjudication.views import OpenedConflict
    from core.services.application import Application

MOST_NAMES = 4
"""Names on a chip behind a span; the others are counted."""


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


def span_notes(spans: Sequence[tuple[str, AnswerSpan]]) -> dict[AnswerSpan, list[tuple[str, str]]]:
    """Return span -> (tag, words) of the chips behind it; spans that end together share the chips of one of them.

    >>> one, two = AnswerSpan("left", 0, 5, "good"), AnswerSpan("left", 2, 5, "good")
    >>> span_notes([("R1", one), ("R2", two)])
    {AnswerSpan(side='left', start=0, end=5, tag='good', note=''): [('good', 'R1 R2 good')]}
    """
    groups: dict[tuple[str, int], dict[str, list[tuple[str, AnswerSpan]]]] = {}
    for who, span in spans:
        groups.setdefault((span.side, span.end), {}).setdefault(span.tag, []).append((who, span))
    found: dict[AnswerSpan, list[tuple[str, str]]] = {}
    for tags in groups.values():
        said = [(tag, _note_words(tag, [who for who, _ in each])) for tag, each in tags.items()]
        found[next(iter(tags.values()))[0][1]] = said
    return found


def _note_words(tag: str, people: Sequence[str]) -> str:
    names = list(dict.fromkeys(people))
    more = [f"+{len(names) - MOST_NAMES}"] if len(names) > MOST_NAMES else []
    return " ".join([*names[:MOST_NAMES], *more, SPAN_TAGS[tag].lower()])


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

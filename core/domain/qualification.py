"""Qualification: a quiz of gold items for each meaning of a rubric, who passed it, and what is worth practising."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.domain.judgement import JudgementDraft
from core.domain.team import PASS_MARK

QUIZ_ITEMS = 10
"""Gold items of a quiz unless the lead says otherwise."""
QuizStatus = Literal["no quiz", "nothing to ask", "not begun", "under way", "passed", "failed", "waived"]


@dataclass(frozen=True, slots=True)
class Quiz:
    """The quiz of a rubric version; it holds for all published versions of the same major number.

    Attributes:
        version_id: the version under which it was set.
        pass_mark: share of items to be answered right.
        pair_ids: the gold items.
        explanations: pair -> what the lead wrote of it; of the others the decision's own reason is told.

    Raises:
        BadInput: a pass mark outside of 0 to 1, or no items.
    """

    version_id: int
    pass_mark: float = PASS_MARK
    pair_ids: tuple[int, ...] = ()
    explanations: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.pass_mark <= 1:
            raise BadInput("The pass mark lies above 0 and is at most 1.", "0.8 asks for eight of ten.")
        if not self.pair_ids:
            raise BadInput("A quiz needs gold items.", "Pairs become gold by adjudication: adjudicate WS --list")


@dataclass(frozen=True, slots=True)
class Waiver:
    """A lead's word that a reviewer needs no quiz, or needs it after all."""

    reviewer_id: int
    waived: bool
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class ReviewerQualification:
    """How one reviewer stands.

    Attributes:
        asked: items that this reviewer can be asked: neither labelled nor decided by them, nor hidden by now.
        right: share of right first answers among those given; n counts them.
        wrong: pairs answered wrong, oldest first. waiver: of the lead, where there is one that holds.
    """

    reviewer_id: int
    name: str
    status: QuizStatus
    asked: int
    right: Estimate
    wrong: tuple[int, ...] = ()
    waiver: Waiver | None = None

    @property
    def qualified(self) -> bool:
        """Whether nothing is left to show: passed, waived, or no quiz was set."""
        return self.status in ("passed", "waived", "no quiz")

    @property
    def left(self) -> int:
        """Items without an answer."""
        return max(0, self.asked - self.right.n)

    def words(self) -> str:
        """Return the status in words: "passed, 8 of 10 right"."""
        if self.waiver is not None and self.status == "waived":
            return f"waived by {self.waiver.by}" if self.waiver.by else "waived"
        if not self.right.n:
            return self.status
        return f"{self.status}, {round(self.right.value * self.right.n):,} of {self.right.n:,} right"

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "reviewer": self.name,
            "status": self.status,
            "qualified": self.qualified,
            "asked": self.asked,
            "answered": self.right.n,
            "right": plain(self.right),
            "wrong": list(self.wrong),
            "waived_by": self.waiver.by if self.waiver is not None else None,
            "reason": self.waiver.reason if self.waiver is not None else "",
        }


@dataclass(frozen=True, slots=True)
class Qualification:
    """The quiz of a rubric version with how everybody stands.

    Attributes:
        title: of the version asked about. quiz: None where none was set.
    """

    version_id: int
    title: str
    quiz: Quiz | None
    reviewers: tuple[ReviewerQualification, ...]

    def of(self, reviewer_id: int) -> ReviewerQualification | None:
        """Return how one reviewer stands; None for one who is no person."""
        return next((one for one in self.reviewers if one.reviewer_id == reviewer_id), None)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        quiz = self.quiz
        return {
            "rubric": self.title,
            "pass_mark": None if quiz is None else quiz.pass_mark,
            "items": [] if quiz is None else list(quiz.pair_ids),
            "explained": [] if quiz is None else sorted(quiz.explanations),
            "reviewers": [one.to_plain() for one in self.reviewers],
        }


@dataclass(frozen=True, slots=True)
class QuizResult:
    """What a reviewer is told after the answer to a gold item.

    Attributes:
        own: the first answer, which counts. gold: the decision.
        explanation: why; empty where nobody said.
        clauses: names of the clauses on which both name different sides.
        answered, asked, right: how far the reviewer is in the quiz; all 0 outside of one.
        status, pass_mark: what that means, and the share that is asked for.
    """

    pair_id: int
    judgement_id: int
    own: JudgementDraft
    gold: JudgementDraft
    is_right: bool
    explanation: str
    clauses: tuple[str, ...] = ()
    answered: int = 0
    asked: int = 0
    right: int = 0
    status: QuizStatus = "no quiz"
    pass_mark: float = PASS_MARK

    def words(self) -> str:
        """Return how far the reviewer is: "7 of 10 answered, 6 right", or how it ended."""
        if not self.asked:
            return ""
        if self.answered < self.asked:
            return f"{self.answered:,} of {counted(self.asked, 'item')} answered, {self.right:,} right"
        ended = self.status if self.status in ("passed", "failed") else "over"
        return f"{ended}: {self.right:,} of {self.asked:,} right, pass mark {100 * self.pass_mark:.0f} %"


@dataclass(frozen=True, slots=True)
class ClauseDisagreement:
    """How often a reviewer names another side than the others on one clause.

    Attributes:
        share: of the comparisons with another reviewer's answer on the same pair; the interval is by pair.
        pairs: on which they differ, newest first.
        practice: gold items that show the clause and that this reviewer has not seen, to be tried.
    """

    key: str
    name: str
    share: Estimate
    pairs: tuple[int, ...]
    practice: tuple[int, ...] = ()

    def words(self) -> str:
        """Return it as a line: "Accuracy: another side in 40 % of 10 comparisons, 3 gold pairs to practise"."""
        ready = counted(len(self.practice), "gold pair")
        compared = counted(self.share.n, "comparison")
        return f"{self.name}: another side in {100 * self.share.value:.0f} % of {compared}, {ready} to practise"

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "clause": self.key,
            "name": self.name,
            "differs": plain(self.share),
            "pairs": list(self.pairs),
            "practice": list(self.practice),
        }


def status_of(quiz: Quiz | None, waiver: Waiver | None, asked: int, answered: int, right: int) -> QuizStatus:
    """Return how a reviewer stands: a waiver counts more than a result, and a quiz is over with its last item.

    >>> status_of(Quiz(1, 0.8, (1, 2, 3, 4, 5)), None, 5, 5, 4), status_of(Quiz(1, 0.8, (1, 2)), None, 2, 1, 1)
    ('passed', 'under way')
    """
    if waiver is not None and waiver.waived:
        return "waived"
    if quiz is None:
        return "no quiz"
    if not asked:
        return "nothing to ask"
    if not answered:
        return "not begun"
    if answered < asked:
        return "under way"
    return "passed" if right >= quiz.pass_mark * asked - 1e-9 else "failed"

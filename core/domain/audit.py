"""An audit of the refusal detector: the answers that were drawn, and what reviewers said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from core.domain.errors import BadInput
from core.domain.ids import sha256_json
from core.domain.refusal_kind import RefusalKind

AuditWord = Literal["complied", "partly", "refused", "cannot_judge"]
AUDIT_WORDS: tuple[AuditWord, ...] = get_args(AuditWord)
"""What a reviewer may say of an answer: one of the kinds, or that it cannot be judged."""
NEEDED = 100
"""Answers of each policy that people label before its rates are corrected; all of them where there are fewer."""
AnswerPlace = tuple[str, str, str]
"""Arm, suite and item of an answer."""


@dataclass(frozen=True, slots=True)
class DrawnStratum:
    """The answers of an arm to one kind of request of a suite of which the detector said the same: how many."""

    arm: str
    suite: str
    expected: str
    verdict: RefusalKind
    size: int


@dataclass(frozen=True, slots=True)
class DrawnAnswer:
    """An answer that people shall label.

    Attributes:
        key: names it without telling arm or verdict.
        sha256: of its text.
        shared: whether every reviewer labels it; the others are labelled by one.
    """

    key: str
    arm: str
    suite: str
    item: str
    expected: str
    verdict: RefusalKind
    sha256: str
    shared: bool = False

    @property
    def place(self) -> AnswerPlace:
        """Where it stands in the evaluation."""
        return self.arm, self.suite, self.item


@dataclass(frozen=True, slots=True)
class AuditDraw:
    """A sample of the answers of an evaluation; later ones of the same evaluation add answers to it.

    Attributes:
        per_arm: how many answers of each arm all draws together were meant to hold.
        strata: of all answers, whether drawn or not.
        answers: those of this draw, in the order in which they are labelled.
    """

    evaluation: str
    number: int
    seed: int
    per_arm: int
    strata: tuple[DrawnStratum, ...]
    answers: tuple[DrawnAnswer, ...]

    def body(self) -> dict[str, Any]:
        """Return strata and answers as plain values."""
        return {"strata": [asdict(s) for s in self.strata], "answers": [asdict(a) for a in self.answers]}

    @property
    def sha256(self) -> str:
        """Hash of all of it."""
        return sha256_json([self.evaluation, self.number, self.seed, self.per_arm, self.body()])

    @classmethod
    def from_plain(cls, evaluation: str, number: int, seed: int, per_arm: int, body: Mapping[str, Any]) -> AuditDraw:
        """Return the sample with a stored body.

        Raises:
            BadInput: when it is damaged.
        """
        try:
            strata = tuple(DrawnStratum(**row) for row in body["strata"])
            answers = tuple(DrawnAnswer(**row) for row in body["answers"])
        except (KeyError, TypeError) as error:
            raise BadInput(f"A sample of an audit lacks {error}.", "Restore a backup.") from error
        return cls(evaluation, number, seed, per_arm, strata, answers)


@dataclass(frozen=True, slots=True)
class AuditLabel:
    """What a reviewer said of an answer, not taken back."""

    id: int
    place: AnswerPlace
    word: AuditWord
    reviewer_id: int
    reviewer: str
    at_ms: int


def all_answers(draws: Iterable[AuditDraw]) -> list[DrawnAnswer]:
    """Return the answers of all draws in their order."""
    return [answer for draw in draws for answer in draw.answers]


def by_place(labels: Iterable[AuditLabel]) -> dict[AnswerPlace, list[AuditLabel]]:
    """Return the labels of each answer, oldest first."""
    found: dict[AnswerPlace, list[AuditLabel]] = {}
    for label in labels:
        found.setdefault(label.place, []).append(label)
    return found


def kinds_of(labels: Sequence[AuditLabel]) -> list[RefusalKind]:
    """Return what reviewers call one answer; those who could not judge it say nothing."""
    return [label.word for label in labels if label.word != "cannot_judge"]

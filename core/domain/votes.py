"""Votes: what people say blind of two arms of an evaluation, and the rounds in which they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.ids import sha256_json

ArmNumber = Literal[1, 2]
"""The first or the second arm of a round."""
MARGIN = 0.1
"""What is to be detected by default: a win rate of 0.6 against one half."""
MOST_VOTES = 9


@dataclass(frozen=True, slots=True)
class VoteRequest:
    """What people are to be asked.

    Attributes:
        evaluation: its id.
        first_arm, second_arm: names of the two arms; empty for the policy and its reference.
        suites: titles; empty takes all that are not sealed. A sealed test is taken only when it is named.
        slices: (name, value) of slices; an item must be in one of them; empty takes all.
        limit: most items, drawn by ``seed``; 0 takes all.
        rubric_version_id: published; says what better means.
        votes_per_item: by different people.
        margin: the smallest distance of the win rate from one half that the planned number can detect.
        person, reason: who shows items of a sealed test, and why.
    """

    evaluation: str
    rubric_version_id: int = 0
    first_arm: str = ""
    second_arm: str = ""
    suites: tuple[str, ...] = ()
    slices: tuple[tuple[str, str], ...] = ()
    limit: int = 0
    seed: int = 0
    votes_per_item: int = 1
    margin: float = MARGIN
    person: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.margin < 0.5:
            raise UsageError("The margin lies between 0 and 0.5.", "0.1 detects a win rate of 60 %.")
        if not 1 <= self.votes_per_item <= MOST_VOTES:
            raise UsageError(f"An item gets 1 to {MOST_VOTES} votes.", "2 or 3 show how far people agree.")
        if self.limit < 0:
            raise UsageError("The number of items cannot be below 0.", "0 takes all.")

    @property
    def sha256(self) -> str:
        """Equal for requests that ask the same: who asks and why is not part of it, nor is the order of the arms."""
        return sha256_json(
            {
                "evaluation": self.evaluation,
                "rubric_version_id": self.rubric_version_id,
                "arms": sorted((self.first_arm, self.second_arm)),
                "suites": sorted(self.suites),
                "slices": sorted(map(list, self.slices)),
                "limit": self.limit,
                "seed": self.seed,
                "votes_per_item": self.votes_per_item,
                "margin": self.margin,
            }
        )


@dataclass(frozen=True, slots=True)
class VotePlan:
    """What a request comes to before anybody is asked.

    Attributes:
        first_arm, second_arm: that are compared. suites: that items are taken from.
        items: that both arms answered, after slices and limit.
        identical: of them with two equal answers, or two empty ones; these are ties that nobody is asked about.
        missing: items that one arm did not answer. repeated: further items with the same prompt.
        known: items whose two answers are a pair of the data already, which people may have labelled for training.
        sealed: of ``asked``, items of a sealed test.
        asked: items that people vote on.
        planned: decisive items that detect the margin.
        detectable: the smallest distance from one half that ``asked`` decisive items detect; None for none.
    """

    first_arm: str
    second_arm: str
    suites: tuple[str, ...]
    items: int
    identical: int
    missing: int
    repeated: int
    known: int
    sealed: int
    asked: int
    votes_per_item: int
    planned: int
    margin: float
    detectable: float | None

    @property
    def cost(self) -> int:
        """Votes that are asked for."""
        return self.asked * self.votes_per_item

    def told(self) -> list[str]:
        """Return what must be said beside the numbers, a sentence each."""
        found = []
        if self.identical:
            found.append(f"{counted(self.identical, 'item')} with identical or empty answers: counted as ties.")
        if self.missing:
            found.append(f"{counted(self.missing, 'item')} left out: one arm has no answer.")
        if self.repeated:
            found.append(f"{counted(self.repeated, 'item')} left out: the prompt is asked by another item.")
        if self.known:
            found.append(f"{counted(self.known, 'item')} left out: the two answers are a pair of the data already.")
        if self.asked < self.planned:
            short = "too few to detect any difference" if self.detectable is None else _detects(self.detectable)
            found.append(
                f"{counted(self.asked, 'item')} of the {self.planned:,} planned: {short}. "
                "The interval stays the wider one that holds at any time."
            )
        return found


def _detects(distance: float) -> str:
    return f"they detect a win rate of {50 + 100 * distance:.1f} % or more"


@dataclass(frozen=True, slots=True)
class VoteRound:
    """People are asked about two arms of an evaluation.

    Attributes:
        name: as a queue shows it; it does not say which arm is where.
        planned: decisive items that detect the margin.
        detail: suites, slices, limit, seed, margin, identical items, and how many were left out for which reason.
        asked: items that people vote on.
    """

    id: int
    uid: str
    request_sha256: str
    evaluation: str
    name: str
    first_arm: str
    second_arm: str
    rubric_version_id: int
    rubric: str
    source_id: int
    votes_per_item: int
    planned: int
    asked: int
    created_ms: int
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identical(self) -> tuple[tuple[str, str], ...]:
        """(suite, item) of those with equal answers, which count as ties."""
        return tuple((suite, item) for suite, item in self.detail.get("identical", ()))

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        return {
            "id": self.id, "uid": self.uid, "evaluation": self.evaluation, "name": self.name,
            "arms": [self.first_arm, self.second_arm], "rubric": self.rubric, "votes_per_item": self.votes_per_item,
            "planned": self.planned, "asked": self.asked, "identical": len(self.identical),
            **{key: value for key, value in self.detail.items() if key != "identical"},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class VoteItem:
    """An item of a round with its pair.

    Attributes:
        a_is: which arm gave the answer A of the pair. Only results read it.
        detail: slices, lengths of both arms' answers in tokens, and how they were generated, by arm.
    """

    pair_id: int
    suite: str
    item: str
    a_is: ArmNumber
    is_sealed: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slices(self) -> Mapping[str, str]:
        """Value by slice name."""
        return self.detail.get("slices", {})

    @property
    def longer(self) -> float:
        """Tokens of the first arm's answer minus those of the second's."""
        first, second = self.detail.get("tokens", (0, 0))
        return float(first - second)


@dataclass(frozen=True, slots=True)
class Vote:
    """A blind judgement between two arms.

    Attributes:
        outcome: 1 where the first arm won, 0 where the second did, 1/2 for a tie or two bad answers; None where the
            reviewer could not judge.
        verdict: as it was given.
        chose_left: whether the answer on the left was preferred; None without a preference.
        order: of the judgement in the log; never a clock.
    """

    pair_id: int
    reviewer: str
    outcome: float | None
    verdict: str
    chose_left: bool | None
    order: int

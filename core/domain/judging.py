"""A judge model's verdicts on answers of two arms, and how they are asked for and read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.domain.conversation import Message, Prompt
from core.domain.estimate import Estimate
from core.domain.ids import sha256_json

JudgeVerdict = Literal["first", "second", "tie", "unread"]
"""Which answer won as shown; ``unread`` where the judge named none in the form asked for."""
UNCALIBRATED = "judge not calibrated"
"""Watermark of a judge's numbers before agreement with people, both orders and an adversarial set were measured."""
PROMPT_FORMAT = 1
_VERDICT = re.compile(r"verdict\s*[:=]\s*[*\"'\[(]*\s*(1|2|tie)\b", re.IGNORECASE)
_TASK = """You compare two answers to one request. Judge by the rubric, not by length, order or style.

Rubric:
{rubric}

Answer with one or two sentences of reasons. Then write a last line that is exactly one of:
VERDICT: 1
VERDICT: 2
VERDICT: tie"""
_CASE = """Request:
{request}

Answer 1:
{first}

Answer 2:
{second}"""


@dataclass(frozen=True, slots=True)
class JudgeSetup:
    """What a judge is and what it is shown; verdicts of different setups are never pooled.

    Attributes:
        url: of the endpoint. model: its name there.
        rubric: title of the rubric version. rubric_sha256: of its content.
        prompt_format: version of the words that ask.
        seed: of the requests.
    """

    url: str
    model: str
    rubric: str
    rubric_sha256: str
    prompt_format: int = PROMPT_FORMAT
    seed: int = 0

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits that name the setup."""
        return sha256_json(asdict(self))[:12]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """One comparison in one order.

    Attributes:
        suite, item: of the evaluation. arm_a, arm_b: that answered; ``a_first`` says which stood first.
        text: what the judge wrote.
    """

    suite: str
    item: str
    arm_a: str
    arm_b: str
    a_first: bool
    verdict: JudgeVerdict
    text: str

    @property
    def score_of_a(self) -> float | None:
        """1 where the answer of ``arm_a`` won, 1/2 for a tie, 0 where it lost, None where nothing could be read."""
        if self.verdict == "unread":
            return None
        if self.verdict == "tie":
            return 0.5
        return 1.0 if (self.verdict == "first") == self.a_first else 0.0

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> JudgedCase:
        """Return the case that :meth:`to_plain` wrote."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class JudgeReplaces:
    """Whether a judge may stand in for a person by the alternative test.

    Attributes:
        winning_rate: share of people against whom the judge held; it may replace people from one half.
        advantage: mean probability that it agrees with the others at least as well as the person left out.
        passes: whether the winning rate reaches one half. missing: why it could not be tested; "" where it was.
    """

    winning_rate: Estimate
    advantage: Estimate
    passes: bool = False
    missing: str = ""


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """What a judge said of two arms, and how far it can be trusted.

    Attributes:
        win_rate: of ``arm_a``, from pairs judged in both orders; where the orders disagree it is a tie.
        swap: share decided alike in both orders. agreement: with people on the same items.
        adversarial: share right where length and style mislead. longer: share of decided pairs that the longer one won.
        unread: share of answers of the judge that named no verdict.
        watermarks: :data:`UNCALIBRATED` until all three audits were made.
        replaces: the alternative test against people who voted on the same items; None where none of them did.
    """

    setup: JudgeSetup
    arm_a: str
    arm_b: str
    win_rate: Estimate
    swap: Estimate
    agreement: Estimate
    adversarial: Estimate
    longer: Estimate
    unread: Estimate
    watermarks: tuple[str, ...]
    replaces: JudgeReplaces | None = None


def replaces_words(found: JudgeReplaces) -> str:
    """Return in a sentence whether the judge may stand in for a person."""
    if found.missing:
        return f"Not tested whether the judge may replace a person: {found.missing}"
    may = "may replace a person" if found.passes else "may not replace a person"
    return (
        f"Alternative test: the judge {may}; it held against {100 * found.winning_rate.value:.0f} % of "
        f"{found.winning_rate.n} people (it needs 50 %), advantage {found.advantage.value:.2f}."
    )


def judge_prompt(rubric: str, request: Prompt, first: str, second: str) -> Prompt:
    """Return the prompt that asks a judge about two answers in this order."""
    turns = "\n\n".join(f"[{turn.role}] {turn.content}" for turn in request.messages)
    case = _CASE.format(request=turns, first=first, second=second)
    return Prompt((Message("system", _TASK.format(rubric=rubric)), Message("user", case)))


def read_verdict(text: str) -> JudgeVerdict:
    """Return what a judge decided: the last line of the form asked for counts.

    >>> read_verdict("The first is right.\\nVERDICT: 1"), read_verdict("**Verdict: tie**"), read_verdict("Both fine.")
    ('first', 'tie', 'unread')
    """
    found = _VERDICT.findall(text)
    if not found:
        return "unread"
    words: dict[str, JudgeVerdict] = {"1": "first", "2": "second", "tie": "tie"}
    return words[found[-1].lower()]

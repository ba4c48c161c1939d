"""Judgements: what one reviewer said of one presentation of a pair, under one rubric version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from core.domain.errors import BadInput
from core.domain.pair import Side


class Verdict(StrEnum):
    """The kinds of answer to "which is better?"."""

    PREFER = "prefer"
    TIE = "tie"
    NEITHER = "neither"
    CANNOT_JUDGE = "cannot_judge"


class Task(StrEnum):
    """Why a pair is presented. A reviewer cannot tell the tasks apart."""

    LABEL = "label"
    GOLD = "gold"
    RETEST = "retest"
    ADJUDICATE = "adjudicate"
    RELABEL = "relabel"
    IMPORTED = "imported"


CANNOT_JUDGE_REASONS: dict[str, str] = {
    "no_expertise": "I lack the expertise",
    "bad_prompt": "The prompt makes no sense",
    "language": "Not a language I read",
    "broken_text": "The text is broken",
    "needs_tool": "It needs a tool I do not have",
    "other": "Another reason",
}
FLAGS: dict[str, str] = {
    "pii": "Personal data",
    "unsafe": "Unsafe content",
    "bad_prompt": "Bad prompt",
    "language": "Wrong language",
    "truncated": "Truncated answer",
    "names_model": "Names a model",
    "duplicate": "Duplicate",
}

SPAN_TAGS: dict[str, str] = {
    "error": "Factual error",
    "unsafe": "Unsafe",
    "off_topic": "Off topic",
    "unclear": "Unclear",
    "repeated": "Repeats itself",
    "good": "Good",
}
"""Tags of a span, with their names for people."""


class ReviewerKind(StrEnum):
    """People, labels that came with a file, and stated rules."""

    HUMAN = "human"
    IMPORTED = "imported"
    SCRIPTED = "scripted"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who judged: a pseudonym, never a person's data."""

    id: int
    name: str
    kind: ReviewerKind
    note: str = ""


@dataclass(frozen=True, slots=True)
class JudgementDraft:
    """What a reviewer answered, in canonical sides, before it is stored.

    Attributes:
        verdict: prefer, tie, neither valid, cannot judge.
        strength: -3..3 and not 0 for ``prefer``; negative favours A, positive favours B. None otherwise.
        criteria: criterion id -> strength -3..3 on that criterion (0 equal), same sign rule.
        reason: a key of ``CANNOT_JUDGE_REASONS`` for ``cannot_judge``, else empty.
        confidence: 1 low, 2 middle, 3 high, or None.
        spans: ``{"side": "A"|"B", "start": int, "end": int, "tag": str, "note": str}``.
        edit: an improved text of the preferred response, or None.
        process: how it came about (times in ms, key or mouse, read fractions); no judgement is valued by it.

    Raises:
        BadInput: when verdict, strength and reason contradict each other.
    """

    verdict: Verdict
    strength: int | None = None
    criteria: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    rationale: str = ""
    flags: tuple[str, ...] = ()
    confidence: int | None = None
    spans: tuple[dict[str, Any], ...] = ()
    edit: str | None = None
    process: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        prefers = self.verdict is Verdict.PREFER
        if prefers and (self.strength is None or self.strength == 0 or abs(self.strength) > 3):
            raise BadInput("A preference needs a strength between -3 and 3 that is not 0.")
        if not prefers and self.strength is not None:
            raise BadInput(f"A {self.verdict} verdict has no strength.")
        if (self.verdict is Verdict.CANNOT_JUDGE) != bool(self.reason):
            raise BadInput("A reason belongs to 'cannot judge', and it needs one.")
        if self.reason and self.reason not in CANNOT_JUDGE_REASONS:
            raise BadInput(f"Unknown reason {self.reason!r}.")
        if any(abs(v) > 3 for v in self.criteria.values()):
            raise BadInput("A criterion's strength lies between -3 and 3.")
        if unknown := [f for f in self.flags if f not in FLAGS]:
            raise BadInput(f"Unknown flag {unknown[0]!r}.")

    @property
    def preferred(self) -> Side | None:
        """The canonical side that won, or None."""
        if self.strength is None:
            return None
        return "A" if self.strength < 0 else "B"


def check_spans(spans: Iterable[dict[str, Any]]) -> None:
    """Refuse spans that cannot be located in their answer.

    Only new judgements are checked: what an earlier version of the program stored stays readable.

    Raises:
        BadInput: naming what is wrong.
    """
    for span in spans:
        _check_span(span)


def _check_span(span: dict[str, Any]) -> None:
    start, end = span.get("start"), span.get("end")
    if span.get("side") not in ("A", "B") or not isinstance(start, int) or not isinstance(end, int):
        raise BadInput("A span needs a side, a start and an end.")
    if not 0 <= start < end:
        raise BadInput("A span must end after its start.")
    if span.get("tag") not in SPAN_TAGS:
        raise BadInput(f"Unknown tag of a span: {span.get('tag')!r}.")


@dataclass(frozen=True, slots=True)
class Judgement:
    """One stored judgement. ``kind`` "retract" takes back the one it supersedes."""

    id: int
    uid: str
    presentation_id: int
    pair_id: int
    reviewer: Reviewer
    rubric_version_id: int
    rubric_title: str
    task: Task
    left_is: Side
    kind: Literal["label", "retract"]
    draft: JudgementDraft | None
    supersedes: int | None
    at_ms: int
    current: bool = True


def from_screen(side_strength: int, left_is: Side) -> int:
    """Turn a strength as seen on the screen (negative: left is better) into the canonical one.

    >>> from_screen(-2, "A"), from_screen(-2, "B")
    (-2, 2)
    """
    return side_strength if left_is == "A" else -side_strength


def to_screen(strength: int, left_is: Side) -> int:
    """Turn a canonical strength into the one seen on the screen; the inverse of :func:`from_screen`."""
    return strength if left_is == "A" else -strength


def screen_words(draft: JudgementDraft | None, left_is: Side) -> str:
    """Return the verdict in a few words by the sides of a screen: "Left much better", "Tie", "Neither valid".

    >>> screen_words(JudgementDraft(Verdict.PREFER, -3), "B")
    'Right much better'
    """
    words = describe(draft)
    if draft is None or draft.strength is None:
        return words[:1].upper() + words[1:]
    side = "Left" if to_screen(draft.strength, left_is) < 0 else "Right"
    return f"{side} {words.split(' ', 1)[1]}"


def describe(draft: JudgementDraft | None) -> str:
    """Return the verdict in a few words, canonical sides: "A much better", "tie", "neither valid"."""
    if draft is None:
        return "taken back"
    if draft.verdict is Verdict.PREFER and draft.strength is not None:
        words = {1: "slightly better", 2: "better", 3: "much better"}
        return f"{draft.preferred} {words[abs(draft.strength)]}"
    return {"tie": "tie", "neither": "neither valid", "cannot_judge": "cannot judge"}[draft.verdict.value]

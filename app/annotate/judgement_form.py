"""The judgement as it is being filled in: strengths, spans and edits by side of the screen. No widgets, no services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict, cast

from core.domain.judgement import JudgementDraft, Verdict, from_screen, to_screen
from core.domain.pair import Side

ScreenSide = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """A tagged part of one answer.

    Attributes:
        start: offset of its first character in the stored text; ``end`` is the offset behind its last one.
        tag: a key of ``core.domain.judgement.SPAN_TAGS``.
    """

    side: ScreenSide
    start: int
    end: int
    tag: str
    note: str = ""


class StoredForm(TypedDict, total=False):
    """A form as a draft stores it. A key that is missing has the value of an empty form."""

    strength: int | None
    verdict: str | None
    reason: str
    criteria: dict[str, int]
    rationale: str
    flags: list[str]
    confidence: int | None
    edits: dict[ScreenSide, str]
    spans: Sequence[tuple[ScreenSide, int, int, str, str]]


@dataclass(slots=True)
class JudgementForm:
    """What is filled in for one pair.

    Attributes:
        strength: -3..3 without 0, negative when the left answer is better; None for other verdicts than "prefer".
        verdict: None until one is chosen.
        reason: a key of ``CANNOT_JUDGE_REASONS`` for "cannot judge", else empty.
        criteria: criterion id -> strength -3..3, same sign rule.
        confidence: 1 low, 2 middle, 3 high, or None.
        edits: improved texts by side. Only the one of the preferred answer is stored with the judgement.
        spans: in the order in which they were added.
        verdict_history: every verdict chosen since the form was opened; it is stored with the judgement's process
            data, not with a draft.
    """

    strength: int | None = None
    verdict: Verdict | None = None
    reason: str = ""
    criteria: dict[str, int] = field(default_factory=dict)
    rationale: str = ""
    flags: set[str] = field(default_factory=set)
    confidence: int | None = None
    edits: dict[ScreenSide, str] = field(default_factory=dict)
    spans: list[AnswerSpan] = field(default_factory=list)
    verdict_history: list[str] = field(default_factory=list, compare=False)

    @property
    def complete(self) -> bool:
        """Whether it can be committed."""
        return self.verdict is not None

    @property
    def preferred_side(self) -> ScreenSide | None:
        """The side of the better answer, or None without a preference."""
        if self.strength is None:
            return None
        return "left" if self.strength < 0 else "right"

    @property
    def screen_strength(self) -> int | None:
        """The point of the scale that is chosen, -3..3, where 0 is a tie; None for other verdicts."""
        return 0 if self.verdict is Verdict.TIE else self.strength

    def prefer(self, strength: int) -> None:
        """Choose a strength -3..3; 0 is a tie."""
        self.verdict = Verdict.TIE if strength == 0 else Verdict.PREFER
        self.strength, self.reason = strength or None, ""
        self.verdict_history.append(f"{strength:+d}")

    def reject_both(self) -> None:
        """Choose "neither valid"."""
        self._set_without_strength(Verdict.NEITHER)

    def give_up(self, reason: str) -> None:
        """Choose "cannot judge" for a reason, a key of ``CANNOT_JUDGE_REASONS``."""
        self._set_without_strength(Verdict.CANNOT_JUDGE, reason)

    def rate(self, criterion_id: str, strength: int | None) -> None:
        """Answer one criterion; None removes its answer."""
        if strength is None:
            self.criteria.pop(criterion_id, None)
        else:
            self.criteria[criterion_id] = strength

    def toggle_flag(self, flag: str) -> None:
        """Set a flag that is not set, remove one that is."""
        self.flags ^= {flag}

    def set_edit(self, side: ScreenSide, text: str, original: str) -> bool:
        """Keep an improved text of the answer ``original``; return whether one is kept now.

        An empty text, or one that equals the answer, removes the edit.
        """
        if not text.strip() or text == original:
            self.edits.pop(side, None)
        else:
            self.edits[side] = text
        return side in self.edits

    def add_span(self, side: ScreenSide, start: int, end: int, tag: str) -> None:
        """Tag a part of an answer; the same part again gets the new tag."""
        others = [span for span in self.spans if (span.side, span.start, span.end) != (side, start, end)]
        self.spans = [*others, AnswerSpan(side, start, end, tag)]

    def remove_span(self, span: AnswerSpan) -> None:
        """Remove a span."""
        self.spans = [other for other in self.spans if other != span]

    def to_stored(self) -> StoredForm:
        """Return plain values for a draft."""
        return {
            "strength": self.strength,
            "verdict": self.verdict.value if self.verdict else None,
            "reason": self.reason,
            "criteria": dict(self.criteria),
            "rationale": self.rationale,
            "flags": sorted(self.flags),
            "confidence": self.confidence,
            "edits": dict(self.edits),
            "spans": [(span.side, span.start, span.end, span.tag, span.note) for span in self.spans],
        }

    @classmethod
    def from_stored(cls, row: Mapping[str, object]) -> JudgementForm:
        """Return the form that :meth:`to_stored` gave, or that JSON made of it."""
        stored = cast("StoredForm", row)
        verdict = stored.get("verdict")
        return cls(
            strength=stored.get("strength"),
            verdict=Verdict(verdict) if verdict else None,
            reason=stored.get("reason", ""),
            criteria=dict(stored.get("criteria", {})),
            rationale=stored.get("rationale", ""),
            flags=set(stored.get("flags", ())),
            confidence=stored.get("confidence"),
            edits=dict(stored.get("edits", {})),
            spans=[AnswerSpan(*span) for span in stored.get("spans", ())],
        )

    def to_draft(self, left_is: Side, *, shown_ms: int, active_ms: int) -> JudgementDraft:
        """Return the judgement in canonical sides, ready to be stored.

        Args:
            left_is: the response that stands on the left.
            shown_ms: milliseconds since the pair was shown.
            active_ms: milliseconds of them in which the reviewer worked.

        Raises:
            BadInput: no verdict is chosen, or the parts contradict each other.
        """
        return JudgementDraft(
            verdict=self.verdict,  # type: ignore[arg-type]  # JudgementDraft refuses None with the right message
            strength=None if self.strength is None else from_screen(self.strength, left_is),
            criteria={key: from_screen(value, left_is) for key, value in self.criteria.items()},
            reason=self.reason,
            rationale=self.rationale.strip(),
            flags=tuple(sorted(self.flags)),
            confidence=self.confidence,
            spans=tuple(
                {
                    "side": canonical_side(span.side, left_is),
                    "start": span.start,
                    "end": span.end,
                    "tag": span.tag,
                    "note": span.note,
                }
                for span in self.spans
            ),
            edit=None if self.preferred_side is None else self.edits.get(self.preferred_side),
            process={"shown_ms": shown_ms, "active_ms": active_ms, "changes_of_mind": list(self.verdict_history)},
        )

    @classmethod
    def from_draft(cls, draft: JudgementDraft, left_is: Side) -> JudgementForm:
        """Return a stored judgement as a form; the inverse of :meth:`to_draft`."""
        form = cls(
            strength=None if draft.strength is None else to_screen(draft.strength, left_is),
            verdict=draft.verdict,
            reason=draft.reason,
            criteria={key: to_screen(value, left_is) for key, value in draft.criteria.items()},
            rationale=draft.rationale,
            flags=set(draft.flags),
            confidence=draft.confidence,
            spans=[
                AnswerSpan(screen_side(s["side"], left_is), s["start"], s["end"], s["tag"], s.get("note", ""))
                for s in draft.spans
            ],
        )
        if draft.edit is not None and form.preferred_side is not None:
            form.edits[form.preferred_side] = draft.edit
        return form

    def _set_without_strength(self, verdict: Verdict, reason: str = "") -> None:
        self.verdict, self.strength, self.reason = verdict, None, reason
        self.verdict_history.append(verdict.value)


def canonical_side(side: ScreenSide, left_is: Side) -> Side:
    """Return the response that stands on a side of the screen.

    >>> canonical_side("left", "B"), canonical_side("right", "B")
    ('B', 'A')
    """
    return left_is if side == "left" else ("B" if left_is == "A" else "A")


def screen_side(response: Side, left_is: Side) -> ScreenSide:
    """Return the side of the screen on which a response stands.

    >>> screen_side("A", "B"), screen_side("B", "B")
    ('right', 'left')
    """
    return "left" if response == left_is else "right"

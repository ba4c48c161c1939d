"""The answer so far, as the reviewer sees it: strengths, spans and edits by screen side. No widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.domain.judgement import JudgementDraft, Verdict, from_screen, to_screen
from core.domain.pair import Side

SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A marked stretch of one answer: offsets into the stored text, and what was found there."""

    side: str
    start: int
    end: int
    tag: str
    note: str = ""


@dataclass(slots=True)
class Answer:
    """The answer so far, in screen sides: negative means the left answer is better.

    Attributes:
        edits: screen side -> improved text. One may be written for either side; the one of the preferred
            answer is stored with the judgement.
        spans: marked stretches, in the order in which they were marked.
    """

    strength: int | None = None
    verdict: Verdict | None = None
    reason: str = ""
    criteria: dict[str, int] = field(default_factory=dict)
    rationale: str = ""
    flags: set[str] = field(default_factory=set)
    confidence: int | None = None
    edits: dict[str, str] = field(default_factory=dict)
    spans: list[Stretch] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether it can be committed."""
        return self.verdict is not None

    @property
    def preferred_side(self) -> str:
        """ "left", "right" or an empty text."""
        if self.strength is None:
            return ""
        return "left" if self.strength < 0 else "right"

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for a stored draft."""
        return {
            "strength": self.strength,
            "verdict": self.verdict.value if self.verdict else None,
            "reason": self.reason,
            "criteria": dict(self.criteria),
            "rationale": self.rationale,
            "flags": sorted(self.flags),
            "confidence": self.confidence,
            "edits": dict(self.edits),
            "spans": [[s.side, s.start, s.end, s.tag, s.note] for s in self.spans],
        }

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> Answer:
        """Return the answer that :meth:`to_plain` wrote."""
        verdict = row.get("verdict")
        return cls(
            strength=row.get("strength"),
            verdict=Verdict(verdict) if verdict else None,
            reason=row.get("reason", ""),
            criteria=dict(row.get("criteria", {})),
            rationale=row.get("rationale", ""),
            flags=set(row.get("flags", ())),
            confidence=row.get("confidence"),
            edits=dict(row.get("edits", {})),
            spans=[Stretch(*span) for span in row.get("spans", ())],
        )

    def to_draft(self, left_is: Side, process: dict[str, Any]) -> JudgementDraft:
        """Return it in canonical sides, ready to be stored.

        Raises:
            BadInput: when it is not complete or contradicts itself.
        """
        return JudgementDraft(
            verdict=self.verdict,  # type: ignore[arg-type]
            strength=None if self.strength is None else from_screen(self.strength, left_is),
            criteria={key: from_screen(value, left_is) for key, value in self.criteria.items()},
            reason=self.reason,
            rationale=self.rationale.strip(),
            flags=tuple(sorted(self.flags)),
            confidence=self.confidence,
            spans=tuple(
                {"side": canonical_side(s.side, left_is), "start": s.start, "end": s.end, "tag": s.tag, "note": s.note}
                for s in self.spans
            ),
            edit=self.edits.get(self.preferred_side),
            process=process,
        )


def answer_of(draft: JudgementDraft, left_is: Side) -> Answer:
    """Return a stored judgement as an answer in screen sides; the inverse of :meth:`Answer.to_draft`."""
    made = Answer(
        strength=None if draft.strength is None else to_screen(draft.strength, left_is),
        verdict=draft.verdict,
        reason=draft.reason,
        criteria={key: to_screen(value, left_is) for key, value in draft.criteria.items()},
        rationale=draft.rationale,
        flags=set(draft.flags),
        confidence=draft.confidence,
        spans=[
            Stretch("left" if s["side"] == left_is else "right", s["start"], s["end"], s["tag"], s.get("note", ""))
            for s in draft.spans
        ],
    )
    if draft.edit is not None:
        made.edits[made.preferred_side] = draft.edit
    return made


def canonical_side(side: str, left_is: Side) -> Side:
    """Return which response stands on a side of the screen.

    >>> canonical_side("left", "B"), canonical_side("right", "B")
    ('B', 'A')
    """
    return left_is if side == "left" else ("B" if left_is == "A" else "A")

"""What lies on the labelling desk: the pair shown, the answer so far, and what may be committed. No widgets."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from core.domain.judgement import JudgementDraft, Verdict, from_screen, to_screen

IDLE_CUT_S = 60.0
"""A pause between two acts longer than this does not count as work."""


@dataclass(slots=True)
class Answer:
    """The answer so far, in screen sides: negative means the left answer is better."""

    strength: int | None = None
    verdict: Verdict | None = None
    reason: str = ""
    criteria: dict[str, int] = field(default_factory=dict)
    rationale: str = ""
    flags: set[str] = field(default_factory=set)
    confidence: int | None = None
    edit: str | None = None
    spans: list[dict[str, Any]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether it can be committed."""
        return self.verdict is not None

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
            "edit": self.edit,
            "spans": list(self.spans),
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
            edit=row.get("edit"),
            spans=list(row.get("spans", ())),
        )


class Desk:
    """The pair on the screen, those fetched ahead, and the answer being given.

    Args:
        clock: seconds, monotonic; tests give their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.current: Any | None = None
        self.answer = Answer()
        self.ahead: deque[Any] = deque()
        self.looking_back: int | None = None
        self.paused = False
        self._shown_at = self._acted_at = 0.0
        self._active_s = 0.0
        self._changes: list[str] = []

    def fill(self, showings: Iterable[Any]) -> None:
        """Put showings fetched ahead behind those that wait."""
        known = {s.presentation_uid for s in self.ahead}
        if self.current is not None:
            known.add(self.current.presentation_uid)
        self.ahead.extend(s for s in showings if s.presentation_uid not in known)

    def advance(self) -> Any | None:
        """Show the next waiting pair; None when there is none."""
        return self.show(self.ahead.popleft() if self.ahead else None)

    def show(self, showing: Any | None, looking_back: int | None = None) -> Any | None:
        """Put a showing on the desk with its draft or former answer; ``looking_back`` is a judgement's id."""
        self.current, self.looking_back = showing, looking_back
        self.answer = Answer()
        self._changes = []
        self._active_s = 0.0
        self._shown_at = self._acted_at = self._clock()
        if showing is not None:
            if showing.answer is not None:
                self.answer = answer_of(showing.answer, showing.left_is)
            elif showing.draft:
                self.answer = Answer.from_plain(showing.draft)
        return showing

    def put_back(self, showing: Any, answer: Answer, looking_back: int | None = None) -> None:
        """Take a pair back onto the desk whose commit failed, with everything that was filled in."""
        self.set_aside()
        self.show(showing, looking_back)
        self.answer = answer

    def set_aside(self) -> None:
        """Put the pair on the desk in front of those that wait; an earlier decision is only closed."""
        if self.current is not None and self.looking_back is None:
            self.ahead.appendleft(replace(self.current, draft=self.answer.to_plain(), answer=None))
        self.current = None

    def drop(self, pair_id: int) -> None:
        """Take a pair off the desk and out of those that wait: it was answered another way."""
        self.ahead = deque(s for s in self.ahead if s.pair_id != pair_id)
        if self.current is not None and self.current.pair_id == pair_id:
            self.show(None)

    def act(self) -> None:
        """Count the time since the last act as work, unless it was a pause."""
        now = self._clock()
        self._active_s += min(now - self._acted_at, IDLE_CUT_S) if not self.paused else 0.0
        self._acted_at = now

    def prefer(self, strength: int) -> None:
        """Choose a screen strength -3..3; 0 is a tie."""
        self.act()
        self.answer.verdict = Verdict.TIE if strength == 0 else Verdict.PREFER
        self.answer.strength = strength if strength else None
        self.answer.reason = ""
        self._changes.append(f"{strength:+d}")

    def neither(self) -> None:
        """Choose "neither is valid"."""
        self._settle(Verdict.NEITHER)

    def cannot_judge(self, reason: str) -> None:
        """Choose "cannot judge" with its reason."""
        self._settle(Verdict.CANNOT_JUDGE, reason)

    def _settle(self, verdict: Verdict, reason: str = "") -> None:
        self.act()
        self.answer.verdict, self.answer.strength, self.answer.reason = verdict, None, reason
        self._changes.append(verdict.value)

    def rate(self, criterion: str, strength: int | None) -> None:
        """Answer one criterion in screen sides; None takes the answer back."""
        self.act()
        if strength is None:
            self.answer.criteria.pop(criterion, None)
        else:
            self.answer.criteria[criterion] = strength

    def toggle_flag(self, flag: str) -> bool:
        """Set or take back a flag; returns whether it is set now."""
        self.act()
        self.answer.flags ^= {flag}
        return flag in self.answer.flags

    @property
    def preferred_side(self) -> str:
        """ "left", "right" or an empty text."""
        if self.answer.strength is None:
            return ""
        return "left" if self.answer.strength < 0 else "right"

    def draft(self) -> JudgementDraft:
        """Return the answer in canonical sides, ready to be stored.

        Raises:
            BadInput: when it is not complete or contradicts itself.
        """
        self.act()
        left_is, answer = self.current.left_is, self.answer  # type: ignore[union-attr]
        strength = None if answer.strength is None else from_screen(answer.strength, left_is)
        return JudgementDraft(
            verdict=answer.verdict,  # type: ignore[arg-type]
            strength=strength,
            criteria={key: from_screen(value, left_is) for key, value in answer.criteria.items()},
            reason=answer.reason,
            rationale=answer.rationale.strip(),
            flags=tuple(sorted(answer.flags)),
            confidence=answer.confidence,
            spans=tuple(answer.spans),
            edit=answer.edit,
            process={
                "shown_ms": round(1000 * (self._clock() - self._shown_at)),
                "active_ms": round(1000 * self._active_s),
                "changes_of_mind": list(self._changes),
            },
        )


def answer_of(draft: JudgementDraft, left_is: Any) -> Answer:
    """Return a stored judgement as an answer in screen sides."""
    return Answer(
        strength=None if draft.strength is None else to_screen(draft.strength, left_is),
        verdict=draft.verdict,
        reason=draft.reason,
        criteria={key: to_screen(value, left_is) for key, value in draft.criteria.items()},
        rationale=draft.rationale,
        flags=set(draft.flags),
        confidence=draft.confidence,
        edit=draft.edit,
        spans=list(draft.spans),
    )

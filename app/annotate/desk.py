"""What lies on the labelling desk: the pair shown, the answer so far, and what may be committed. No widgets."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Set
from dataclasses import replace
from typing import Any

from app.annotate.answer import Answer, Stretch, answer_of
from core.domain.judgement import JudgementDraft, Verdict

IDLE_CUT_S = 60.0
"""A pause between two acts longer than this does not count as work."""


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
        self._touched = False
        self._initial = self.answer.to_plain()

    def fill(self, showings: Iterable[Any]) -> None:
        """Put showings fetched ahead behind those that wait."""
        known = {s.presentation_uid for s in self.ahead}
        if self.current is not None:
            known.add(self.current.presentation_uid)
        self.ahead.extend(s for s in showings if s.presentation_uid not in known)

    def renew(self, showings: Iterable[Any], sent: Set[int]) -> None:
        """Put the showings of a queue that was opened anew in place of those that wait.

        What was filled in on one of them stays. Pairs of ``sent`` were answered while it was opened; neither they
        nor the pair on the desk come again.
        """
        filled = {s.presentation_uid: s for s in self.ahead if s.draft}
        here = {self.current.pair_id} if self.current is not None and self.looking_back is None else set()
        self.ahead.clear()
        self.fill(filled.get(s.presentation_uid, s) for s in showings if s.pair_id not in sent | here)

    def advance(self) -> Any | None:
        """Show the next waiting pair; None when there is none."""
        return self.show(self.ahead.popleft() if self.ahead else None)

    def show(self, showing: Any | None, looking_back: int | None = None) -> Any | None:
        """Put a showing on the desk with its draft or former answer; ``looking_back`` is a judgement's id."""
        self.current, self.looking_back = showing, looking_back
        self.answer = Answer()
        self._changes = []
        self._touched = False
        self._active_s = 0.0
        self._shown_at = self._acted_at = self._clock()
        if showing is not None:
            if showing.answer is not None:
                self.answer = answer_of(showing.answer, showing.left_is)
            elif showing.draft:
                self.answer = Answer.from_plain(showing.draft)
        self._initial = self.answer.to_plain()
        return showing

    def put_back(self, showing: Any, answer: Answer, looking_back: int | None = None) -> None:
        """Take a pair back onto the desk whose commit failed, with everything that was filled in."""
        self.set_aside()
        self.show(showing, looking_back)
        self.answer = answer
        self._touched = True

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
        self._touched = True

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
        return self.answer.preferred_side

    def text_of(self, side: str) -> str:
        """Return the answer that stands on a side."""
        return getattr(self.current, side, "")

    def set_edit(self, side: str, text: str) -> bool:
        """Keep an improved text of the answer on a side; returns whether one is kept now.

        An empty text, or one that says the same as the answer, takes the edit back.
        """
        self.act()
        if not text.strip() or text == self.text_of(side):
            self.answer.edits.pop(side, None)
        else:
            self.answer.edits[side] = text
        return side in self.answer.edits

    def mark(self, side: str, start: int, end: int, tag: str) -> None:
        """Mark a stretch; marking the very same one again changes its tag."""
        self.act()
        rest = [s for s in self.answer.spans if (s.side, s.start, s.end) != (side, start, end)]
        self.answer.spans = [*rest, Stretch(side, start, end, tag)]

    def unmark(self, stretch: Stretch) -> None:
        """Take a mark away."""
        self.act()
        self.answer.spans = [s for s in self.answer.spans if s != stretch]

    @property
    def touched(self) -> bool:
        """Whether anything was done on the pair since it was shown."""
        return self._touched

    @property
    def changed(self) -> bool:
        """Whether the answer differs from the one the pair came with."""
        return self.answer.to_plain() != self._initial

    def draft(self) -> JudgementDraft:
        """Return the answer in canonical sides, ready to be stored.

        Raises:
            BadInput: when it is not complete or contradicts itself.
        """
        self.act()
        process = {
            "shown_ms": round(1000 * (self._clock() - self._shown_at)),
            "active_ms": round(1000 * self._active_s),
            "changes_of_mind": list(self._changes),
        }
        return self.answer.to_draft(self.current.left_is, process)  # type: ignore[union-attr]

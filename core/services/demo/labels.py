"""The rules of the demo's scripted reviewers: pure functions of the two texts.

``rule-steps`` asks, in this order: which answer has more numbered steps (up to nine), which one ends, which
one opens without filler. ``rule-plain`` asks first which one ends without repeating itself, then for steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from core.domain.judgement import JudgementDraft, Verdict

FILLER = ("certainly", "sure", "great question", "i'm happy", "i am happy", "of course", "as an", "to answer", "well,")
_STEP = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+\S", re.MULTILINE)
MAX_STEPS = 9


def steps(text: str) -> int:
    """Return how many numbered or bulleted steps an answer has; more than nine count as nine."""
    return min(MAX_STEPS, len(_STEP.findall(text)))


def complete(text: str) -> bool:
    """Return whether an answer ends like one and does not say a line twice."""
    lines = [line.strip().lower() for line in text.splitlines() if len(line.strip()) > 12]
    return text.rstrip().endswith((".", "!", "?", ":", ")")) and len(set(lines)) == len(lines)


def opens_plainly(text: str) -> bool:
    """Return whether an answer begins without filler."""
    return not text.strip().lower().startswith(FILLER)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def criteria(a: str, b: str) -> dict[str, int]:
    """Return the strength on each criterion, negative when A is better."""
    more = steps(b) - steps(a)
    return {
        "steps": _sign(more) * (3 if 0 in (steps(a), steps(b)) and abs(more) > 1 else min(2, abs(more))),
        "complete": 2 * (complete(b) - complete(a)),
        "filler": 2 * (opens_plainly(b) - opens_plainly(a)),
    }


def rule_steps(a: str, b: str) -> JudgementDraft:
    """Judge by steps first, then completeness, then filler."""
    return _by_order(criteria(a, b), ("steps", "complete", "filler"))


def rule_plain(a: str, b: str) -> JudgementDraft:
    """Judge by completeness first, then steps."""
    return _by_order(criteria(a, b), ("complete", "steps", "filler"))


RULES: dict[str, Callable[[str, str], JudgementDraft]] = {"rule-steps": rule_steps, "rule-plain": rule_plain}


def _by_order(found: dict[str, int], order: tuple[str, ...]) -> JudgementDraft:
    first = next((key for key in order if found[key]), "")
    if not first:
        return JudgementDraft(Verdict.TIE, criteria=found, rationale="The rule finds no difference.")
    strength = found[first]
    words = "first" if strength < 0 else "second"
    return JudgementDraft(
        Verdict.PREFER,
        strength=strength,
        criteria=found,
        rationale=f"Decided by {first}: the {words} answer in canonical order is better.",
    )


def under(draft: JudgementDraft, known: set[str]) -> JudgementDraft:
    """Return the draft with the criteria of a rubric version only."""
    kept = {key: value for key, value in draft.criteria.items() if key in known}
    return JudgementDraft(
        draft.verdict, strength=draft.strength, criteria=kept, rationale=draft.rationale, process={"rule": True}
    )

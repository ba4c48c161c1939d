"""How feedback events are told in a table, beside it and in chips. No widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.local_time import local_time
from core.domain.clock import now_ms
from core.domain.consent import OTHER_USE, Consent
from core.domain.counting import counted
from core.domain.feedback import Decision, FeedbackCounts, FeedbackEvent

KINDS: tuple[tuple[str, str], ...] = (
    ("thumbs", "Thumbs"),
    ("correction", "Correction"),
    ("attack", "Attack"),
    ("complaint", "Complaint"),
    ("text", "Free text"),
)
"""Kind and its word."""
CONSENTS: tuple[tuple[str, str], ...] = (
    ("", "Consent: any"),
    ("granted", "Consent: granted"),
    ("unknown", "Consent: unknown"),
    ("withdrawn", "Consent: withdrawn"),
    (OTHER_USE, "Consent: other use"),
)
"""Filters by consent, as it counts now."""
TONES: Mapping[str, str] = {"granted": "ok", "unknown": "warn", "withdrawn": "bad", OTHER_USE: "warn"}
REMOVED = "text removed, hash kept"
ATTACK_NOTE = "An attack never enters helpful training. It can become an item of a suite."
_AGES = ((60_000, "now", 1), (3_600_000, "min", 60_000), (86_400_000, "h", 3_600_000), (1 << 62, "d", 86_400_000))
_OPS = {
    "label": "to labelling",
    "wait": "to labelling, waits for a second answer",
    "rubric": "to a rubric",
    "suite": "to a suite",
    "reject": "rejected",
    "undo": "taken back",
}


def kind_text(event: FeedbackEvent) -> str:
    """Return what an event is: "thumbs down", "attack"."""
    if event.kind == "thumbs" and event.content is not None:
        return "thumbs up" if event.content.thumb == 1 else "thumbs down"
    return "free text" if event.kind == "text" else event.kind


def line_of(event: FeedbackEvent) -> str:
    """Return the words that tell an event apart, as one line."""
    return REMOVED if event.content is None else " ".join(event.content.headline.split())


def consent_word(event: FeedbackEvent) -> str:
    """Return the consent of an event as it counts now."""
    return event.consent.effective(now_ms())


def state_text(event: FeedbackEvent) -> str:
    """Return what became of an event."""
    decision = event.decision
    if event.withdrawn:
        return "tombstoned"
    if decision is None or event.state == "open":
        return "new"
    target = decision.target
    batch = f", batch {target['batch']}" if target.get("batch") else ""
    return {
        "label": f"pair {decision.pair_id}{batch}",
        "wait": "waits for a second answer",
        "rubric": f"rubric {target.get('rubric', '')}",
        "suite": f"suite {target.get('suite', '')}",
        "reject": "rejected",
    }[decision.op]


def state_colour(event: FeedbackEvent) -> str:
    """Return the token of the state's colour."""
    if event.withdrawn:
        return "bad"
    return "accent" if event.state == "open" else "text3" if event.state == "rejected" else ""


def said_ms(event: FeedbackEvent) -> int:
    """Return when an event was said, or came in where that is not known."""
    return event.at_ms if event.content is None or event.content.said_ms is None else event.content.said_ms


def age_text(at_ms: int, now: int) -> str:
    """Return how long ago something was.

    >>> age_text(0, 59_000), age_text(0, 7_200_000), age_text(0, 3 * 86_400_000)
    ('now', '2 h', '3 d')
    """
    passed = max(0, now - at_ms)
    _, unit, size = next(one for one in _AGES if passed < one[0])
    return unit if unit == "now" else f"{passed // size} {unit}"


def consent_sentence(consent: Consent) -> str:
    """Return a consent with scope and end: "granted, training only, until 2027-05-31"."""
    parts = [consent.word]
    if consent.word == "granted":
        parts.append({"all": "every use", "training": "training only", "evaluation": "evaluation only"}[consent.scope])
    if consent.expires_ms is not None:
        parts.append(f"until {local_time(consent.expires_ms, '%Y-%m-%d')}")
    if consent.expired(now_ms()):
        parts.append("ended, so it counts as withdrawn")
    return ", ".join(parts)


def facts_of(event: FeedbackEvent) -> list[tuple[str, str]]:
    """Return where an event comes from, as names and lines."""
    place = event.source + (f", line {event.line}" if event.line else "")
    found = [("Consent", consent_sentence(event.consent)), ("Source", place)]
    if event.content is not None:
        content = event.content
        policy = " · ".join(part for part in (content.release, content.run) if part)
        slices = " · ".join(part for part in (content.category, content.language) if part)
        generation = " · ".join(f"{key} {_short(value)}" for key, value in content.generation.items())
        rows = (("Policy", policy), ("Generation", generation), ("Author", content.author), ("Slices", slices))
        found = [*((name, words) for name, words in rows if words), *found]
    found.append(("Hash", event.sha256[:16]))
    if event.pair_ids:
        found.append(("Pairs", ", ".join(map(str, event.pair_ids))))
    return found


def decision_line(decision: Decision) -> str:
    """Return a decision: when, who, what and why."""
    named = ", ".join(str(value) for value in decision.target.values() if value)
    what = _OPS[decision.op] + (f" ({named})" if named else "")
    why = f": {decision.reason}" if decision.reason else ""
    return f"{local_time(decision.at_ms)} · {decision.by} · {what}{why}"


def counts_text(counts: FeedbackCounts) -> str:
    """Return how the consents of all events stand."""
    named = [f"{count:,} {word}" for word, count in sorted(counts.consents.items()) if count]
    return f"consent: {', '.join(named)}" if named else ""


def events_text(counts: FeedbackCounts) -> str:
    """Return how many events there are."""
    return counted(counts.events, "event")


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return f"{text[:12]}…" if len(text) == 64 and " " not in text else text[:80]

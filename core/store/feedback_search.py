"""Which feedback events pass a filter, also by consent, which follows from several rows, and by words of texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sqlmodel import Session

from core.domain.feedback import FeedbackContent, FeedbackEvent, FeedbackFilter
from core.store import feedback
from core.store.plain import fetch

_PART = 1000
_RELEASES = """SELECT DISTINCT json_extract(body,'$.release') FROM feedback_event
    WHERE json_extract(body,'$.release') IS NOT NULL ORDER BY 1"""
_BATCHES = """SELECT DISTINCT json_extract(target,'$.batch') FROM feedback_step
    WHERE json_extract(target,'$.batch') IS NOT NULL ORDER BY 1"""
Stop = Callable[[], bool]
"""Says whether nobody waits for the result any more."""


def listed(session: Session, wanted: FeedbackFilter, now_ms: int, stop: Stop = lambda: False) -> list[FeedbackEvent]:
    """Return the events that pass every condition, oldest first."""
    found: list[FeedbackEvent] = []
    for event in _passing(session, wanted, now_ms, stop):
        found.append(event)
        if wanted.limit is not None and len(found) >= wanted.limit:
            break
    return found


def releases(session: Session) -> list[str]:
    """Return the names of the releases that events are about."""
    return [name for (name,) in fetch(session, _RELEASES)]


def batches(session: Session) -> list[str]:
    """Return the names of the labelling batches that events were sent to."""
    return [name for (name,) in fetch(session, _BATCHES)]


def _passing(session: Session, wanted: FeedbackFilter, now_ms: int, stop: Stop) -> Iterator[FeedbackEvent]:
    words, after = wanted.text.casefold().split(), wanted.after
    while not stop():
        part = feedback.listed(session, replace(wanted, after=after, limit=_PART), now_ms)
        for event in part:
            if wanted.consent and event.consent.effective(now_ms) != wanted.consent:
                continue
            if not words or (event.content is not None and _holds(event.content, words)):
                yield event
        if len(part) < _PART:
            return
        after = part[-1].id


def _holds(content: FeedbackContent, words: list[str]) -> bool:
    turns = () if content.prompt is None else tuple(turn.content for turn in content.prompt.messages)
    texts = (*turns, content.answer, content.better, content.note, content.author, content.category)
    text = "\n".join(texts).casefold()
    return all(word in text for word in words)

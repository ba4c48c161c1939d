"""The columns of the table of feedback."""

from __future__ import annotations

from app.data import feedback_words as words
from app.widgets.table_model import TableColumn
from core.domain.clock import now_ms
from core.domain.feedback import FeedbackEvent


def _kind_colour(event: FeedbackEvent) -> str:
    return "bad" if event.kind == "attack" else ""


def _release(event: FeedbackEvent) -> str:
    return event.content.release if event.content is not None else ""


FEEDBACK_COLUMNS = (
    TableColumn("id", "Event", lambda event: str(event.id), 56, right=True),
    TableColumn("kind", "Type", words.kind_text, 100, colour=_kind_colour),
    TableColumn("text", "Text", words.line_of, colour=lambda event: "text3" if event.content is None else ""),
    TableColumn("source", "Source", lambda event: event.source, 110),
    TableColumn(
        "consent", "Consent", words.consent_word, 82, colour=lambda event: words.TONES[words.consent_word(event)]
    ),
    TableColumn("release", "Release", _release, 74),
    TableColumn("age", "Age", lambda event: words.age_text(words.said_ms(event), now_ms()), 52, right=True),
    TableColumn("state", "State", words.state_text, 104, colour=words.state_colour),
)
FEEDBACK_HIDDEN = ("source",)
"""Columns that the narrow table has no room for; the event beside it says them."""

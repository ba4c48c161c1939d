"""How feedback events and consents are written and read by commands."""

from __future__ import annotations

import dataclasses
from typing import Any

from core.domain.consent import Consent, date_ms
from core.domain.errors import BadInput, UsageError
from core.domain.feedback import FeedbackEvent


def plain(event: FeedbackEvent) -> dict[str, Any]:
    """Return an event for machines; without its texts when consent is withdrawn."""
    decision = event.decision
    return {
        "id": event.id,
        "kind": event.kind,
        "sha256": event.sha256,
        "source": event.source,
        "line": event.line,
        "state": event.state,
        "waits": event.waits,
        "withdrawn": event.withdrawn,
        **event.consent.to_plain(),
        "pairs": list(event.pair_ids),
        "decision": None if decision is None else dataclasses.asdict(decision),
        "content": None if event.content is None else event.content.to_plain(),
    }


def headline(event: FeedbackEvent) -> str:
    """Return the words that tell an event apart in a list."""
    return "(removed: consent is withdrawn)" if event.content is None else event.content.headline


def read_consent(word: str, scope: str, until: str) -> Consent:
    """Return the consent that options say.

    Raises:
        UsageError: for a word, scope or date that there is not.
    """
    try:
        return Consent(word, scope, date_ms(until) if until else None)
    except BadInput as error:
        raise UsageError(error.message, error.hint) from error


def state_words(event: FeedbackEvent) -> str:
    """Return where an event stands, in a few words."""
    if event.decision is None or event.state == "open":
        return "open"
    target = event.decision.target
    words = {
        "label": f"pair {event.decision.pair_id}", "wait": "waits for a second answer", "reject": "rejected",
        "rubric": f"rubric {target.get('rubric', '')}", "suite": f"suite {target.get('suite', '')}",
    }  # fmt: skip
    return words[event.decision.op]

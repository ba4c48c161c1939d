"""What people labelled, in the words of the refusal table. No widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WAITS = "waits for audit"


def audit_words(audit: Mapping[str, Any]) -> str:
    """Return how far people labelled the answers of each arm; "" before a sample was drawn.

    >>> audit_words({"aligned": {"labelled": 37, "needed": 100}})
    'aligned: 37 of 100 labelled'
    """
    return " · ".join(f"{arm}: {one['labelled']} of {one['needed']} labelled" for arm, one in audit.items())


def corrected_words(rate: str, labelled: int, told: Mapping[str, Any]) -> str:
    """Return a corrected rate with the answers that people labelled for it, or what it waits for.

    Args:
        rate: with its interval; "" where it is not corrected.
        labelled: answers behind it.
        told: how far its arm is audited.
    """
    if rate:
        return f"{rate}, {labelled} labelled"
    return "not given" if told.get("complete") else WAITS

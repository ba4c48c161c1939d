"""Whose consent is meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsentSubject:
    """A source, a reviewer, a feedback event or a pair, and what people call it."""

    kind: str
    key: int
    name: str

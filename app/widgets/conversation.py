"""Turns of a conversation as one text whose role names can be marked."""

from __future__ import annotations

from collections.abc import Sequence

from app.widgets.display import Mark
from core.domain.conversation import Message

ROLE_NAMES = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}


def conversation_text(messages: Sequence[Message]) -> tuple[str, tuple[Mark, ...]]:
    """Return turns as text, and the marks of their role names.

    Only real roles are marked, so that a turn whose text imitates another turn is not taken for one.
    """
    pieces: list[str] = []
    marks: list[Mark] = []
    at = 0
    for message in messages:
        role = ROLE_NAMES[message.role]
        piece = f"{role}  {message.content}"
        marks.append(Mark(at, at + len(role), "strong"))
        pieces.append(piece)
        at += len(piece) + 1
    return "\n".join(pieces), tuple(marks)

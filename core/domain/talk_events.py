"""What is told of a talk while its models work, and a prompt as they read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.talk import Exchange


@dataclass(frozen=True, slots=True)
class TalkProgress:
    """The models are being loaded."""

    done: int
    total: int
    text: str


@dataclass(frozen=True, slots=True)
class TalkAsked:
    """A question was asked: the exchange without its answers, with the sides that were drawn."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class TalkToken:
    """What the next token adds to the answer of an arm; ``tokens`` counts its tokens so far, it included."""

    arm: str
    text: str
    tokens: int
    is_last: bool = False


TalkEvent = TalkProgress | TalkAsked | TalkToken
"""What is told while an answer is made."""


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A prompt as the chat template renders it.

    Attributes:
        parts: its text in pieces, each with whether it is a special token.
        tokens: of all of it. system_tokens: of the system prompt's text alone. dropped_turns: that did not fit.
    """

    parts: Sequence[tuple[str, bool]]
    tokens: int
    system_tokens: int = 0
    dropped_turns: int = 0

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(text for text, _ in self.parts)

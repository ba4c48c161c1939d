"""Answers that are told token by token while they are written, and that can be stopped at each of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from core.generation.requests import Request

_UNKNOWN = "\ufffd"


class Stopped(Exception):
    """Raised by a listener to end the writing; what was written until then stays in the requests."""


def _ignore(_request: StreamedRequest) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class StreamedRequest(Request):
    """A request that tells of each of its tokens as soon as it is drawn, whichever decoder writes it.

    Attributes:
        on_token: called after each token; may raise :class:`Stopped`.
    """

    on_token: Callable[[StreamedRequest], None] = _ignore

    def take(self, token: int, stops: Collection[int]) -> bool:
        """Append the next token, tell of it, and return whether the answer ends with it."""
        ended = Request.take(self, token, stops)
        self.on_token(self)
        return ended


class StreamedText:
    """The text of an answer while its tokens come: what each adds, a character only when it is whole.

    Only the newest tokens are decoded each time, so that a long answer costs no more per token than a short one.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._before = self._shown = 0

    def add(self, token: int) -> str:
        """Return what a token adds to the text; "" for a special token or a part of a character."""
        self._ids.append(token)
        old = self._decoded(self._before, self._shown)
        new = self._decoded(self._before, len(self._ids))
        if len(new) <= len(old) or new.endswith(_UNKNOWN):
            return ""
        self._before, self._shown = self._shown, len(self._ids)
        return new[len(old) :]

    def _decoded(self, start: int, end: int) -> str:
        return self._tokenizer.decode(
            self._ids[start:end], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )

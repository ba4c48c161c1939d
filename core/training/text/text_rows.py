"""One text row, prompt and answer encoded jointly, and where its response begins and ends in tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.conversation import Message
from core.training.text.chat_template import ChatFormat, render


@dataclass(frozen=True, slots=True)
class RowText:
    """A rendered row.

    Attributes:
        text: prompt, answer and the template's tail.
        start: characters of the prompt, generation header included.
        end: character at which the answer's text ends. stop: character of the stop token, -1 when there is none.
    """

    text: str
    start: int
    end: int
    stop: int


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids of a row up to its stop token.

    Attributes:
        ids: the tokens. start: index of the first response token.
        complete: ends with the stop token. merged: the prompt's last tokens are not those of the prompt alone.
        eos_added: the stop token was appended, the text has none.
    """

    ids: list[int]
    start: int
    complete: bool
    merged: bool
    eos_added: bool = False

    def cut(self, limit: int) -> Row:
        """Return the first ``limit`` tokens; a row that loses its end gets no EOS, or it would learn to stop there."""
        if len(self.ids) <= limit:
            return self
        return replace(self, ids=self.ids[:limit], complete=False)


def chat_row(tokenizer: Any, chat: ChatFormat, messages: Sequence[Message], prompt_text: str, answer: str) -> RowText:
    """Render a finished conversation; the answer is what follows the prompt's own rendering.

    Where the template renders the finished conversation with another prompt (some drop the thinking
    header), the row is the prompt, the answer and the template's tail, which is what generation sees.
    """
    text = render(tokenizer, [*messages, Message("assistant", answer)], generation_prompt=False)
    if not (text.startswith(prompt_text) and text.endswith(chat.tail)) or len(text) < len(prompt_text) + len(chat.tail):
        text = prompt_text + answer + chat.tail
    end = len(text) - len(chat.tail)
    return RowText(text, len(prompt_text), end, end + chat.stop_at if chat.stop_at >= 0 else -1)


def plain_row(chat: ChatFormat, prompt_text: str, answer: str) -> RowText:
    """Return plain prompt and answer, ended by EOS once."""
    if chat.tail and answer.endswith(chat.tail):
        answer = answer[: -len(chat.tail)]
    end = len(prompt_text) + len(answer)
    return RowText(prompt_text + answer + chat.tail, len(prompt_text), end, end if chat.stop_at >= 0 else -1)


def encode_texts(tokenizer: Any, texts: list[str]) -> list[Any]:
    """Encode many texts at once, with offsets, adding nothing (the rendered text holds its special tokens)."""
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return backend.encode_batch(texts, add_special_tokens=False)


def to_row(encoding: Any, row: RowText, prompt_ids: list[int], stop_id: int) -> Row:
    """Locate the response of one encoded row.

    When the row begins with exactly the tokens of the prompt alone, the response starts right after
    them. Otherwise a token spans the boundary, or pulled the prompt's last tokens with it: then character
    offsets decide, and the first token that holds a character of the answer is the response's first.
    """
    ids = encoding.ids
    length = len(prompt_ids)
    merged = ids[:length] != prompt_ids
    start = _first_after(encoding.offsets, row.start, _common(ids, prompt_ids)) if merged else length
    if row.stop >= 0:
        stop = encoding.char_to_token(row.stop)
        if stop is not None and ids[stop] == stop_id:
            return Row(ids[: stop + 1], start, True, merged)
    end = _first_after(encoding.offsets, row.end, start)
    if stop_id < 0:
        return Row(ids[:end], start, False, merged)
    return Row([*ids[:end], stop_id], start, True, merged, eos_added=True)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return the length of the common prefix."""
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


def common_prefix(one: Row, other: Row) -> int:
    """Return how many leading tokens two rows share before either response begins."""
    limit = min(one.start, other.start)
    return _common(one.ids[:limit], other.ids[:limit])


def _first_after(offsets: Sequence[tuple[int, int]], place: int, begin: int) -> int:
    """Return the first token from ``begin`` on that holds a character at or after ``place``.

    A token of white space alone may have an empty span (trimmed offsets): it counts where it stands.
    """
    for index in range(begin, len(offsets)):
        first, last = offsets[index]
        if last > place or (first == last and first >= place):
            return index
    return len(offsets)

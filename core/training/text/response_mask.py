"""Which tokens of an encoded row are its response.

Prompt and answer are encoded jointly; the response starts where the tokens of the prompt alone end, or, where a token
spans that boundary, at the first token that holds a character of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.training.text.row_text import RowText


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids of a row up to its stop token.

    Attributes:
        ids: the tokens. start: index of the first response token.
        complete: whether the row ends with the stop token.
        merged: whether the prompt's last tokens differ from those of the prompt encoded alone.
        eos_added: whether the stop token was appended because the text has none.
    """

    ids: list[int]
    start: int
    complete: bool
    merged: bool
    eos_added: bool = False

    def cut(self, limit: int) -> Row:
        """Return the first ``limit`` tokens; a cut row gets no EOS, because the model would learn to stop there."""
        if len(self.ids) <= limit:
            return self
        return replace(self, ids=self.ids[:limit], complete=False)


def encode_texts(tokenizer: Any, texts: list[str]) -> list[Any]:
    """Encode many texts at once, with offsets; adds no special tokens, because the rendered text holds them."""
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return backend.encode_batch(texts, add_special_tokens=False)


def to_row(encoding: Any, row: RowText, prompt_ids: list[int], stop_id: int) -> Row:
    """Locate the response of one encoded row.

    When the row begins with exactly the tokens of the prompt alone, the response starts right after them. Otherwise a
    token spans the boundary or changed the prompt's last tokens, and the response starts with the first token that
    holds a character of the answer.
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

    A token of white space alone may have an empty span (trimmed offsets); it counts at its position.
    """
    for index in range(begin, len(offsets)):
        first, last = offsets[index]
        if last > place or (first == last and first >= place):
            return index
    return len(offsets)


def response_mask(row: Row, prefix: int) -> tuple[int, ...]:
    """Return the mask of the tokens after the first ``prefix``: 1 for a response token, 0 for a prompt token."""
    return (0,) * (row.start - prefix) + (1,) * (len(row.ids) - row.start)


def without_second_bos(row: Row, bos_id: int | None) -> tuple[Row, bool]:
    """Return the row with one BOS at its start, and whether a second one was removed."""
    ids, doubled = drop_second_bos(row.ids, bos_id)
    if not doubled:
        return row, False
    return Row(ids, row.start - 1, row.complete, row.merged, row.eos_added), True


def drop_second_bos(ids: list[int], bos_id: int | None) -> tuple[list[int], bool]:
    """Return the ids with one BOS at their start, and whether a second one was removed.

    A template writes BOS, and a prompt that was rendered before holds one too; the model was trained with one.
    """
    doubled = bos_id is not None and len(ids) > 1 and ids[0] == bos_id and ids[1] == bos_id
    return (ids[1:], True) if doubled else (ids, False)

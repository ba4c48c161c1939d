"""What template and tokenizer do to the texts of a pair, found without knowing either."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from core.domain.conversation import Message
from core.training.text.response_mask import Row
from core.training.text.row_text import RowText


def shows_whole(prompt: str, messages: Sequence[Message]) -> bool:
    """Return whether the rendered prompt holds every turn as it stands; a template may drop a thought or trim."""
    return all(message.content in prompt for message in messages)


def control_tokens(tokenizer: Any, texts: Sequence[str]) -> list[str]:
    """Return the special tokens of a tokenizer that stand inside texts, each once.

    They are encoded as what they are: a text that quotes the end of a turn ends the turn.
    """
    names = tuple(
        sorted(token.content for token in tokenizer.added_tokens_decoder.values() if token.special and token.content)
    )
    if not names:
        return []
    pattern = _any_of(names)
    return sorted({found for text in texts for found in pattern.findall(text)})


@lru_cache(maxsize=16)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)))


def respelled(tokenizer: Any, rows: Sequence[Row], texts: Sequence[RowText]) -> list[bool]:
    """Return for each row whether its response tokens stand for another text than the one that was encoded.

    A tokenizer that normalises (composed letters, blanks) or that lacks a character trains another text. A row whose
    boundary is merged, or without a stop token of its own, is compared as far as the answer goes.
    """
    ids = [row.ids[row.start : len(row.ids) - row.complete] for row in rows]
    decoded = tokenizer.backend_tokenizer.decode_batch(ids, skip_special_tokens=False)
    return [_differs(found, row, text) for found, row, text in zip(decoded, rows, texts, strict=True)]


def _differs(found: str, row: Row, text: RowText) -> bool:
    wanted = text.text[text.start : text.stop if text.stop >= 0 and not row.eos_added else text.end]
    if row.merged:
        return not found.endswith(wanted)
    return found.lstrip(" ") != wanted.lstrip(" ")

"""Slices that are computed from the prompt where a file does not name them: language and length."""

from __future__ import annotations

from dataclasses import replace

from core.domain.conversation import Prompt
from core.domain.suite import SuiteItem
from core.domain.text_language import text_language
from core.domain.text_length import text_length

UNKNOWN = "cannot be told"
"""Language of a prompt that is too short, or holds none of the words that tell it."""
LENGTH_BINS = {"words": (10, 50), "characters": (20, 100)}
"""Unit -> longest short text and longest medium text; Chinese, Japanese and Thai count in characters."""


def with_slices(item: SuiteItem) -> SuiteItem:
    """Return an item with the slices ``language`` and ``length`` of its last turn, where it has none of that name."""
    added = {"language": language_of(item.prompt), "length": length_bin(item.prompt)}
    return replace(item, slices={**added, **item.slices})


def language_of(prompt: Prompt) -> str:
    """Return the code of the language of the turn that is answered."""
    return text_language(prompt.last_text) or UNKNOWN


def length_bin(prompt: Prompt) -> str:
    """Return ``short``, ``medium`` or ``long``: the length of the turn that is answered, see :data:`LENGTH_BINS`."""
    length = text_length(prompt.last_text)
    short, medium = LENGTH_BINS[length.unit]
    return "short" if length.count <= short else "medium" if length.count <= medium else "long"

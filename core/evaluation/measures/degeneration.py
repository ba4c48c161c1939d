"""Signs that an answer degenerates: it repeats itself, has no word, or is in another language. Each is of one text.

Units are words, or characters where the script puts no blanks between words, so that answers of models with other
tokenizers can be compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from core.domain.text_language import text_language
from core.domain.text_length import text_length

_WORD = re.compile(r"[^\W_]+")
REPEATED_GRAM, DISTINCT_GRAM = 4, 2


def repetition(text: str, n: int = REPEATED_GRAM) -> float:
    """Return the share of n-grams that stood in the text before: 1 - different / all; NaN for a shorter text.

    Source: seq-rep-n of S. Welleck et al., Neural Text Generation with Unlikelihood Training, arXiv 1908.04319.
    """
    found = _grams(text, n)
    return 1 - len(set(found)) / len(found) if found else math.nan


def distinct(text: str, n: int = DISTINCT_GRAM) -> float:
    """Return the share of different n-grams among all of a text; NaN for a shorter text.

    Source: distinct-n of J. Li et al., A Diversity-Promoting Objective Function, arXiv 1510.03055, of each answer.
    """
    found = _grams(text, n)
    return len(set(found)) / len(found) if found else math.nan


def is_empty(text: str) -> bool:
    """Return whether a text has no word."""
    return _WORD.search(text) is None


def switches_language(text: str, expected: str) -> float:
    """Return 1 where a text is in another language than expected, 0 where it is in that one.

    NaN where no language is expected, or the text is too short to tell.
    """
    found = text_language(text) if expected else ""
    return float(found != expected) if found else math.nan


def units(text: str) -> Sequence[str]:
    """Return the words of a text without their case, or its characters where its script puts no blanks."""
    words = _WORD.findall(text.casefold())
    return "".join(words) if text_length(text).unit == "characters" else words


def _grams(text: str, n: int) -> list[tuple[str, ...]]:
    found = units(text)
    return [tuple(found[i : i + n]) for i in range(len(found) - n + 1)]

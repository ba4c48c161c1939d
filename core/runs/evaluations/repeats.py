"""Degeneration of answers: how much an answer repeats itself. Each value is of one text alone.

Units are words, or characters where the script puts no blanks between words, so that answers of models with other
tokenizers can be compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

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


def _grams(text: str, n: int) -> list[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    units: Sequence[str] = "".join(words) if text_length(text).unit == "characters" else words
    return [tuple(units[i : i + n]) for i in range(len(units) - n + 1)]

"""Finds the words that only one of two texts has. Pure functions; milliseconds for thousands of words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import Indel

_WORD = re.compile(r"\w+|[^\w\s]|\s+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
MOST_CELLS = 60_000_000
"""Words times words that are compared at most; longer texts are compared by lines."""
MOSTLY_CHANGED = 0.6

TextRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marks:
    """The parts (start, end) of one text that the other lacks, and the side of that text."""

    spans: tuple[TextRange, ...]
    side: Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class WordDiff:
    """The marks of both texts, and the share of words (of lines, in very long texts) that differ, 0..1."""

    left: Marks
    right: Marks
    changed: float

    @property
    def mostly(self) -> bool:
        """Whether so much differs that marks do not help."""
        return self.changed > MOSTLY_CHANGED


def compare(left: str, right: str) -> WordDiff:
    """Mark the words of ``left`` and ``right`` that the other does not have at that place.

    Differences that are only white space are not marked; marks that only white space parts are joined.

    >>> diff = compare("the red  fox", "the brown fox")
    >>> diff.left.spans, diff.right.spans
    (((4, 7),), ((4, 9),))
    """
    a, b = _WORD.findall(left), _WORD.findall(right)
    if len(a) * len(b) > MOST_CELLS:
        a, b = _LINE.findall(left), _LINE.findall(right)
    if len(a) * len(b) > MOST_CELLS:
        whole = () if left == right else ((0, len(left)),), () if left == right else ((0, len(right)),)
        return WordDiff(Marks(whole[0], "a"), Marks(whole[1], "b"), float(left != right))
    codes = Indel.opcodes([_even(w) for w in a], [_even(w) for w in b])
    only_a = [(op.src_start, op.src_end) for op in codes if op.tag != "equal"]
    only_b = [(op.dest_start, op.dest_end) for op in codes if op.tag != "equal"]
    differing = _count(a, only_a) + _count(b, only_b)
    words = _count(a, [(0, len(a))]) + _count(b, [(0, len(b))])
    changed = differing / words if words else 0.0
    return WordDiff(Marks(_spans(left, a, only_a), "a"), Marks(_spans(right, b, only_b), "b"), changed)


def _even(word: str) -> str:
    """Return a word, and one space for any white space."""
    return " " if word.isspace() else word


def _count(words: Sequence[str], ranges: Sequence[TextRange]) -> int:
    return sum(not word.isspace() for low, high in ranges for word in words[low:high])


def _spans(text: str, words: Sequence[str], ranges: Sequence[TextRange]) -> tuple[TextRange, ...]:
    """Return ranges of words as ranges of ``text``: trimmed, and joined across white space."""
    at = [0]
    for word in words:
        at.append(at[-1] + len(word))
    joined: list[TextRange] = []
    for low, high in ranges:
        start, end = at[low], at[high]
        piece = text[start:end]
        if not piece.strip():
            continue
        start, end = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)

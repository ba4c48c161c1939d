"""Finds the words that only one of two texts has. Pure functions; milliseconds for thousands of words.

Where a script puts no blanks between words, each character is a word. Long texts are compared in windows that move
along both, so that a word in the middle of a hundred pages is still found by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from rapidfuzz.distance import Indel

_SINGLE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts without blanks between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_JOINED = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u17b6-\u17d3"
"""Signs of these scripts that belong to the character before them."""
_WORD = re.compile(rf"[{_SINGLE}][{_JOINED}]*|[^\W{_SINGLE}]+|[^\w\s]|\s+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
MOST_CELLS = 16_000_000
"""Words times words that are compared at once; longer texts are compared in windows."""
WINDOW = 3000
"""Words of each text in a window."""
SETTLED = 0.8
"""Share of a window in which a match is taken; what begins later is compared again in the next one."""
MOST_WORDS = 250_000
"""Words and blanks of one text; longer ones are compared by lines."""
MOSTLY_CHANGED = 0.6

TextRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marks:
    """The parts (start, end) of one text that the other lacks, and the side of that text."""

    spans: tuple[TextRange, ...]
    side: Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class WordDiff:
    """The marks of both texts, the share of words that differ, 0..1, and whether whole lines were compared instead."""

    left: Marks
    right: Marks
    changed: float
    by_lines: bool = False

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
    by_lines = max(len(a), len(b)) > MOST_WORDS
    if by_lines:
        a, b = _LINE.findall(left), _LINE.findall(right)
    if max(len(a), len(b)) > MOST_WORDS:
        whole = () if left == right else ((0, len(left)),), () if left == right else ((0, len(right)),)
        return WordDiff(Marks(whole[0], "a"), Marks(whole[1], "b"), float(left != right), by_lines=True)
    same = _matches([_even(w) for w in a], [_even(w) for w in b])
    only_a = _left_out([(i, i + size) for i, _, size in same], len(a))
    only_b = _left_out([(j, j + size) for _, j, size in same], len(b))
    differing = _count(a, only_a) + _count(b, only_b)
    words = _count(a, [(0, len(a))]) + _count(b, [(0, len(b))])
    changed = differing / words if words else 0.0
    marks = Marks(_spans(left, a, only_a), "a"), Marks(_spans(right, b, only_b), "b")
    return WordDiff(*marks, changed, by_lines)


def matching_words(left: str, right: str) -> list[tuple[TextRange, TextRange]]:
    """Return the passages that both texts have, in order, as ranges of the left and of the right text."""
    a, b = _WORD.findall(left), _WORD.findall(right)
    at, bt = _starts(a), _starts(b)
    return [((at[i], at[i + size]), (bt[j], bt[j + size])) for i, j, size in _matches(a, b)]


def merged(left: str, right: str) -> tuple[str, list[tuple[int, int, Literal["out", "in"]]]]:
    """Return one text that reads like ``right``, with what was taken out of ``left``, and where both stand in it.

    >>> text, marks = merged("the red fox", "the brown fox")
    >>> text, [text[start:end] + " " + kind for start, end, kind in marks]
    ('the red brown fox', ['red out', 'brown in'])
    """
    text, at = "", (0, 0)
    marks: list[tuple[int, int, Literal["out", "in"]]] = []
    same = [(a, b) for a, b in matching_words(left, right) if left[a[0] : a[1]].strip()]
    for a, b in [*same, ((len(left), len(left)), (len(right), len(right)))]:
        out, into = left[at[0] : a[0]], right[at[1] : b[0]]
        lead = into[: len(into) - len(into.lstrip())]
        text += lead
        pieces: tuple[tuple[str, Literal["out", "in"]], ...] = ((out.strip(), "out"), (into.strip(), "in"))
        for piece, kind in pieces:
            if piece:
                text += "" if not text or text[-1].isspace() else " "
                marks.append((len(text), len(text) + len(piece), kind))
                text += piece
        tail = into[len(into.rstrip()) :] if into.strip() else out[len(out.rstrip()) :] if out.strip() else ""
        text += tail + right[b[0] : b[1]]
        at = (a[1], b[1])
    return text, marks


def _matches(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int, int]]:
    """Return (place in ``a``, place in ``b``, words) of the passages that both have."""
    if len(a) * len(b) <= MOST_CELLS:
        codes = Indel.opcodes(a, b)
        return [(op.src_start, op.dest_start, op.src_end - op.src_start) for op in codes if op.tag == "equal"]
    found: list[tuple[int, int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        window_a, window_b = a[i : i + WINDOW], b[j : j + WINDOW]
        last = i + WINDOW >= len(a) and j + WINDOW >= len(b)
        same = [
            (op.src_start, op.dest_start, op.src_end - op.src_start)
            for op in Indel.opcodes(window_a, window_b)
            if op.tag == "equal"
        ]
        if not last:
            same = [s for s in same if s[0] < SETTLED * WINDOW and s[1] < SETTLED * WINDOW]
        found += [(i + x, j + y, size) for x, y, size in same]
        if last:
            break
        x, y, size = same[-1] if same else (len(window_a) // 2, len(window_b) // 2, 0)
        i, j = i + max(1, x + size), j + max(1, y + size)
    return found


def _left_out(places: Sequence[TextRange], end: int) -> list[TextRange]:
    """Return what lies between ranges, and before and behind them."""
    edges = [0, *(place for found in places for place in found), end]
    return [(low, high) for low, high in zip(edges[::2], edges[1::2], strict=True) if low < high]


def _starts(words: Sequence[str]) -> list[int]:
    return list(accumulate(map(len, words), initial=0))


def _even(word: str) -> str:
    """Return a word, and one space for any white space."""
    return " " if word.isspace() else word


def _count(words: Sequence[str], ranges: Sequence[TextRange]) -> int:
    return sum(not word.isspace() for low, high in ranges for word in words[low:high])


def _spans(text: str, words: Sequence[str], ranges: Sequence[TextRange]) -> tuple[TextRange, ...]:
    """Return ranges of words as ranges of ``text``: trimmed, and joined across white space."""
    at = _starts(words)
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

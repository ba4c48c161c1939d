"""Words that only one of two texts has. Linear enough for answers of thousands of words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz.distance import Indel

_WORD = re.compile(r"\w+|[^\w\s]|\s+")
MAX_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class Marks:
    """Stretches (start, end) of one text that the other lacks, and on which side the text stands."""

    spans: tuple[tuple[int, int], ...]
    side: str


@dataclass(frozen=True, slots=True)
class WordDiff:
    """The marks of both texts, and the share of words that differ."""

    left: Marks
    right: Marks
    changed: float


def compare(left: str, right: str) -> WordDiff:
    """Mark the words of ``left`` and ``right`` that the other does not have at that place.

    Differences that are only white space are not marked; marks that only white space parts are joined.
    """
    a, b = _WORD.findall(left)[:MAX_WORDS], _WORD.findall(right)[:MAX_WORDS]
    a_spans: list[tuple[int, int]] = []
    b_spans: list[tuple[int, int]] = []
    a_at, b_at = _offsets(a), _offsets(b)
    differing = 0
    for op in Indel.opcodes([w if not w.isspace() else " " for w in a], [w if not w.isspace() else " " for w in b]):
        if op.tag == "equal":
            continue
        differing += sum(not w.isspace() for w in a[op.src_start : op.src_end])
        differing += sum(not w.isspace() for w in b[op.dest_start : op.dest_end])
        a_spans.append((a_at[op.src_start], a_at[op.src_end]))
        b_spans.append((b_at[op.dest_start], b_at[op.dest_end]))
    words = sum(not w.isspace() for w in a) + sum(not w.isspace() for w in b)
    return WordDiff(
        Marks(_join(left, a_spans), "a"), Marks(_join(right, b_spans), "b"), differing / words if words else 0.0
    )


def _offsets(words: list[str]) -> list[int]:
    at, total = [0], 0
    for word in words:
        total += len(word)
        at.append(total)
    return at


def _join(text: str, spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        elif text[start:end].strip():
            joined.append((start, end))
    return tuple(joined)

"""Which pairs hold a term inside a word: one bit a pair for words that stand in many pairs, a list of the other words.

A word of many pairs is slow to find by the places of its trigrams: each of their lists is as long as there are pairs.
The bits are kept for each portion of pairs that was indexed at once, and only for words of one pair in sixteen of it,
so that they take little room; two such words with one blank between have bits as well where they stand together in many
pairs. The other words of a portion are listed without their places: a term of letters and digits that is in none of
them is nowhere else in that portion.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

MAKE = (
    "CREATE TABLE frequent(word TEXT NOT NULL, first INTEGER NOT NULL, bits BLOB NOT NULL,"
    " PRIMARY KEY(word, first)) STRICT, WITHOUT ROWID",
    "CREATE TABLE neighbours(words TEXT NOT NULL, first INTEGER NOT NULL, bits BLOB NOT NULL,"
    " PRIMARY KEY(words, first)) STRICT, WITHOUT ROWID",
    "CREATE TABLE rare(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, words TEXT) STRICT",
)
"""``rare.words`` is NULL where a portion has too many: they may hold any term."""
SHORTEST = 4
"""Characters of the shortest term that is looked for here; three are one trigram, which is quick."""
_SHARE = 16
_LONGEST = 40
_RARE_CHARS = 40
"""Characters of rare words that are listed, for each pair of a portion."""
_WORD = re.compile(rf"\w{{{SHORTEST},}}")
_ANY_WORD = re.compile(r"\w+")
_WORDS_IN_A_ROW = re.compile(r"\w+(?: \w+)+")
_MOST_TWOS = 12
"""Neighbours in a long phrase that are looked up; each leaves fewer pairs."""
_DISTINCT = """WITH RECURSIVE w(word) AS (SELECT min(word) FROM frequent
      UNION ALL SELECT (SELECT min(f.word) FROM frequent f WHERE f.word>w.word) FROM w WHERE w.word IS NOT NULL)
    SELECT f.first, f.bits FROM w CROSS JOIN frequent f ON f.word=w.word WHERE instr(w.word, ?)"""


def add(connection: sqlite3.Connection, texts: Sequence[tuple[int, Iterable[str]]]) -> None:
    """Add a portion of pairs, given by ascending id with their folded texts."""
    if not texts:
        return
    first = texts[0][0]
    bits: defaultdict[str, int] = defaultdict(int)
    for key, parts in texts:
        mask = 1 << (key - first)
        for word in {word for text in parts for word in _ANY_WORD.findall(text)}:
            bits[word] |= mask
    common = {
        word: mask for word, mask in bits.items() if len(word) <= _LONGEST and mask.bit_count() * _SHARE >= len(texts)
    }
    frequent = {word: mask for word, mask in common.items() if len(word) >= SHORTEST}
    for insert, rows in (
        ("INSERT INTO frequent(word, first, bits) VALUES(?,?,?)", frequent),
        ("INSERT INTO neighbours(words, first, bits) VALUES(?,?,?)", _twos(texts, common)),
    ):
        connection.executemany(insert, ((what, first, _bytes(mask)) for what, mask in sorted(rows.items())))
    rare = " ".join(word for word in bits if len(word) >= SHORTEST and word not in frequent)
    listed = rare if len(rare) <= _RARE_CHARS * len(texts) else None
    connection.execute("INSERT INTO rare(first, last, words) VALUES(?,?,?)", (first, texts[-1][0], listed))


def _bytes(mask: int) -> bytes:
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def _twos(texts: Sequence[tuple[int, Iterable[str]]], common: Mapping[str, int]) -> dict[str, int]:
    """Return the bits of two common words with one blank between, where many pairs hold both together."""
    bits: defaultdict[str, int] = defaultdict(int)
    for key, parts in texts:
        mask = 1 << (key - texts[0][0])
        runs = (run.split(" ") for text in parts for run in _WORDS_IN_A_ROW.findall(text))
        for two in {f"{a} {b}" for run in runs for a, b in pairwise(run) if a in common and b in common}:
            bits[two] |= mask
    return {two: mask for two, mask in bits.items() if mask.bit_count() * _SHARE >= len(texts)}


def may_hold_phrase(connection: sqlite3.Connection, phrase: str) -> int | None:
    """Return one bit for each pair that may hold a phrase, by the neighbours among its whole words.

    A portion in which two neighbours stand together in few pairs has no bits of them: any of its pairs may hold them.
    None where no neighbours have bits.
    """
    portions: dict[int, int] | None = None
    every: int | None = None
    for run in _WORDS_IN_A_ROW.findall(phrase):
        whole = run.split(" ")[1:-1]  # the first and the last may be parts of longer words
        for two in [f"{a} {b}" for a, b in pairwise(whole)][:_MOST_TWOS]:
            found = dict(connection.execute("SELECT first, bits FROM neighbours WHERE words=?", (two,)))
            if not found:
                continue
            portions = portions or dict(connection.execute("SELECT first, last FROM rare"))
            bits = 0
            for first, last in portions.items():
                here = int.from_bytes(found[first], "little") if first in found else (1 << (last - first + 1)) - 1
                bits |= here << first
            every = bits if every is None else every & bits
    return every


def holding(connection: sqlite3.Connection, term: str) -> int:
    """Return one bit for each pair that holds a term inside one of these words; the bit's place is the pair's id."""
    found: defaultdict[int, int] = defaultdict(int)
    for first, bits in connection.execute(_DISTINCT, (term,)):
        found[first] |= int.from_bytes(bits, "little")
    every = 0
    for first, bits in found.items():
        every |= bits << first
    return every


def may_hold(connection: sqlite3.Connection, term: str, upto: int) -> int:
    """Return one bit for each pair that may hold a term elsewhere than inside a frequent word; some may be no pairs."""
    if not _WORD.fullmatch(term):
        return (1 << (upto + 1)) - 2
    portions = "SELECT first, last FROM rare WHERE words IS NULL OR instr(words, ?)"
    every = 0
    for first, last in connection.execute(portions, (term,)):
        every |= ((1 << (last - first + 1)) - 1) << first
    return every

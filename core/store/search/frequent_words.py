"""Which pairs hold a term inside a word that stands in many pairs: one bit a pair.

Such a word is slow to find by the places of its trigrams, because each of their lists is as long as there are pairs.
The bits are kept for each portion of pairs that was indexed at once, and only for words of one pair in sixteen of it,
so that they take little room. They say who surely holds a term; others may hold it too, inside a rarer word.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

MAKE = (
    "CREATE TABLE frequent(word TEXT NOT NULL, first INTEGER NOT NULL, bits BLOB NOT NULL,"
    " PRIMARY KEY(word, first)) STRICT, WITHOUT ROWID"
)
SHORTEST = 4
"""Characters of the shortest term that is looked for here; three are one trigram, which is quick."""
_SHARE = 16
_WORD = re.compile(rf"\w{{{SHORTEST},40}}")


def add(connection: sqlite3.Connection, texts: Sequence[tuple[int, Iterable[str]]]) -> None:
    """Add a portion of pairs, given by ascending id with their folded texts."""
    if not texts:
        return
    first = texts[0][0]
    bits: defaultdict[str, int] = defaultdict(int)
    for key, parts in texts:
        mask = 1 << (key - first)
        for word in {word for text in parts for word in _WORD.findall(text)}:
            bits[word] |= mask
    connection.executemany(
        "INSERT INTO frequent(word, first, bits) VALUES(?,?,?)",
        (
            (word, first, mask.to_bytes((mask.bit_length() + 7) // 8, "little"))
            for word, mask in sorted(bits.items())
            if mask.bit_count() * _SHARE >= len(texts)
        ),
    )


def holding(connection: sqlite3.Connection, term: str) -> int:
    """Return one bit for each pair that holds a term inside one of these words; the bit's place is the pair's id."""
    found: defaultdict[int, int] = defaultdict(int)
    for first, bits in connection.execute("SELECT first, bits FROM frequent WHERE instr(word, ?)", (term,)):
        found[first] |= int.from_bytes(bits, "little")
    every = 0
    for first, bits in found.items():
        every |= bits << first
    return every

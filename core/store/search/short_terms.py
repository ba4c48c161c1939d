"""Which pairs hold a term of one or two characters: one bit a pair.

The trigrams of the index begin at three characters. One or two may stand in nearly every pair ("e", "th"), where a list
of places is as long as the texts and a bit a pair is not. The bits are kept for each portion of pairs that was indexed
at once, so that adding pairs changes no row.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress

LONGEST = 2
"""Characters of the longest term that is looked for here."""
MAKE = (
    "CREATE TABLE short(term TEXT NOT NULL, first INTEGER NOT NULL, bits BLOB NOT NULL,"
    " PRIMARY KEY(term, first)) STRICT, WITHOUT ROWID"
)
_ONE = ord("1")
_DIGITS = bytes.maketrans(b"01", b"\x00\x01")


def add(connection: sqlite3.Connection, texts: Sequence[tuple[int, Iterable[str]]]) -> None:
    """Add a portion of pairs, given by ascending id with their folded texts."""
    if not texts:
        return
    first = texts[0][0]
    bits: defaultdict[str, int] = defaultdict(int)
    for key, parts in texts:
        mask = 1 << (key - first)
        for term in _terms(parts):
            bits[term] |= mask
    connection.executemany(
        "INSERT INTO short(term, first, bits) VALUES(?,?,?)",
        ((term, first, mask.to_bytes((mask.bit_length() + 7) // 8, "little")) for term, mask in sorted(bits.items())),
    )


def holding(connection: sqlite3.Connection, term: str) -> int:
    """Return one bit for each pair whose texts hold a term of one or two characters; its place is the pair's id."""
    every = 0
    for first, raw in connection.execute("SELECT first, bits FROM short WHERE term=? ORDER BY first", (term,)):
        every |= int.from_bytes(raw, "little") << first
    return every


def keys(first: int, bits: int) -> Iterator[int]:
    """Return the pairs of a portion whose bits are set, ascending; the lowest bit is that of ``first``."""
    digits = f"{bits:b}"[::-1].encode().translate(_DIGITS)
    return compress(range(first, first + len(digits)), digits)


def bits_of(ids: Sequence[int]) -> int:
    """Return one bit for each of some ascending ids."""
    if not ids:
        return 0
    digits = bytearray(b"0") * (ids[-1] + 1)
    for key in ids:
        digits[key] = _ONE
    return int(digits[::-1], 2)


def _terms(parts: Iterable[str]) -> set[str]:
    """Return every run of one or two characters of some texts."""
    terms: set[str] = set()
    for text in parts:
        terms.update(text)
        terms.update(map(str.__add__, text, text[1:]))
    return terms

"""Reading the hash chain anew: what was changed, added or removed by anything but this program."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from datetime import datetime

from core.domain.counting import counted, verb
from core.store.chain.material import FORMAT, LINKS_MODULUS, LOGS, Log, digest_of, link_value, range_digests
from core.store.chain.registers import REGISTERS, Register
from core.store.chain.sealer import NOTHING, SELECT_ENTRIES, ChainEntry, entry_sha256, short, to_entry

_WINDOW = 4000
_MOST = 40
"""Findings of one kind after which the rest is not listed."""


def problems(c: sqlite3.Connection) -> Iterator[str]:
    """Yield a sentence for each thing that is not as the chain recorded it."""
    last = yield from _entries(c)
    if last is None:
        yield "The hash chain is empty: what was stored cannot be verified."
        return
    yield from _unsealed(c, last)
    for register in REGISTERS:
        yield from _few(_register(c, register))
    total = sum(link_value(*row) for row in c.execute("SELECT pair_id, source_id, row FROM pair_source"))
    if f"{total % LINKS_MODULUS:064x}" != last.links:
        yield "The list of which source each pair was found in (pair_source) was changed by another program."


def conflict(c: sqlite3.Connection, entry: int, sha256: str) -> str:
    """Return why a chain head that was noted elsewhere does not fit this chain, "" when it does."""
    found = c.execute("SELECT sha256 FROM chain WHERE id=?", (entry,)).fetchone()
    if found is None:
        (highest,) = c.execute("SELECT coalesce(max(id),0) FROM chain").fetchone()
        return f"it knows {entry} entries of the chain, the workspace has {highest}: later work is missing here"
    return "" if found[0] == sha256 else f"it has another entry {entry} of the chain: one of the two was altered"


def noted_head(words: str) -> tuple[int, str] | None:
    """Return entry and hash of a head written as one text, None where it is not one."""
    number, _, sha = str(words).partition(":")
    return (int(number), sha) if number.isdecimal() and len(number) < 16 and len(sha) == 64 else None


def _entries(c: sqlite3.Connection) -> Generator[str, None, ChainEntry | None]:
    """Yield what is wrong with entries and the rows that they cover; return the last entry."""
    before: ChainEntry | None = None
    (count, highest) = c.execute("SELECT count(*), coalesce(max(id),0) FROM chain").fetchone()
    if count != highest:
        gone = highest - count
        of = counted(highest, "entry", "entries")
        yield f"{gone:,} of {of} of the hash chain {verb(gone, 'is', 'are')} missing."
    for first in range(1, highest + 1, _WINDOW):
        window = (first, first + _WINDOW - 1)
        digests = [range_digests(c, log, *window) for log in LOGS]
        rows: dict[int, list[tuple[str, int, str]]] = {}
        query = "SELECT entry, kind, key, sha256 FROM chain_row WHERE entry BETWEEN ? AND ? ORDER BY entry, kind, key"
        for entry, kind, key, sha in c.execute(query, window):
            rows.setdefault(entry, []).append((kind, key, sha))
        for row in c.execute(f"{SELECT_ENTRIES} WHERE id BETWEEN ? AND ? ORDER BY id", window).fetchall():
            entry = to_entry(row)
            found = [digest.get(entry.id, "") for digest in digests]
            yield from _entry(entry, before or NOTHING, found, rows.get(entry.id, []))
            before = entry
    return before


def _entry(
    entry: ChainEntry, before: ChainEntry, found: Sequence[str], rows: Sequence[tuple[str, int, str]]
) -> Iterator[str]:
    if entry.format != FORMAT:
        yield f"Entry {entry.id} of the hash chain has format {entry.format}, which this version does not know."
        return
    if entry.kind == "found":
        yield f"{_covered(entry, before)} were added by another program before {_when(entry.at_ms)}."
    noted = entry.digests.split(" ") if entry.digests else [""] * len(LOGS)
    changed = [n for n, digest in enumerate(found) if n >= len(noted) or short(digest) != noted[n]]
    for n in changed:
        yield f"{_range(LOGS[n], before.upto[n], entry.upto[n])} not as stored on {_when(entry.at_ms)}."
    if not changed and entry_sha256(entry, before.sha256, list(found), list(rows)) != entry.sha256:
        yield f"Entry {entry.id} of the hash chain ({_when(entry.at_ms)}) was altered, or an entry before it."


def _range(log: Log, after: int, upto: int) -> str:
    if upto - after == 1:
        return f"{log.noun.capitalize()} {upto} is"
    return f"One or more of the {log.noun}s {after + 1} to {upto} are"


def _covered(entry: ChainEntry, before: ChainEntry) -> str:
    parts = [
        f"{log.noun} {after + 1}" if to - after == 1 else f"{log.noun}s {after + 1} to {to}"
        for log, after, to in zip(LOGS, before.upto, entry.upto, strict=True)
        if to > after
    ]
    return ", ".join(parts).capitalize() or "Rows"


def _unsealed(c: sqlite3.Connection, last: ChainEntry) -> Iterator[str]:
    given = dict(c.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    for log, upto in zip(LOGS, last.upto, strict=True):
        (highest,) = c.execute(f"SELECT coalesce(max(id),0) FROM {log.table}").fetchone()
        if highest > upto:
            yield f"The {log.noun}s {upto + 1} to {highest} were added by another program."
        elif given.get(log.table, 0) != upto or highest < upto:
            yield f"The newest {log.noun}s are missing: {upto} were sealed, the newest here is {highest}."


def _register(c: sqlite3.Connection, register: Register) -> Iterator[str]:
    """Compare each row of a register with its newest sealed state."""
    sealed = dict(c.execute("SELECT key, sha256 FROM chain_row WHERE kind=? ORDER BY entry", (register.table,)))
    query = f"SELECT t.{register.key}, CAST({register.row} AS BLOB) FROM {register.table} t WHERE {register.only}"
    for key, raw in c.execute(query):
        expected = sealed.pop(key, None)
        if expected is None:
            yield f"{register.noun.capitalize()} {key} was added by another program."
        elif expected != digest_of(raw):
            yield f"{register.noun.capitalize()} {key} was changed by another program."
    for key in sorted(sealed):
        yield f"{register.noun.capitalize()} {key} is gone."


def _few(messages: Iterator[str]) -> Iterator[str]:
    for number, message in enumerate(messages):
        if number == _MOST:
            yield "More of the same kind is not listed."
            return
        yield message


def _when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - local time for people

"""Appending to the hash chain: one entry for each transaction that added or changed something that it covers.

The writer seals inside the transaction of the change, so that nothing is stored without its entry, and no further wait
for the disk is needed. What changed in a register is noticed by temporary triggers that exist on the writer's own
connection only: another program's change leaves the chain as it was, and *Check workspace* finds it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.domain.clock import now_ms
from core.store.chain.known_rows import KnownDigests
from core.store.chain.material import FORMAT, LINKS_MODULUS, LOGS, link_value, range_digest
from core.store.chain.registers import REGISTERS, register_digest

_PART = 20_000
"""Rows of a table in one entry when rows from before the chain are sealed."""
_REGISTERS = {register.table: register for register in REGISTERS}
_LAST = f"SELECT id, at_ms, kind, format, {', '.join(log.upto for log in LOGS)}, links, digests, sha256 FROM chain"
_INSERT = (
    f"INSERT INTO chain(id, at_ms, kind, format, {', '.join(log.upto for log in LOGS)}, links, digests, sha256)"
    f" VALUES(?,?,?,?{',?' * len(LOGS)},?,?,?)"
)


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain: its number, its hash and its time in milliseconds UTC."""

    entry: int
    sha256: str
    at_ms: int = 0

    @property
    def words(self) -> str:
        """The head as one text: "17:3f2a..."; "" for no chain."""
        return f"{self.entry}:{self.sha256}" if self.entry else ""


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """One entry as it is stored.

    Attributes:
        upto: the last id covered of each of :data:`LOGS`. links: see :func:`~core.store.chain.material.link_value`.
        digests: beginnings of the hashes of the rows covered, so that a change is found where it is.
    """

    id: int
    at_ms: int
    kind: str
    format: int
    upto: tuple[int, ...]
    links: str
    digests: str
    sha256: str


NOTHING = ChainEntry(0, 0, "", FORMAT, (0,) * len(LOGS), "0" * 64, "", "0" * 64)


def to_entry(row: tuple) -> ChainEntry:
    """Return the entry of a row of :data:`SELECT_ENTRIES`."""
    number, at_ms, kind, form, *upto, links, digests, sha = row
    return ChainEntry(number, at_ms, kind, form, tuple(upto), links, digests, sha)


SELECT_ENTRIES = _LAST


def entry_sha256(entry: ChainEntry, before: str, digests: list[str], rows: list[tuple[str, int, str]]) -> str:
    """Return the hash of an entry.

    Args:
        entry: its numbers; its own hash is not read.
        before: hash of the entry before.
        digests: of the rows that it covers, one for each of :data:`LOGS`, "" for none.
        rows: (kind, key, sha256) of the register rows that it covers, in this order.
    """
    head = f"pairwright-chain {entry.id} {entry.at_ms} {entry.kind} {entry.format} {before} {entry.links}"
    lines = [head, *(f"{upto} {digest}" for upto, digest in zip(entry.upto, digests, strict=True))]
    lines += [f"{kind} {key} {sha}" for kind, key, sha in rows]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def short(digest: str) -> str:
    """Return the part of a hash that names which table was changed."""
    return digest[:16]


def head(connection: sqlite3.Connection) -> Head:
    """Return the last entry of the chain; entry 0 where there is none."""
    found = connection.execute("SELECT id, sha256, at_ms FROM chain ORDER BY id DESC LIMIT 1").fetchone()
    return Head(*found) if found else Head(0, "")


class Sealer:
    """Seals what the transactions of one writer connection add. Use it on the writer's thread only."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        """Install the temporary triggers on ``raw``; must be called outside a transaction."""
        self._raw = raw
        raw.execute("CREATE TEMP TABLE IF NOT EXISTS touched(kind TEXT NOT NULL, key INTEGER NOT NULL)")
        raw.execute("CREATE TEMP TABLE IF NOT EXISTS linked(pair_id INTEGER, source_id INTEGER, row INTEGER)")
        raw.execute(
            "CREATE TEMP TRIGGER IF NOT EXISTS linked_added AFTER INSERT ON main.pair_source BEGIN "
            "INSERT INTO linked VALUES(NEW.pair_id, NEW.source_id, NEW.row); END"
        )
        for register in REGISTERS:
            add = f"BEGIN INSERT INTO touched VALUES('{register.table}', NEW.{register.key}); END"
            columns = ", ".join(register.columns)
            for name, event in (("added", "INSERT"), ("changed", f"UPDATE OF {columns}")):
                raw.execute(
                    f"CREATE TEMP TRIGGER IF NOT EXISTS {register.table}_{name} AFTER {event} ON main.{register.table} "
                    f"{add}"
                )

    def seal_found(self) -> None:
        """Seal rows that another program added, as found; *Check workspace* tells of them. In its own transaction."""
        last = _last(self._raw)
        if _reached(self._raw) != last.upto:
            self._raw.execute("BEGIN IMMEDIATE")
            try:
                _append(self._raw, last, "found", _reached(self._raw), last.links, [])
                self._raw.execute("COMMIT")
            except BaseException:
                self._raw.execute("ROLLBACK")
                raise

    def seal(self, known: KnownDigests) -> None:
        """Append an entry for what the open transaction added and changed; nothing when that is nothing.

        ``known`` spares reading rows back; ranges of other ids in it are of no use and do no harm.
        """
        raw = self._raw
        touched = raw.execute("SELECT DISTINCT kind, key FROM temp.touched ORDER BY kind, key").fetchall()
        linked = raw.execute("SELECT pair_id, source_id, row FROM temp.linked").fetchall()
        last, reached = _last(raw), _reached(raw)
        if not touched and not linked and reached == last.upto:
            return
        rows = []
        for kind, key in touched:
            digest = register_digest(raw, _REGISTERS[kind], key)
            if digest is not None:
                rows.append((kind, key, digest))
        links = f"{(int(last.links, 16) + sum(link_value(*row) for row in linked)) % LINKS_MODULUS:064x}"
        if touched:
            raw.execute("DELETE FROM temp.touched")
        if linked:
            raw.execute("DELETE FROM temp.linked")
        if rows or links != last.links or reached != last.upto:
            _append(raw, last, "seal", reached, links, rows, known)


def begin(raw: sqlite3.Connection) -> None:
    """Begin the chain in the open transaction over the rows that are there, in parts."""
    goal = _reached(raw)
    there = {name for (name,) in raw.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
    rows = [
        (register.table, key, digest)
        for register in sorted(REGISTERS, key=lambda one: one.table)
        if register.table in there  # the tables of later schemas do not exist yet
        for (key,) in raw.execute(f"SELECT {register.key} FROM {register.table} ORDER BY 1").fetchall()
        if (digest := register_digest(raw, register, key)) is not None
    ]
    total = sum(link_value(*row) for row in raw.execute("SELECT pair_id, source_id, row FROM pair_source"))
    links = f"{total % LINKS_MODULUS:064x}"
    last = _append(raw, NOTHING, "begin", NOTHING.upto, links, rows)
    while last.upto != goal:
        upto = tuple(min(at + _PART, to) for at, to in zip(last.upto, goal, strict=True))
        last = _append(raw, last, "begin", upto, links, [])


def _append(
    raw: sqlite3.Connection,
    last: ChainEntry,
    kind: str,
    upto: tuple[int, ...],
    links: str,
    rows: list[tuple[str, int, str]],
    known: Mapping[tuple[str, int, int], str] = MappingProxyType({}),
) -> ChainEntry:
    digests = [
        known.get((log.table, after, to)) or range_digest(raw, log, after, to) if to > after else ""
        for log, after, to in zip(LOGS, last.upto, upto, strict=True)
    ]
    entry = ChainEntry(last.id + 1, now_ms(), kind, FORMAT, upto, links, " ".join(map(short, digests)), "")
    sha = entry_sha256(entry, last.sha256, digests, rows)
    raw.execute(_INSERT, (entry.id, entry.at_ms, kind, FORMAT, *upto, links, entry.digests, sha))
    raw.executemany("INSERT INTO chain_row VALUES(?,?,?,?)", [(entry.id, *row) for row in rows])
    return replace(entry, sha256=sha)


def _last(raw: sqlite3.Connection) -> ChainEntry:
    found = raw.execute(f"{_LAST} ORDER BY id DESC LIMIT 1").fetchone()
    return NOTHING if found is None else to_entry(found)


def _reached(raw: sqlite3.Connection) -> tuple[int, ...]:
    """Return the highest id ever given in each log."""
    found = dict(raw.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    return tuple(found.get(log.table, 0) for log in LOGS)

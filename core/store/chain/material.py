"""Which bytes of a row the hash chain covers.

SQLite itself builds the bytes, because reading each imported row into Python would cost more than the import can
spare. Every text is preceded by its length in bytes, so that no content can move from one column into the next; numbers
end with a comma. Only operators and functions that all versions of SQLite compute alike are used.

The lists of columns belong to a format number, which each entry of the chain carries. A column that is added to a table
later is covered from the next format on.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

FORMAT = 1
LINKS_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True)
class Log:
    """A table that only grows: an entry of the chain covers its rows up to an id.

    Attributes:
        table: its name; the column ``<table>_to`` of ``chain`` holds the last id covered.
        words: columns that are never NULL. optional: columns that may be. texts: columns that people or files decide.
        noun: what a row is called in a message.
    """

    table: str
    words: tuple[str, ...]
    optional: tuple[str, ...]
    texts: tuple[str, ...]
    noun: str

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are covered, in the order of their bytes."""
        return (*self.words, *self.optional, *self.texts)

    @property
    def row(self) -> str:
        """SQL expression of the bytes of one row, for the alias ``t``."""
        return row_bytes(" ".join(self.words), " ".join(self.optional), " ".join(self.texts))

    @property
    def upto(self) -> str:
        """The column of ``chain`` that holds the last id covered."""
        return f"{self.table}_to"


def text(column: str) -> str:
    """Return the SQL expression of a text that people or files decide: length in bytes, colon, text; "-" for NULL."""
    return f"coalesce(length(CAST({column} AS BLOB))||':'||{column},'-')"


def word(column: str) -> str:
    """Return the SQL expression of a number, a hash, an id or a word of the program, none of which holds a comma."""
    return f"coalesce({column},'-')||','"


def row_bytes(words: str, optional: str = "", texts: str = "") -> str:
    """Return the bytes of a row: columns that are never NULL, columns that may be, texts."""
    parts = ["||','||".join(f"t.{name}" for name in words.split()) + "||','"]
    parts += [word(f"t.{name}") for name in optional.split()] + [text(f"t.{name}") for name in texts.split()]
    return "||".join(parts)


def _log(table: str, words: str, optional: str, texts: str, noun: str) -> Log:
    return Log(table, tuple(words.split()), tuple(optional.split()), tuple(texts.split()), noun)


LOGS: tuple[Log, ...] = (
    # The texts of a pair are covered by its content hash, which *Check workspace* computes anew.
    _log("pair", "id prompt_id source_id created_ms sha256", "", "a_generation b_generation", "pair"),
    _log(
        "presentation",
        "id uid pair_id reviewer_id rubric_version_id task left_is position shown_ms mono_ms session",
        "",
        "queue",
        "presentation",
    ),
    _log(
        "judgement",
        "id uid presentation_id revision pair_id reviewer_id rubric_version_id task kind op at_ms mono_ms session"
        " app_version",
        "verdict strength confidence supersedes",
        "reason flags criteria rationale edit spans process",
        "judgement",
    ),
    _log("event_log", "id at_ms op session", "reviewer_id subject_id", "summary subject detail", "logged event"),
)

EVIDENCE = "||".join((
    *(text(f"j.{name}") for name in (
        "task", "verdict", "reason", "flags", "criteria", "rationale", "edit", "spans"
    )),
    word("j.strength"), word("j.confidence"), text("p.left_is"), text("v.sha256"),
))  # fmt: skip
"""What a judgement says, without what is this workspace's own (ids, times, names): judgement j, presentation p, rubric
version v. A dataset version's root hash covers it, and is the same on every machine."""


def range_digests(connection: sqlite3.Connection, log: Log, first: int, last: int) -> dict[int, str]:
    """Return entry -> sha256 of the rows of ``log`` that the entries ``first`` to ``last`` cover; "" for none.

    No index is used: SQLite would else, once it knows that reviewers are few, read the rows reviewer by reviewer, and
    the digest is one over the rows in the order of their ids.
    """
    query = f"""SELECT e.id, CAST(group_concat({log.row},'') AS BLOB) FROM chain e JOIN chain b ON b.id=e.id-1
        CROSS JOIN {log.table} t NOT INDEXED ON t.id>b.{log.upto} AND t.id<=e.{log.upto}
        WHERE e.id BETWEEN ? AND ? GROUP BY e.id"""
    return {entry: digest_of(raw) for entry, raw in connection.execute(query, (first, last))}


def range_digest(connection: sqlite3.Connection, log: Log, after: int, upto: int) -> str:
    """Return the sha256 of the rows of ``log`` with after < id <= upto; "" for none."""
    query = f"SELECT CAST(group_concat({log.row},'') AS BLOB) FROM {log.table} t NOT INDEXED WHERE t.id>? AND t.id<=?"
    (raw,) = connection.execute(query, (after, upto)).fetchone()
    return "" if raw is None else digest_of(raw)


def link_value(pair_id: int, source_id: int, row: int) -> int:
    """Return the summand of one row of ``pair_source``: the chain holds the sum over all, whatever their order."""
    return int.from_bytes(hashlib.sha256(b"%d,%d,%d" % (pair_id, source_id, row)).digest(), "big")


def digest_of(raw: bytes) -> str:
    """Return the hex sha256 of the bytes of some rows."""
    return hashlib.sha256(raw).hexdigest()

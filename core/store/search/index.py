"""The search index: an SQLite FTS5 file beside the database, made from it and never needed to read it.

It holds every sequence of three characters (trigram) of every folded text with its place, so that a phrase of any
script is found inside words too, without a look at the texts. Shorter terms, and words that stand in many pairs, are
found by bits of pairs. Pairs never change and are never deleted, so the state of the index is one number: all pairs up
to this id are in it. It is written in small portions by whoever has time, never by an import. A file that is damaged,
older, or of another state of the workspace is deleted and made anew.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from core.domain.pair_table import IndexState
from core.domain.search_text import FOLDING, fold
from core.store.plain import fetch
from core.store.search import frequent_words, short_terms
from core.store.sqlite.connect import connect

FOLDER = "search"
_LAYOUT = f"4 {FOLDING}"
"""An index of another layout or folding is made anew."""
_PORTION_CHARS = 4 << 20
_SAMPLED = 20
_MAKE = (
    "CREATE VIRTUAL TABLE texts USING fts5(prompt, a, b, content='', tokenize='trigram case_sensitive 1')",
    short_terms.MAKE,
    *frequent_words.MAKE,
    "CREATE TABLE state(id INTEGER PRIMARY KEY CHECK(id=1), folding TEXT NOT NULL, workspace TEXT NOT NULL,"
    " upto INTEGER NOT NULL, sha256 TEXT NOT NULL) STRICT",
)
_TEXTS = "SELECT p.id, p.sha256, q.text, p.a_text, p.b_text FROM pair p CROSS JOIN prompt q ON q.id=p.prompt_id"


class SearchIndex:
    """The index of one workspace. All methods may be called from any thread.

    Args:
        folder: the workspace folder.
        workspace: its identity.
        read_only: never write the index either.
    """

    def __init__(self, folder: Path, workspace: str, *, read_only: bool = False) -> None:
        self._folder = folder / FOLDER
        self.path = self._folder / "index.db"
        self._workspace, self._read_only = workspace, read_only
        self._writing = threading.Lock()

    @contextmanager
    def open(self, session: Session) -> Iterator[OpenIndex | None]:
        """Give the index for one search, or None where there is none that fits the database of ``session``."""
        with ExitStack() as kept:
            upto = 0
            try:
                connection = kept.enter_context(closing(connect(self.path, "ro")))
                upto = self._fitting(connection, session)
            except (sqlite3.Error, ValueError):
                connection = None
            yield OpenIndex(connection, upto) if connection is not None and upto else None

    def state(self, session: Session) -> IndexState:
        """Return how far the index reaches."""
        return _state(session, self._reach(session))

    def advance(self, session: Session, most: int = 1000) -> IndexState:
        """Add up to ``most`` pairs and return how far the index reaches then; a wrong index is begun anew.

        Of two threads that call it at once the second adds nothing. A full or read-only disk leaves the index as it
        is: searches read the texts instead.
        """
        if self._read_only or not self._writing.acquire(blocking=False):
            return self.state(session)
        try:
            return self._advance(session, most)
        except (sqlite3.DatabaseError, ValueError) as error:
            if not isinstance(error, sqlite3.OperationalError):
                self.drop()
            return _state(session, 0)
        except OSError:
            return _state(session, 0)
        finally:
            self._writing.release()

    def drop(self) -> None:
        """Delete the index."""
        if not self._read_only:
            shutil.rmtree(self._folder, ignore_errors=True)

    def verify(self, session: Session, seed: int = 0) -> list[str]:
        """Return what is wrong with the index as sentences; empty when nothing is, or when there is none.

        Checks the structure of the index, and that a sample of pairs is found by phrases of their own texts.
        """
        if not self.path.exists():
            return []
        try:
            with closing(connect(self.path, "ro")) as connection:
                upto = self._fitting(connection, session)
                if not upto:
                    return ["The search index belongs to another state of the workspace."]
                if [row[0] for row in connection.execute("PRAGMA quick_check(1)")] != ["ok"]:
                    return ["The search index is damaged."]
                missed = [key for key, phrase in _sample(session, upto, seed) if not _finds(connection, key, phrase)]
        except (sqlite3.Error, ValueError) as error:
            return [f"The search index cannot be read ({error})."]
        return [f"The search index does not find pair {missed[0]} by its own text."] if missed else []

    def _advance(self, session: Session, most: int) -> IndexState:
        upto = self._reach(session)
        if not upto:
            self.drop()
        rows = _portion(session, upto, most)
        if not rows:
            return _state(session, upto)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.path.touch(mode=0o600, exist_ok=True)
        with closing(connect(self.path, "rwc")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            if not upto:
                for statement in _MAKE:
                    connection.execute(statement)
            self._add(connection, rows)
            connection.execute("COMMIT")
        return _state(session, rows[-1][0])

    def _add(self, connection: sqlite3.Connection, rows: Sequence[tuple[int, str, str, str, str]]) -> None:
        folded = [(key, tuple(map(fold, texts))) for key, _, *texts in rows]
        connection.executemany(
            "INSERT INTO texts(rowid, prompt, a, b) VALUES(?,?,?,?)", [(key, *texts) for key, texts in folded]
        )
        short_terms.add(connection, folded)
        frequent_words.add(connection, folded)
        connection.execute(
            "INSERT INTO state(id, folding, workspace, upto, sha256) VALUES(1,?,?,?,?)"
            " ON CONFLICT(id) DO UPDATE SET upto=excluded.upto, sha256=excluded.sha256",
            (_LAYOUT, self._workspace, rows[-1][0], rows[-1][1]),
        )

    def _reach(self, session: Session) -> int:
        """Return up to which pair the index reaches; 0 when there is none, or none that can be used."""
        try:
            with closing(connect(self.path, "ro")) as connection:
                return self._fitting(connection, session)
        except (sqlite3.Error, ValueError):
            return 0

    def _fitting(self, connection: sqlite3.Connection, session: Session) -> int:
        """Return up to which pair the index reaches; 0 when it is not one of this state of this workspace.

        A restored backup may give the same ids to other pairs, so the hash of the last pair must be the stored one.
        """
        found = connection.execute("SELECT folding, workspace, upto, sha256 FROM state").fetchone()
        if found is None or found[:2] != (_LAYOUT, self._workspace):
            return 0
        last = fetch(session, "SELECT sha256 FROM pair WHERE id=?", (found[2],))
        return int(found[2]) if last and last[0][0] == found[3] else 0


@dataclass(frozen=True, slots=True)
class OpenIndex:
    """An index that fits the database, for one search. ``upto`` is the highest pair id in it."""

    connection: sqlite3.Connection
    upto: int

    def holding(self, terms: Sequence[str]) -> list[int]:
        """Return the pairs up to ``upto`` whose texts hold all these terms of three or more characters, ascending."""
        query = "SELECT json_group_array(rowid) FROM texts WHERE texts MATCH ?"
        return json.loads(self.connection.execute(query, (_phrases(terms),)).fetchone()[0])

    def holding_in_words(self, term: str) -> tuple[int, int]:
        """Return the pairs that hold a term of four or more characters in a frequent word, and all others, as bits.

        The place of a bit is the id of the pair. The others may hold the term too, and may be no pairs.
        """
        sure = frequent_words.holding(self.connection, term)
        others = (1 << (self.upto + 1)) - 2
        if sure.bit_count() * 4 > self.upto * 3:
            others = frequent_words.may_hold(self.connection, term, self.upto)
        return sure, others & ~sure

    def may_hold(self, phrase: str) -> int | None:
        """Return the pairs that may hold a phrase, as bits; None where its words say nothing."""
        return frequent_words.may_hold_phrase(self.connection, phrase)

    def streamed(self, terms: Sequence[str], after: int) -> Iterator[int]:
        """Yield the pairs behind ``after`` whose texts hold all these terms, ascending, each as soon as it is found."""
        query = "SELECT rowid FROM texts WHERE texts MATCH ? AND rowid>? ORDER BY rowid"
        yield from (row[0] for row in self.connection.execute(query, (_phrases(terms), after)))

    def holding_short(self, term: str) -> int:
        """Return a bit for each pair up to ``upto`` whose texts hold a term of one or two characters."""
        return short_terms.holding(self.connection, term)


def _phrases(terms: Sequence[str]) -> str:
    return " AND ".join('"' + term.replace('"', '""') + '"' for term in terms)


def _portion(session: Session, upto: int, most: int) -> list[tuple[int, str, str, str, str]]:
    """Return the next pairs: at most ``most``, fewer where their texts are long."""
    rows: list[tuple[int, str, str, str, str]] = []
    chars = 0
    for row in fetch(session, f"{_TEXTS} WHERE p.id>? ORDER BY p.id LIMIT ?", (upto, most)):
        rows.append(tuple(row))
        chars += sum(map(len, row[2:]))
        if chars > _PORTION_CHARS:
            break
    return rows


def _state(session: Session, upto: int) -> IndexState:
    ((pairs,),) = fetch(session, "SELECT value FROM counter WHERE name='pairs'")
    ((indexed,),) = fetch(session, "SELECT count(*) FROM pair WHERE id<=?", (upto,)) if upto else ((0,),)
    return IndexState(indexed, pairs)


def _sample(session: Session, upto: int, seed: int) -> Iterator[tuple[int, str]]:
    """Yield some pairs with a phrase of one of their texts."""
    draw = random.Random(seed)
    wanted = json.dumps(sorted({draw.randint(1, upto) for _ in range(_SAMPLED)}))
    for key, _, *texts in fetch(session, f"{_TEXTS} WHERE p.id IN (SELECT value FROM json_each(?))", (wanted,)):
        text = fold(draw.choice(texts))
        start = draw.randint(0, max(0, len(text) - 12))
        if phrase := text[start : start + 12]:
            yield key, phrase


def _finds(connection: sqlite3.Connection, key: int, phrase: str) -> bool:
    if not short_terms.holding(connection, phrase[: short_terms.LONGEST]) >> key & 1:
        return False
    if len(phrase) <= short_terms.LONGEST:
        return True
    wanted = '"' + phrase.replace('"', '""') + '"'
    return bool(connection.execute("SELECT 1 FROM texts WHERE texts MATCH ? AND rowid=?", (wanted, key)).fetchone())

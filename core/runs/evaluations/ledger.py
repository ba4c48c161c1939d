"""The ledger of an evaluation: its layout, and reading answers, log-probs and KL rows back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.domain.evaluation_events import (
    EVALUATION_EVENT_TYPES,
    WORK,
    Answered,
    AnswerRow,
    KlRow,
    KlScored,
    PairsScored,
    ScoreRow,
)
from core.domain.run_events import PhaseChanged, from_plain
from core.runs.ledger import chain, schema
from core.runs.ledger.layout import LedgerLayout, RowsTable
from core.runs.ledger.open_read_only import open_ledger

T = TypeVar("T")


def _no_head(_: Any) -> dict[str, Any]:
    return {}


def _is_frequent(event: Any) -> bool:
    """Batches need not wait for the disk: what a power cut takes is sampled again, with the same result."""
    return isinstance(event, (*WORK, PhaseChanged))


EVALUATION_LAYOUT = LedgerLayout(
    owner="evaluation_id",
    tables={},
    rows={
        Answered: RowsTable("answers", AnswerRow, {}, _no_head),
        PairsScored: RowsTable("scores", ScoreRow, {}, _no_head),
        KlScored: RowsTable("kl_answers", KlRow, {}, _no_head),
    },
    indexes=("CREATE INDEX IF NOT EXISTS answers_of ON answers (suite, arm)",),
    is_frequent=_is_frequent,
)
"""Events as JSON, and one row for each answer, scored pair and answer of the KL."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its number, attempt and time (UTC milliseconds)."""

    seq: int
    attempt: int
    at_ms: int
    event: Any


BatchKey = tuple[str, str, str, int]
"""Event name, suite, arm and number of a batch."""


class EvaluationLedger:
    """Reads the ledger of an evaluation, also while it is written; keeps nothing but the number of the last event."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last_seq = 0

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection | None]:
        """Open the ledger read-only within the context; None before anything was written."""
        with open_ledger(self.path, EVALUATION_LAYOUT.marks) as db:
            yield db

    def poll(self) -> list[Any]:
        """Return the events since the last call, in order, without their rows; the first call returns all."""
        found = self.events(after=self._last_seq)
        if found:
            self._last_seq = found[-1].seq
        return [item.event for item in found]

    def events(self, *, after: int = 0) -> list[StoredEvent]:
        """Return the events numbered above ``after``, in order, without their rows."""
        with self.open() as db:
            if db is None:
                return []
            rows = db.execute(
                "SELECT seq, attempt, at_ms, event, json FROM events WHERE seq > ? ORDER BY seq", (after,)
            )
            return [
                StoredEvent(row[0], row[1], row[2], from_plain(json.loads(row[4]), EVALUATION_EVENT_TYPES))
                for row in rows
                if row[3] in EVALUATION_EVENT_TYPES
            ]

    def batches(self) -> dict[BatchKey, Any]:
        """Return the finished batches by their key."""
        found = {}
        for stored in self.events():
            if isinstance(stored.event, WORK):
                event = stored.event
                found[(event.event, event.suite, event.arm, event.batch)] = event
        return found

    def answers(self, suite: str, arm: str) -> list[AnswerRow]:
        """Return the answers of an arm to a suite, in the order in which they were stored."""
        return self._rows(AnswerRow, "answers", suite, arm)

    def scores(self, suite: str, arm: str) -> list[ScoreRow]:
        """Return the log-probs of an arm on the preference items of a suite."""
        return self._rows(ScoreRow, "scores", suite, arm)

    def kl_rows(self, suite: str, arm: str) -> list[KlRow]:
        """Return the answers whose KL was computed."""
        return self._rows(KlRow, "kl_answers", suite, arm)

    def head(self) -> tuple[int, str]:
        """Return number and hash of the last event in the chain; 0 where there is none."""
        with self.open() as db:
            return chain.head(db) if db is not None else (0, "")

    def _rows(self, cls: type[T], table: str, suite: str, arm: str) -> list[T]:
        with self.open() as db:
            if db is None:
                return []
            query = f"SELECT * FROM {table} WHERE suite = ? AND arm = ? ORDER BY id"
            return [schema.decode(cls, row) for row in db.execute(query, (suite, arm))]

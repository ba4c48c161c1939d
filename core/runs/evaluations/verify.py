"""Verify an evaluation folder: request, evidence and ledger are what they were when they were written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from core.domain.errors import UserError
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EVALUATION_LAYOUT, EvaluationLedger
from core.runs.ledger import chain


def evaluation_problems(folder: EvaluationFolder) -> Iterator[str]:
    """Yield a sentence for each part of the folder that is damaged or was altered."""
    identity: dict[str, object] = {}
    try:
        identity = folder.verify()
        record = folder.record()
    except (UserError, OSError) as error:
        yield error.message if isinstance(error, UserError) else str(error)
        return
    if identity.get("evaluation_id") != record.evaluation_id:
        yield "The manifest is that of another evaluation."
    try:
        with EvaluationLedger(folder.ledger).open() as db:
            if db is not None:
                yield from (f"ledger.sqlite is damaged: {row[0]}." for row in _unsound(db))
                yield from chain.problems(db, EVALUATION_LAYOUT)
                yield from _head(db, identity)
            elif identity.get("ledger_seq"):
                yield "ledger.sqlite is missing."
    except (UserError, sqlite3.Error, OSError, ValueError) as error:
        yield f"ledger.sqlite cannot be read: {error}"


def _unsound(db: sqlite3.Connection) -> list[tuple[str]]:
    return [tuple(row) for row in db.execute("PRAGMA quick_check(3)") if row[0] != "ok"]


def _head(db: sqlite3.Connection, identity: dict[str, object]) -> Iterator[str]:
    """Compare the chain with the head that the manifest names: the evidence was made of what stood up to there."""
    if not identity.get("ledger_seq"):
        return
    found = db.execute(f"SELECT sha256 FROM {chain.TABLE} WHERE seq = ?", (identity["ledger_seq"],)).fetchone()
    if found is None or found[0] != identity["ledger_sha256"]:
        yield "The ledger was rewritten after the evidence was made of it."

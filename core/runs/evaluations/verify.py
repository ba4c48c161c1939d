"""Verify an evaluation folder: request, evidence and ledger are what they were when they were written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from core import durable
from core.domain.counting import counted
from core.domain.errors import BadInput, UserError
from core.runs.evaluations.folder import NAMES, EvaluationFolder
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


def require_unaltered(folder: EvaluationFolder) -> None:
    """Raise where a part of the folder is not what it was when it was written; nothing may be concluded from it then.

    Raises:
        BadInput: naming what was altered or is damaged.
    """
    found = list(_problems_of(str(folder.path), folder_state(folder)))
    if found:
        more = f" And {counted(len(found) - 1, 'more problem')}." if len(found) > 1 else ""
        raise BadInput(
            f"This evaluation is not what was measured: {found[0]}{more} Nothing was concluded from it.",
            "Restore its folder from a copy, or evaluate again.",
        )


@lru_cache(maxsize=32)
def _problems_of(path: str, _: tuple[object, ...]) -> tuple[str, ...]:
    """Return the problems of a folder in one state of its files, which are read once."""
    return tuple(evaluation_problems(EvaluationFolder(Path(path))))


def folder_state(folder: EvaluationFolder) -> tuple[object, ...]:
    """Return what differs once a file of the folder was written: key of what was computed from its files."""
    names = (durable.MANIFEST, *NAMES, folder.ledger.name, f"{folder.ledger.name}-wal")
    found = [(name, (folder.path / name)) for name in names]
    return tuple((name, path.stat().st_mtime_ns, path.stat().st_size) for name, path in found if path.is_file())


def _unsound(db: sqlite3.Connection) -> list[tuple[str]]:
    return [tuple(row) for row in db.execute("PRAGMA quick_check(3)") if row[0] != "ok"]


def _head(db: sqlite3.Connection, identity: dict[str, object]) -> Iterator[str]:
    """Compare the chain with the head that the manifest names: the evidence was made of what stood up to there."""
    if not identity.get("ledger_seq"):
        return
    found = db.execute(f"SELECT sha256 FROM {chain.TABLE} WHERE seq = ?", (identity["ledger_seq"],)).fetchone()
    if found is None or found[0] != identity["ledger_sha256"]:
        yield "The ledger was rewritten after the evidence was made of it."

"""Verify a run folder: inputs, ledger and checkpoints are what they were when they were written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core import durable
from core.domain.clock import now_ms
from core.domain.errors import UserError
from core.domain.ids import sha256_json
from core.domain.loss_mix import accepts_ties
from core.domain.pair import TrainingPair
from core.domain.run_record import RunRecord
from core.runs.folder import PAIRS, RUN_JSON, RunFolder
from core.runs.heartbeat import read_worker
from core.runs.ledger import chain
from core.runs.ledger.open_read_only import open_ledger

RESTORE = "Restore the run folder from a copy. Do not export, resume or fork the run as it is."


@dataclass(frozen=True, slots=True)
class Noted:
    """What the workspace noted of a run.

    Attributes:
        manifest_sha256: of the folder's manifest when the run was created, "" where it was not noted.
        ledger_seq, ledger_sha256: head of the ledger's chain when the run ended; 0 where it was not noted.
    """

    manifest_sha256: str = ""
    ledger_seq: int = 0
    ledger_sha256: str = ""


def problems(folder: RunFolder, noted: Noted | None = None) -> Iterator[str]:
    """Yield a sentence for each part of the run folder that is damaged or was altered."""
    noted = noted or Noted()
    record = None
    try:
        folder.verify_inputs()
        record = folder.record()
    except (UserError, OSError) as error:
        yield _text(error)
    if record is not None:
        yield from _inputs(folder, record, noted)
    yield from _ledger(folder, record, noted)


def is_at_work(folder: RunFolder) -> bool:
    """Return whether a process works on the run, so that its files change."""
    worker = read_worker(folder.worker)
    return worker is not None and worker.alive(now_ms())


def ledger_head(folder: RunFolder) -> tuple[int, str]:
    """Return number and hash of the last event in the ledger's chain; 0 where there is none.

    Raises:
        UserError: when the ledger cannot be read.
    """
    with open_ledger(folder.ledger) as db:
        return chain.head(db) if db is not None else (0, "")


def manifest_sha256(folder: RunFolder) -> str:
    """Return the sha256 of the manifest of the run's inputs."""
    return durable.file_sha256(folder.path / durable.MANIFEST)


def _inputs(folder: RunFolder, record: RunRecord, noted: Noted) -> Iterator[str]:
    if noted.manifest_sha256 and manifest_sha256(folder) != noted.manifest_sha256:
        yield f"{RUN_JSON} or {PAIRS} was altered together with the manifest: the workspace noted another hash."
    named = durable.read_manifest(folder.path)[0]
    if missing := [name for name in (RUN_JSON, PAIRS) if name not in named]:
        yield f"The manifest no longer names {missing[0]}."
    try:
        fingerprint = record.config.fingerprint(**record.inputs)
    except (TypeError, ValueError):
        fingerprint = ""
    if not record.unknown_settings and fingerprint != record.fingerprint:
        yield "The fingerprint does not fit the settings and inputs in run.json."
    try:
        pairs = folder.pairs()
    except (UserError, OSError) as error:
        yield _text(error)
        return
    if _trained(pairs, record) != record.inputs.get("pairs", ""):
        yield f"{PAIRS} does not hold the pairs whose hash stands in {RUN_JSON}."
    if sum(pair.split == "train" for pair in pairs) != record.n_train or len(pairs) != record.n_train + record.n_dev:
        yield f"{PAIRS} does not hold as many pairs as {RUN_JSON} says."


def _trained(pairs: list[TrainingPair], record: RunRecord) -> str:
    ties = accepts_ties(record.config)
    return sha256_json([p.to_plain() for p in pairs if p.split == "train" and (ties or not p.is_tie)])


def _ledger(folder: RunFolder, record: RunRecord | None, noted: Noted) -> Iterator[str]:
    """Verify the ledger, and the checkpoints that it tells of."""
    saved: dict[int, str] = {}
    if noted.ledger_seq and not folder.ledger.is_file():
        yield "ledger.sqlite is missing."
    try:
        with open_ledger(folder.ledger) as db:
            if db is not None:
                yield from (f"ledger.sqlite is damaged: {row[0]}." for row in _unsound(db))
                owner = db.execute("SELECT value FROM meta WHERE key='run_id'").fetchone()
                if record is not None and (owner is None or owner[0] != record.run_id):
                    yield "ledger.sqlite belongs to another run."
                yield from chain.problems(db)
                yield from _noted_head(db, noted)
                saved = _saved(db)
            elif folder.ledger.is_file() and folder.ledger.stat().st_size:
                yield "ledger.sqlite is no ledger of a run."
    except (UserError, sqlite3.Error, OSError, ValueError) as error:
        yield f"ledger.sqlite cannot be read: {_text(error)}"
    yield from _checkpoints(folder, saved)


def _unsound(db: sqlite3.Connection) -> list[tuple[str]]:
    return [tuple(row) for row in db.execute("PRAGMA quick_check(3)") if row[0] != "ok"]


def _noted_head(db: sqlite3.Connection, noted: Noted) -> Iterator[str]:
    if not noted.ledger_seq:
        return
    found = None
    if chain.head(db)[0]:
        found = db.execute(f"SELECT sha256 FROM {chain.TABLE} WHERE seq=?", (noted.ledger_seq,)).fetchone()
    if found is None or found[0] != noted.ledger_sha256:
        yield f"The ledger was rewritten: the workspace noted another hash for event {noted.ledger_seq}."


def _saved(db: sqlite3.Connection) -> dict[int, str]:
    """Return step -> sha256 of the manifest of each checkpoint that the ledger tells of; the last one counts."""
    query = (
        "SELECT json_extract(json, '$.step'), json_extract(json, '$.sha256') FROM events WHERE event='checkpoint'"
        " ORDER BY seq"
    )
    return {int(step): str(sha) for step, sha in db.execute(query)}


def _checkpoints(folder: RunFolder, saved: dict[int, str]) -> Iterator[str]:
    for path in sorted(folder.checkpoints.glob("step-*")):
        try:
            durable.verify_folder(path)
            sha = durable.file_sha256(path / durable.MANIFEST)
        except (UserError, OSError) as error:
            yield f"Checkpoint {path.name}: {_text(error)}"
            continue
        step = path.name.removeprefix("step-")
        expected = saved.get(int(step)) if step.isdecimal() else None
        if expected is not None and sha != expected:
            yield f"Checkpoint {path.name} is not the one that the ledger tells of."


def folder_problem(path: Path) -> str:
    """Return what is wrong with a folder that has a manifest (an export, a converted model), "" when nothing is."""
    try:
        durable.verify_folder(path)
    except (UserError, OSError) as error:
        return _text(error)
    return ""


def _text(error: Exception) -> str:
    return error.message if isinstance(error, UserError) else str(error)

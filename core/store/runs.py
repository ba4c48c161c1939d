"""The registry of runs: which folders belong to this workspace, and what people added to them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlmodel import Session, col, select

from core.domain.errors import NotFound
from core.domain.ids import canonical_json
from core.domain.names import checked_name
from core.store.plain import insert_row
from core.store.sqlite.write_context import WriteContext
from core.store.tables import RunRow


@dataclass(frozen=True, slots=True)
class RegisteredRun:
    """One run as the workspace knows it; what it did is in its folder.

    Attributes:
        folder: below the workspace folder where it lies there, else absolute.
        dataset_id: the frozen version it trains on, None for a bare file of pairs.
    """

    run_id: str
    name: str
    folder: str
    dataset_id: int | None = None
    dataset_sha256: str = ""
    model_path: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    created_ms: int = 0


def add(session: Session, run: RegisteredRun, context: WriteContext) -> None:
    """Register a run whose folder is published."""
    insert_row(
        session,
        RunRow,
        uid=run.run_id,
        name=run.name,
        dataset_id=run.dataset_id,
        dataset_sha256=run.dataset_sha256 or None,
        folder=run.folder,
        model_path=run.model_path,
        tags=canonical_json(list(run.tags)),
        note=run.note,
        created_ms=run.created_ms or context.at_ms,
    )


def listed(session: Session) -> list[RegisteredRun]:
    """Return every registered run, newest first."""
    return [_to_domain(row) for row in session.exec(select(RunRow).order_by(col(RunRow.id).desc()))]


def annotate(
    session: Session,
    run_id: str,
    *,
    name: str | None = None,
    tags: tuple[str, ...] | None = None,
    note: str | None = None,
) -> RegisteredRun:
    """Change what people added to a run; None leaves a value as it is.

    Raises:
        NotFound: when the run is not registered.
    """
    row = session.exec(select(RunRow).where(col(RunRow.uid) == run_id)).first()
    if row is None:
        raise NotFound(f"There is no run {run_id} in this workspace.")
    row.name = row.name if name is None else checked_name(name, "run")
    row.tags = row.tags if tags is None else canonical_json([checked_name(tag, "tag") for tag in tags])
    row.note = row.note if note is None else note
    session.add(row)
    session.flush()
    return _to_domain(row)


def _to_domain(row: RunRow) -> RegisteredRun:
    return RegisteredRun(
        run_id=row.uid,
        name=row.name,
        folder=row.folder,
        dataset_id=row.dataset_id,
        dataset_sha256=row.dataset_sha256 or "",
        model_path=row.model_path,
        tags=tuple(json.loads(row.tags)),
        note=row.note,
        created_ms=row.created_ms,
    )

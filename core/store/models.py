"""The registry of models: which folders a workspace trains on, and what they held when they were added."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from sqlmodel import Session, col, select

from core.domain.errors import NotFound
from core.domain.ids import canonical_json, new_uid
from core.domain.model_info import ModelInfo
from core.store.plain import insert_row, only_id, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import ModelRow

_COLUMNS = ("id", "name", "path", "kind", "sha256", "created_ms", "available")


def listed(session: Session) -> list[ModelInfo]:
    """Return every registered model by name, whether its folder is still there or not."""
    rows = session.exec(select(ModelRow)).all()
    return sorted((_to_domain(row) for row in rows), key=lambda info: (info.name.lower(), info.id))


def get(session: Session, model_id: int) -> ModelInfo:
    """Return one model.

    Raises:
        NotFound: when there is none with this id.
    """
    row = session.get(ModelRow, model_id)
    if row is None:
        raise NotFound(f"There is no model {model_id}.", "See the list of models.")
    return _to_domain(row)


def add(session: Session, info: ModelInfo, context: WriteContext) -> ModelInfo:
    """Register a model; a model at the same path is updated instead."""
    known = session.exec(select(ModelRow).where(col(ModelRow.path) == str(info.path))).first()
    if known is not None:
        known.sha256, known.info = info.sha256 or None, _facts(info)
        session.add(known)
        session.flush()
        return _to_domain(known)
    key = insert_row(
        session,
        ModelRow,
        uid=new_uid(),
        name=_free_name(session, info.name),
        path=str(info.path),
        kind=info.kind,
        sha256=info.sha256 or None,
        info=_facts(info),
        created_ms=context.at_ms,
    )
    return get(session, key)


def forget(session: Session, model_id: int) -> ModelInfo:
    """Take a model off the list; its files and the runs made on it stay."""
    info = get(session, model_id)
    session.delete(session.get(ModelRow, model_id))
    session.flush()
    return info


def _free_name(session: Session, name: str) -> str:
    taken = set(session.exec(select(ModelRow.name)).all())
    if name not in taken:
        return name
    return next(f"{name} ({n})" for n in range(2, len(taken) + 3) if f"{name} ({n})" not in taken)


def _facts(info: ModelInfo) -> str:
    return canonical_json({k: v for k, v in asdict(replace(info, path=Path())).items() if k not in _COLUMNS})


def _to_domain(row: ModelRow) -> ModelInfo:
    path = Path(row.path)
    facts = {k: v for k, v in read_json(row.info).items() if k in ModelInfo.__dataclass_fields__ and k not in _COLUMNS}
    return ModelInfo(
        id=only_id(row),
        name=row.name,
        path=path,
        kind=row.kind,  # type: ignore[arg-type]
        sha256=row.sha256 or "",
        created_ms=row.created_ms,
        available=path.exists(),
        **facts,
    )

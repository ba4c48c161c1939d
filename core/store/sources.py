"""Sources of pairs: which file, which licence, whose consent."""

from __future__ import annotations

from sqlmodel import Session, col, select

from core.domain.errors import BadInput, NotFound
from core.domain.pair_table import CONSENTS, SourceInfo
from core.store import events
from core.store.plain import only_id
from core.store.sqlite.write_context import WriteContext
from core.store.tables import SourceRow


def to_domain(row: SourceRow) -> SourceInfo:
    """Return the domain value of a row."""
    return SourceInfo(
        id=only_id(row),
        name=row.name,
        kind=row.kind,
        licence=row.licence,
        consent=row.consent,
        file_name=row.file_name,
        file_sha256=row.file_sha256 or "",
        format=row.format,
        pairs=row.pairs,
        created_ms=row.created_ms,
    )


def listed(session: Session) -> list[SourceInfo]:
    """Return every source, oldest first."""
    return [to_domain(row) for row in session.exec(select(SourceRow).order_by(col(SourceRow.id)))]


def by_file(session: Session, file_sha256: str) -> SourceInfo | None:
    """Return the source that a file of this content became, or None."""
    row = session.exec(select(SourceRow).where(SourceRow.file_sha256 == file_sha256)).first()
    return to_domain(row) if row else None


def set_consent(session: Session, source_id: int, consent: str, context: WriteContext) -> SourceInfo:
    """Set the consent of a source and log it.

    Raises:
        BadInput: for an unknown word.
        NotFound: when there is no such source.
    """
    if consent not in CONSENTS:
        raise BadInput(f"Unknown consent {consent!r}.", f"Use one of {', '.join(CONSENTS)}.")
    row = session.get(SourceRow, source_id)
    if row is None:
        raise NotFound(f"There is no source {source_id}.")
    row.consent = consent
    session.add(row)
    session.flush()
    summary = f"Consent for {row.name}: {consent}"
    events.log(session, context, "source.consent", summary, subject="source", subject_id=source_id)
    return to_domain(row)

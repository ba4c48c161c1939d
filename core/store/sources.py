"""Sources of pairs: which file, which licence, whose consent."""

from __future__ import annotations

from sqlmodel import Session, col, select

from core.domain.consent import Consent
from core.domain.generation import GENERATED
from core.domain.pair_table import SourceInfo
from core.store import consents
from core.store.plain import only_id, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import SourceRow


def to_domain(row: SourceRow) -> SourceInfo:
    """Return the domain value of a row."""
    return SourceInfo(
        id=only_id(row),
        name=row.name,
        kind=row.format if row.kind == "generator" and row.format else row.kind,
        licence=row.licence,
        consent=row.consent,
        file_name=row.file_name,
        file_sha256=row.file_sha256 or "",
        format=row.format,
        pairs=row.pairs,
        created_ms=row.created_ms,
        parents=_parents(row),
    )


def _parents(row: SourceRow) -> tuple[str, ...]:
    """Return the runs that the pairs of a generation came from."""
    return tuple(read_json(row.note).get("runs", ())) if row.format == GENERATED and row.note else ()


def listed(session: Session) -> list[SourceInfo]:
    """Return every source, oldest first."""
    return [to_domain(row) for row in session.exec(select(SourceRow).order_by(col(SourceRow.id)))]


def by_file(session: Session, file_sha256: str) -> SourceInfo | None:
    """Return the source that a file of this content became, or None."""
    row = session.exec(select(SourceRow).where(SourceRow.file_sha256 == file_sha256)).first()
    return to_domain(row) if row else None


def set_consent(session: Session, source_id: int, consent: str, context: WriteContext) -> SourceInfo:
    """State the consent of a source, without limits of scope or time, and log it.

    Raises:
        BadInput: for an unknown word.
        NotFound: when there is no such source.
    """
    consents.state(session, "source", source_id, Consent(consent, given_ms=context.at_ms), context)
    row = session.get(SourceRow, source_id)
    assert row is not None
    return to_domain(row)

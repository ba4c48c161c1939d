"""Thresholds in the workspace database: versions are added and never change."""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import Session, col, select

from core.domain.errors import NotFound
from core.domain.ids import canonical_json, new_uid
from core.domain.suite import split_title
from core.domain.threshold import Threshold
from core.store.plain import insert_row, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import ThresholdRow


def add(session: Session, threshold: Threshold, context: WriteContext) -> Threshold:
    """Store a threshold as the next version of its name and return it with its number."""
    newest = newest_of(session, threshold.name)
    stored = replace(
        threshold,
        name=newest.name if newest else threshold.name.strip(),
        number=newest.number + 1 if newest else 1,
    )
    insert_row(
        session,
        ThresholdRow,
        uid=new_uid(),
        name=stored.name,
        number=stored.number,
        sha256=stored.sha256,
        negatives=stored.dev.fpr.n,
        positives=stored.dev.fnr.n,
        body=canonical_json(stored.to_plain()),
        created_ms=context.at_ms,
        session=context.session,
    )
    return stored


def listed(session: Session) -> list[Threshold]:
    """Return every version, oldest first."""
    return [_threshold(row) for row in session.exec(select(ThresholdRow).order_by(col(ThresholdRow.id)))]


def newest_of(session: Session, name: str) -> Threshold | None:
    """Return the newest version of a name, None when there is none."""
    query = select(ThresholdRow).where(col(ThresholdRow.name) == name.strip())
    row = session.exec(query.order_by(col(ThresholdRow.number).desc()).limit(1)).first()
    return _threshold(row) if row else None


def find(session: Session, wanted: str) -> Threshold:
    """Return a version by its title ("harm v2"), or the newest of a name.

    Raises:
        NotFound: when there is none.
    """
    name, number = split_title(wanted)
    query = select(ThresholdRow).where(col(ThresholdRow.name) == name, ThresholdRow.number == number)
    if number and (row := session.exec(query).first()):
        return _threshold(row)
    if found := newest_of(session, wanted):
        return found
    raise NotFound(f"There is no threshold {wanted!r}.", "See them with: threshold list WS")


def _threshold(row: ThresholdRow) -> Threshold:
    return Threshold.from_plain(read_json(row.body))

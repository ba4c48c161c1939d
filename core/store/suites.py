"""Suites in the workspace database: filled while open, then frozen and immutable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from core.domain.errors import NotFound
from core.domain.ids import canonical_json, new_uid
from core.domain.suite import Suite, SuiteInfo, SuiteItem, split_title
from core.store.plain import fetch, insert_row, only_id, read_json
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.write_context import WriteContext
from core.store.tables import SuiteRow


def add(session: Session, suite: Suite, context: WriteContext, detail: Mapping[str, Any] | None = None) -> SuiteInfo:
    """Store the items as the next version of the suite's name, freeze it and return what was stored.

    Args:
        session: of the transaction.
        suite: its ``number`` is not read.
        context: of the write.
        detail: where the items come from, as plain values.
    """
    newest = newest_of(session, suite.name)
    key = insert_row(
        session,
        SuiteRow,
        uid=new_uid(),
        name=newest.name if newest else suite.name,
        number=newest.number + 1 if newest else 1,
        state="open",
        origin=suite.origin,
        licence=suite.licence,
        description=suite.description,
        counts=canonical_json(Counter(item.expected for item in suite.items)),
        detail=canonical_json(dict(detail or {})),
        created_ms=context.at_ms,
    )
    insert_many(
        session,
        "suite_item(suite_id, position, item_id, body)",
        [(key, at, item.id, canonical_json(item.to_plain())) for at, item in enumerate(suite.items)],
    )
    row = session.get(SuiteRow, key)
    assert row is not None
    row.state, row.sha256 = "frozen", suite.sha256
    session.add(row)
    session.flush()
    return _info(row)


def listed(session: Session) -> list[SuiteInfo]:
    """Return every frozen version, oldest first."""
    query = select(SuiteRow).where(SuiteRow.state == "frozen").order_by(col(SuiteRow.id))
    return [_info(row) for row in session.exec(query)]


def newest_of(session: Session, name: str) -> SuiteInfo | None:
    """Return the newest version of a name, None when there is none."""
    query = select(SuiteRow).where(SuiteRow.state == "frozen", col(SuiteRow.name) == name)
    row = session.exec(query.order_by(col(SuiteRow.number).desc()).limit(1)).first()
    return _info(row) if row else None


def find(session: Session, wanted: str) -> SuiteInfo:
    """Return one version by its title ("safety v2"), or the newest of a name.

    Raises:
        NotFound: when there is none.
    """
    name, number = split_title(wanted)
    query = select(SuiteRow).where(SuiteRow.state == "frozen")
    if number and (row := session.exec(query.where(col(SuiteRow.name) == name, SuiteRow.number == number)).first()):
        return _info(row)
    if found := newest_of(session, wanted.strip()):
        return found
    raise NotFound(f"There is no suite {wanted!r}.", "See them with: suite list WS")


def items(session: Session, suite_id: int) -> tuple[SuiteItem, ...]:
    """Return the items of a version in their order."""
    rows = fetch(session, "SELECT body FROM suite_item WHERE suite_id=? ORDER BY position", (suite_id,))
    return tuple(SuiteItem.from_plain(read_json(body)) for (body,) in rows)


def get(session: Session, wanted: str) -> Suite:
    """Return a version with its items; see :func:`find`.

    Raises:
        NotFound: when there is none.
    """
    info = find(session, wanted)
    return Suite(info.name, info.number, items(session, info.id), info.origin, info.licence, info.description)


def _info(row: SuiteRow) -> SuiteInfo:
    return SuiteInfo(
        id=only_id(row),
        name=row.name,
        number=row.number,
        sha256=row.sha256 or "",
        counts=read_json(row.counts),
        origin=row.origin,
        licence=row.licence,
        description=row.description,
        created_ms=row.created_ms,
        detail=read_json(row.detail),
    )

"""The ledger of uses in the event log, and which items two splits have in common."""

from __future__ import annotations

from sqlmodel import Session

from core.domain.item_use import RecordedUse
from core.store import events
from core.store.plain import fetch
from core.store.sqlite.write_context import WriteContext

USED = "item.use"


def record(session: Session, context: WriteContext, use: RecordedUse, of: str) -> None:
    """Append one use; ``of`` is the title of the split or suite."""
    what = f"{len(use.ids):,} items of {of}" if use.ids else f"every item of {of}"
    summary = f"{use.by} used {what}: {use.kind}"[:300]
    events.log(session, context, USED, summary, subject="item", detail=use.to_plain())


def recorded(session: Session) -> list[RecordedUse]:
    """Return every use, oldest first."""
    return [RecordedUse.from_plain(event.detail, event.at_ms) for event in events.of_kind(session, USED)]


def common_items(session: Session, dataset_id: int, split: str, root_sha256: str, other_split: str) -> list[str]:
    """Return the pair ids that a split of one version and a split of another, named by its root hash, both hold."""
    sql = """SELECT DISTINCT i.pair_id FROM dataset_item i JOIN dataset_item o ON o.pair_id=i.pair_id AND o.split=?
        JOIN dataset d ON d.id=o.dataset_id AND d.root_sha256=? AND d.state='frozen'
        WHERE i.dataset_id=? AND i.split=? ORDER BY i.pair_id"""
    return [str(pair_id) for (pair_id,) in fetch(session, sql, (other_split, root_sha256, dataset_id, split))]


def pair_ids(session: Session, dataset_id: int, split: str) -> list[str]:
    """Return the pairs of a split."""
    sql = "SELECT pair_id FROM dataset_item WHERE dataset_id=? AND split=? ORDER BY position"
    return [str(pair_id) for (pair_id,) in fetch(session, sql, (dataset_id, split))]

"""Review bundles in the workspace: what is out on desks, what a desk was opened with, what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from core.domain.errors import NotFound
from core.domain.ids import canonical_json, new_uid
from core.store.plain import fetch, insert_row, read_json
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.write_context import WriteContext
from core.store.tables import BundleMergeRow, BundleRow

_BUNDLE = """SELECT u.id, u.uid, u.kind, u.batch_id, b.name, u.reviewer_id, w.name, u.home_uuid, u.chain_head, u.sha256,
      u.slots, u.created_ms,
      coalesce((SELECT m.desk_uuid FROM bundle_merge m WHERE m.bundle_id=u.id ORDER BY m.id DESC LIMIT 1),''),
      coalesce((SELECT max(m.chain_entry) FROM bundle_merge m WHERE m.bundle_id=u.id),0),
      coalesce((SELECT max(m.at_ms) FROM bundle_merge m WHERE m.bundle_id=u.id),0)
    FROM bundle u JOIN batch b ON b.id=u.batch_id JOIN reviewer w ON w.id=u.reviewer_id"""


STILL_OUT = """NOT EXISTS(SELECT 1 FROM slot_assignment n WHERE n.slot_id=t.slot_id
      AND CASE WHEN json_extract(u.detail,'$.assigned') IS NULL THEN n.at_ms>u.created_ms
        ELSE n.id>json_extract(u.detail,'$.assigned') END)"""
"""Condition on a bundle ``u`` and its slot ``t``: since the export the slot was given to nobody, nor opened again here.

A bundle notes the last assignment before it; one that an older program exported is compared by time.
"""


@dataclass(frozen=True, slots=True)
class ReviewBundle:
    """A bundle that was exported from here, or that this workspace was opened with.

    Attributes:
        home_uuid: the workspace whose batch it is. chain_head: of that workspace at the export.
        sha256: of the lines of its file.
        desk_uuid: the desk that sent something back, '' before the first time; ``merged_entry`` is the last entry of
            its chain that is merged here, and ``merged_ms`` when.
    """

    id: int
    uid: str
    kind: str
    batch_id: int
    batch: str
    reviewer_id: int
    reviewer: str
    home_uuid: str
    chain_head: str
    sha256: str
    slots: int
    created_ms: int
    desk_uuid: str = ""
    merged_entry: int = 0
    merged_ms: int = 0

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "uid": self.uid,
            "kind": self.kind,
            "batch": self.batch,
            "reviewer": self.reviewer,
            "slots": self.slots,
            "created_ms": self.created_ms,
            "chain_head": self.chain_head,
            "sha256": self.sha256,
            "merged_entry": self.merged_entry,
            "merged_ms": self.merged_ms,
        }


@dataclass(frozen=True, slots=True)
class MergeNote:
    """What is kept of a merge beside the labels: the end of the desk's chain and the rows that were new."""

    desk_uuid: str
    entry: int
    sha256: str
    file_sha256: str
    counts: Mapping[str, Any]
    body: Mapping[str, Any] = field(default_factory=dict)


def add(
    session: Session, uid: str, kind: str, batch_id: int, reviewer_id: int, home_uuid: str, chain_head: str,
    sha256: str, slot_ids: Sequence[int], context: WriteContext,
) -> int:  # fmt: skip
    """Store a bundle with its slots and return its id."""
    ((assigned,),) = fetch(session, "SELECT coalesce(max(id),0) FROM slot_assignment")
    key = insert_row(
        session,
        BundleRow,
        uid=uid,
        kind=kind,
        batch_id=batch_id,
        reviewer_id=reviewer_id,
        home_uuid=home_uuid,
        chain_head=chain_head,
        sha256=sha256,
        slots=len(slot_ids),
        detail=canonical_json({"assigned": assigned}),
        created_ms=context.at_ms,
        session=context.session,
    )
    insert_many(session, "bundle_slot(slot_id)", [(slot_id,) for slot_id in slot_ids], {"bundle_id": key})
    return key


def listed(session: Session) -> list[ReviewBundle]:
    """Return every bundle, oldest first."""
    return [ReviewBundle(*row) for row in fetch(session, f"{_BUNDLE} ORDER BY u.id")]


def by_uid(session: Session, uid: str) -> ReviewBundle | None:
    """Return the bundle of a uid, None when there is none."""
    found = fetch(session, f"{_BUNDLE} WHERE u.uid=?", (uid,))
    return ReviewBundle(*found[0]) if found else None


def opened_here(session: Session) -> ReviewBundle:
    """Return the bundle that this workspace was opened with.

    Raises:
        NotFound: it is no desk.
    """
    found = fetch(session, f"{_BUNDLE} WHERE u.kind='opened' ORDER BY u.id LIMIT 1")
    if not found:
        raise NotFound(
            "This workspace was not opened from a review bundle, so it has nothing to send back.",
            "`bundle open FILE FOLDER` makes a desk.",
        )
    return ReviewBundle(*found[0])


def slot_ids(session: Session, bundle_id: int) -> list[int]:
    """Return the slots of a bundle in order."""
    query = """SELECT t.slot_id FROM bundle_slot t JOIN batch_slot s ON s.id=t.slot_id WHERE t.bundle_id=?
        ORDER BY s.number"""
    return [key for (key,) in fetch(session, query, (bundle_id,))]


def add_merge(session: Session, bundle_id: int, note: MergeNote, context: WriteContext) -> None:
    """Keep what a desk sent back."""
    insert_row(
        session,
        BundleMergeRow,
        uid=new_uid(),
        bundle_id=bundle_id,
        desk_uuid=note.desk_uuid,
        chain_entry=note.entry,
        chain_sha256=note.sha256,
        file_sha256=note.file_sha256,
        counts=canonical_json(dict(note.counts)),
        body=canonical_json(dict(note.body)),
        at_ms=context.at_ms,
        session=context.session,
    )


def merges(session: Session, bundle_id: int) -> list[MergeNote]:
    """Return what a desk sent back, in the order of its chain."""
    query = """SELECT desk_uuid, chain_entry, chain_sha256, file_sha256, counts, body FROM bundle_merge
        WHERE bundle_id=? ORDER BY chain_entry"""
    return [
        MergeNote(desk, entry, sha, file_sha, read_json(counts), read_json(body))
        for desk, entry, sha, file_sha, counts, body in fetch(session, query, (bundle_id,))
    ]


def pairs_on_desks(session: Session, reviewer_id: int, version_ids: Sequence[int]) -> set[int]:
    """Return the pairs that a reviewer labels on a desk and not here, under rubric versions of one meaning.

    Under another meaning a pair is another question, which the desk is not asked: it may be labelled here.
    """
    query = f"""SELECT DISTINCT s.pair_id FROM bundle u JOIN bundle_slot t ON t.bundle_id=u.id
        JOIN batch_slot s ON s.id=t.slot_id JOIN batch b ON b.id=s.batch_id
        WHERE u.kind='exported' AND u.reviewer_id=? AND b.rubric_version_id IN(SELECT value FROM json_each(?))
            AND {STILL_OUT}"""
    return {key for (key,) in fetch(session, query, (reviewer_id, canonical_json(list(version_ids))))}


def desk_heads(session: Session) -> Iterable[tuple[str, int, str]]:
    """Return (bundle uid, last merged entry, its hash) of every desk, in the order of the uids."""
    query = """SELECT u.uid, m.chain_entry, m.chain_sha256 FROM bundle u JOIN bundle_merge m ON m.bundle_id=u.id
        WHERE m.chain_entry=(SELECT max(n.chain_entry) FROM bundle_merge n WHERE n.bundle_id=u.id) ORDER BY u.uid"""
    return [tuple(row) for row in fetch(session, query)]

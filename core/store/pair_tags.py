"""Tags of pairs: entries of the event log, which is append-only and in the hash chain.

One entry says that a tag was put on some pairs or taken off them; the newest word on a pair and a tag counts.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from sqlmodel import Session

from core.domain.counting import counted
from core.domain.pair_tags import checked_tag
from core.store import events
from core.store.plain import fetch, read_json
from core.store.sqlite.write_context import WriteContext

TAG, UNTAG = "pair.tag", "pair.untag"
WITH_TAG = f"""SELECT pair_id FROM (SELECT j.value AS pair_id, e.op AS op, max(e.id)
    FROM event_log e, json_each(e.detail,'$.pairs') j
    WHERE e.op IN('{TAG}','{UNTAG}') AND json_extract(e.detail,'$.tag')=? GROUP BY j.value) WHERE op='{TAG}'"""
"""The pairs that have a tag now."""
_NEWER = f"SELECT id, op, detail FROM event_log WHERE id>? AND op IN('{TAG}','{UNTAG}') ORDER BY id"
_LAST = "SELECT coalesce(max(id),0) FROM event_log"


class TagBook:
    """The tags of all pairs; each reading takes up what was logged since the one before. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = 0
        self._tags: dict[int, tuple[str, ...]] = {}

    def read(self, session: Session) -> Mapping[int, tuple[str, ...]]:
        """Return pair -> its tags in the order in which they were put on; pairs without a tag are left out."""
        with self._lock:
            ((last,),) = fetch(session, _LAST)
            if last > self._seen:
                self._tags = _after(self._tags, fetch(session, _NEWER, (self._seen,)))
                self._seen = last
            return self._tags


def current(session: Session) -> Mapping[int, tuple[str, ...]]:
    """Return pair -> its tags, read anew."""
    return TagBook().read(session)


def log(
    session: Session, context: WriteContext, op: str, tag: str, pair_ids: Sequence[int], reviewer_id: int | None
) -> None:
    """Log that a reviewer, or a file (None), put a tag on pairs (``TAG``) or took it off them (``UNTAG``)."""
    one = pair_ids[0] if len(pair_ids) == 1 else None
    pairs = f"pair {one}" if one else counted(len(pair_ids), "pair")
    events.log(
        session, context, op, f"Tagged {pairs}: {tag}" if op == TAG else f"Took the tag {tag} off {pairs}",
        reviewer_id=reviewer_id, subject="pair", subject_id=one, detail={"tag": tag, "pairs": list(pair_ids)},
    )  # fmt: skip


def add(session: Session, context: WriteContext, wanted: Mapping[int, Sequence[str]]) -> int:
    """Put checked tags of a file on pairs; a tag in use keeps its spelling. Returns how many pairs got a new one."""
    now = current(session)
    known = list(dict.fromkeys(tag for tags in now.values() for tag in tags))
    touched: dict[str, list[int]] = {}
    for key, tags in wanted.items():
        for tag in dict.fromkeys(checked_tag(one, known) for one in tags):
            known.append(tag)
            if tag not in now.get(key, ()):
                touched.setdefault(tag, []).append(key)
    for tag, keys in touched.items():
        log(session, context, TAG, tag, keys, None)
    return len({key for keys in touched.values() for key in keys})


def _after(tags: Mapping[int, tuple[str, ...]], rows: Sequence[tuple[int, str, str]]) -> dict[int, tuple[str, ...]]:
    """Return the tags as they are after some entries of the log."""
    found = dict(tags)
    for _, op, text in rows:
        said = read_json(text)
        for pair_id in said["pairs"]:
            others = tuple(tag for tag in found.get(pair_id, ()) if tag != said["tag"])
            found[pair_id] = (*others, said["tag"]) if op == TAG else others
            if not found[pair_id]:
                del found[pair_id]
    return found

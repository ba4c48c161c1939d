"""Taking in what a desk sent back: a union by id of presentations, judgements and skips, in terms of this workspace.

Nothing here changes a row that is there. Ids of the desk become ids of this workspace by what names a thing everywhere:
the hash of a pair, the uid of a reviewer, a rubric version, a presentation, a judgement, and the number of a slot.
What a slot asks for (a label, or an answer to a gold pair) is known here alone, and decides the task of what came back.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from core.domain.batch import SlotKind
from core.domain.errors import BadInput
from core.domain.ids import canonical_json
from core.store.plain import fetch, insert_row
from core.store.tables import JudgementRow, PresentationRow, SkipRow, SlotPresentationRow

_SAME_PRESENTATION = ("uid", "task", "left_is", "queue", "position", "shown_ms", "mono_ms", "session")
_SAME_JUDGEMENT = (
    "uid", "revision", "task", "kind", "op", "verdict", "strength", "reason", "confidence", "at_ms", "mono_ms",
    "session", "app_version", "flags", "criteria", "rationale", "edit", "spans", "process",
)  # fmt: skip
_PRESENTATIONS = f"""SELECT {", ".join(f"p.{name}" for name in _SAME_PRESENTATION)}, q.sha256, w.uid, v.uid, v.sha256,
      b.uid, s.number
    FROM presentation p JOIN pair q ON q.id=p.pair_id JOIN reviewer w ON w.id=p.reviewer_id
    JOIN rubric_version v ON v.id=p.rubric_version_id
    LEFT JOIN slot_presentation l ON l.presentation_id=p.id LEFT JOIN batch_slot s ON s.id=l.slot_id
    LEFT JOIN batch b ON b.id=s.batch_id ORDER BY p.id"""
_JUDGEMENTS = f"""SELECT {", ".join(f"j.{name}" for name in _SAME_JUDGEMENT)}, p.uid, o.uid FROM judgement j
    JOIN presentation p ON p.id=j.presentation_id LEFT JOIN judgement o ON o.id=j.supersedes ORDER BY j.id"""
_SKIPS = """SELECT p.uid, k.reason, k.taken_back, k.at_ms FROM skip k JOIN presentation p ON p.id=k.presentation_id
    ORDER BY k.presentation_id"""

_Place = tuple[int, int, int, int, str]
"""A presentation here: its id, pair, reviewer, rubric version and task."""


@dataclass(slots=True)
class Taken:
    """What a merge took in: ``new`` counts rows by kind, ``left`` those outside the bundle, by reason."""

    new: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


class DeskMerge:
    """Merges the rows of one desk; ``desk`` is its database in memory. Inside a transaction of the writer."""

    def __init__(self, session: Session, desk: sqlite3.Connection, bundle_id: int) -> None:
        self._session, self._desk = session, desk
        self._slots = {
            (uid, number): (slot_id, pair_id, SlotKind(kind))
            for uid, number, slot_id, pair_id, kind in fetch(
                session,
                """SELECT b.uid, s.number, s.id, s.pair_id, s.kind FROM bundle_slot t
                JOIN batch_slot s ON s.id=t.slot_id JOIN batch b ON b.id=s.batch_id WHERE t.bundle_id=?""",
                (bundle_id,),
            )
        }
        ((self._reviewer, self._who),) = fetch(
            session, "SELECT w.id, w.uid FROM bundle u JOIN reviewer w ON w.id=u.reviewer_id WHERE u.id=?", (bundle_id,)
        )
        self._versions = {
            uid: (key, sha)
            for key, uid, sha in fetch(session, "SELECT id, uid, sha256 FROM rubric_version WHERE state='published'")
        }
        self.taken = Taken()

    def run(self) -> Taken:
        """Take in what is new.

        Raises:
            BadInput: a label stands under a rubric version that is another one here, or contradicts a label that was
                made here; nothing is stored then.
        """
        for row in self._desk.execute(_PRESENTATIONS).fetchall():
            self._presentation(row)
        for row in self._desk.execute(_JUDGEMENTS).fetchall():
            self._judgement(row)
        for row in self._desk.execute(_SKIPS).fetchall():
            self._skip(*row)
        return self.taken

    def _presentation(self, row: Sequence[Any]) -> None:
        n = len(_SAME_PRESENTATION)
        same, (pair_sha, who, version_uid, version_sha, batch_uid, number) = row[:n], row[n:]
        slot = self._slots.get((batch_uid, number))
        if slot is None or who != self._who:
            self.taken.left["another reviewer's" if who != self._who else "outside the bundle"] += 1
            return
        version, sha = self._versions.get(version_uid, (0, ""))
        if sha != version_sha:
            raise BadInput(
                "The bundle has labels under a rubric version that this workspace does not have; nothing was merged.",
                "Label under the rubric version that came with the bundle.",
            )
        found = fetch(self._session, "SELECT sha256 FROM pair WHERE id=?", (slot[1],))
        if found != [(pair_sha,)]:
            raise BadInput("A slot of this bundle shows another pair here; nothing was merged.", "Ask for it again.")
        if self._presented(same[0]) is not None:
            return
        values = dict(zip(_SAME_PRESENTATION, same, strict=True)) | {"task": slot[2].task.value}
        key = insert_row(
            self._session,
            PresentationRow,
            **values,
            pair_id=slot[1],
            reviewer_id=self._reviewer,
            rubric_version_id=version,
        )
        insert_row(self._session, SlotPresentationRow, slot_id=slot[0], presentation_id=key)
        self.taken.new["presentations"] += 1

    def _judgement(self, row: Sequence[Any]) -> None:
        n = len(_SAME_JUDGEMENT)
        same, (presentation_uid, before_uid) = row[:n], row[n:]
        place = self._presented(presentation_uid)
        if place is None or self._judged(same[0]) is not None:
            return
        key, pair_id, reviewer_id, version_id, task = place
        before = self._judged(before_uid) if before_uid else None
        values: dict[str, Any] = dict(zip(_SAME_JUDGEMENT, same, strict=True)) | {"task": task}
        self._refuse_second(values, before_uid, before, place)
        insert_row(
            self._session,
            JudgementRow,
            **values,
            presentation_id=key,
            pair_id=pair_id,
            reviewer_id=reviewer_id,
            rubric_version_id=version_id,
            supersedes=before,
        )
        self.taken.new["labels" if values["kind"] == "label" else "retractions"] += 1

    def _refuse_second(
        self,
        values: Mapping[str, Any],
        before_uid: str | None,
        before: int | None,
        place: _Place,
    ) -> None:
        """Refuse a label beside another of the same reviewer, pair and version: which one counts, nobody could say."""
        if before_uid:
            query, bound = "SELECT 1 FROM judgement WHERE supersedes=?", (before,)
            clash = before is None or bool(fetch(self._session, query, bound))
        else:
            tasks = ["label", "relabel", "imported"] if values["task"] in ("label", "relabel") else [values["task"]]
            query = """SELECT 1 FROM judgement WHERE supersedes IS NULL AND pair_id=? AND reviewer_id=? AND
                rubric_version_id=? AND task IN(SELECT value FROM json_each(?))"""
            bound = (*place[1:4], canonical_json(tasks))
            clash = values["task"] not in ("gold", "retest") and bool(fetch(self._session, query, bound))
        if clash:
            raise BadInput(
                f"Pair {place[1]} was labelled here by the same reviewer while it was on the desk; nothing was merged.",
                "Which of both counts must be decided by hand: ask the reviewer.",
            )

    def _skip(self, presentation_uid: str, reason: str, taken_back: int, at_ms: int) -> None:
        place = self._presented(presentation_uid)
        if place is None:
            return
        row = self._session.get(SkipRow, place[0])
        if row is None:
            key, pair_id, reviewer_id, version_id, _ = place
            insert_row(
                self._session, SkipRow, presentation_id=key, pair_id=pair_id, reviewer_id=reviewer_id,
                rubric_version_id=version_id, reason=reason, taken_back=taken_back, at_ms=at_ms,
            )  # fmt: skip
            self.taken.new["skips"] += 1
        elif row.taken_back != taken_back:
            row.taken_back = taken_back
            self._session.add(row)
            self._session.flush()
            self.taken.new["skips"] += 1

    def _presented(self, uid: str) -> _Place | None:
        query = "SELECT id, pair_id, reviewer_id, rubric_version_id, task FROM presentation WHERE uid=?"
        for key, pair_id, reviewer_id, version_id, task in fetch(self._session, query, (uid,)):
            return key, pair_id, reviewer_id, version_id, task
        return None

    def _judged(self, uid: str) -> int | None:
        found = fetch(self._session, "SELECT id FROM judgement WHERE uid=?", (uid,))
        return found[0][0] if found else None


def content_rows(session: Session) -> Iterator[str]:
    """Yield what was labelled as texts that say nothing of ids of this workspace, in an order of their own."""
    same = ", ".join(f"j.{name}" for name in _SAME_JUDGEMENT)
    shown = ", ".join(f"p.{name}" for name in _SAME_PRESENTATION if name not in ("queue", "position"))
    yield from _texts(
        session,
        f"""SELECT {shown}, q.sha256, w.uid, v.uid, b.uid, s.number FROM presentation p JOIN pair q ON q.id=p.pair_id
        JOIN reviewer w ON w.id=p.reviewer_id JOIN rubric_version v ON v.id=p.rubric_version_id
        LEFT JOIN slot_presentation l ON l.presentation_id=p.id LEFT JOIN batch_slot s ON s.id=l.slot_id
        LEFT JOIN batch b ON b.id=s.batch_id ORDER BY p.uid""",
    )
    yield from _texts(
        session,
        f"""SELECT {same}, p.uid, o.uid FROM judgement j JOIN presentation p ON p.id=j.presentation_id
        LEFT JOIN judgement o ON o.id=j.supersedes ORDER BY j.uid""",
    )
    yield from _texts(
        session,
        """SELECT p.uid, k.reason, k.taken_back FROM skip k JOIN presentation p ON p.id=k.presentation_id
        ORDER BY p.uid""",
    )


def _texts(session: Session, query: str) -> Iterator[str]:
    return (canonical_json(list(row)) for row in fetch(session, query))

"""The work that a bundle carries: batch, rubric version, pairs and slots of one reviewer; as lines, and as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from core.domain.batch import SlotKind
from core.domain.errors import BadInput
from core.domain.ids import new_uid
from core.domain.judgement import ReviewerKind
from core.domain.rubric import RubricBody
from core.store.plain import fetch, insert_row, read_json
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.write_context import WriteContext
from core.store.tables import BatchDrawRow, BatchRow, ReviewerRow, RubricRow, RubricVersionRow

_VERSION = ("uid", "number", "major", "level", "change_note", "body", "sha256", "created_ms", "published_ms")
_ALIKE = (SlotKind.FIRST, SlotKind.SECOND, SlotKind.THIRD, SlotKind.GOLD)
_BATCH = ("uid", "name", "policy", "sha256", "item_order", "seed", "created_ms")


def lines_of(
    session: Session, batch_id: int, reviewer_id: int, slot_ids: Sequence[int], *, marked: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield the lines of a bundle: everything that a desk needs, and nothing of sources, labels or other reviewers.

    First, second and third labels, gold pairs and suspects stand there alike: which is which is joined again from the
    slot's number when the desk sends back. With ``marked`` each says what it is, as older programs wrote it.
    """
    (reviewer,) = fetch(session, "SELECT uid, name FROM reviewer WHERE id=?", (reviewer_id,))
    yield {"kind": "reviewer", "uid": reviewer[0], "name": reviewer[1]}
    (version,) = fetch(
        session,
        f"""SELECT {", ".join(f"v.{name}" for name in _VERSION)}, r.uid, r.name FROM batch b
        JOIN rubric_version v ON v.id=b.rubric_version_id JOIN rubric r ON r.id=v.rubric_id WHERE b.id=?""",
        (batch_id,),
    )
    plain = dict(zip((*_VERSION, "rubric_uid", "rubric"), version, strict=True))
    yield {"kind": "rubric", **plain}
    (batch,) = fetch(session, f"SELECT {', '.join(_BATCH)} FROM batch WHERE id=?", (batch_id,))
    yield {"kind": "batch", **dict(zip(_BATCH, batch, strict=True))}
    seen = set()
    query = """SELECT p.sha256, q.body, p.a_text, p.b_text, s.number, s.kind, s.picked, s.swapped, a.number
        FROM batch_slot s JOIN pair p ON p.id=s.pair_id JOIN prompt q ON q.id=p.prompt_id
        LEFT JOIN batch_slot a ON a.id=s.after_id WHERE s.id=?"""
    for slot_id in slot_ids:
        ((sha, body, a, b, number, kind, picked, swapped, after),) = fetch(session, query, (slot_id,))
        if sha not in seen:
            seen.add(sha)
            yield {"kind": "pair", "sha256": sha, "prompt": read_json(body), "a": a, "b": b}
        if not marked and (kind in _ALIKE or (kind == SlotKind.RETEST and after is None)):
            kind, picked = SlotKind.FIRST.value, "random"
        yield {"kind": "slot", "number": number, "pair": sha, "slot_kind": kind, "picked": picked,
               "swapped": swapped, "after": after}  # fmt: skip


def store_people(
    session: Session, reviewer: Mapping[str, Any], rubric: Mapping[str, Any], context: WriteContext
) -> tuple[int, int]:
    """Store the reviewer and the rubric version of a bundle under their own uids; return the ids of both.

    Raises:
        BadInput: the rubric version is not the one that its hash names.
    """
    body = RubricBody.from_plain(read_json(str(rubric["body"])))
    if body.sha256 != rubric["sha256"]:
        raise BadInput("The rubric version of this bundle is not what was published.", "Ask for the file again.")
    reviewer_id = insert_row(
        session,
        ReviewerRow,
        uid=reviewer["uid"],
        name=reviewer["name"],
        kind=ReviewerKind.HUMAN.value,
        created_ms=context.at_ms,
    )
    rubric_id = insert_row(
        session,
        RubricRow,
        uid=rubric["rubric_uid"],
        name=rubric["rubric"],
        kind="authored",
        created_ms=rubric["created_ms"],
    )
    same = {name: rubric[name] for name in _VERSION if name not in ("sha256", "published_ms")}
    version_id = insert_row(session, RubricVersionRow, **same, rubric_id=rubric_id, state="draft")
    session.connection().exec_driver_sql(
        "UPDATE rubric_version SET state='published', sha256=?, published_ms=? WHERE id=?",
        (rubric["sha256"], rubric["published_ms"], version_id),
    )
    return reviewer_id, version_id


def store_batch(
    session: Session,
    batch: Mapping[str, Any],
    slots: Sequence[Mapping[str, Any]],
    ids: tuple[int, int],
    home_uuid: str,
    context: WriteContext,
) -> tuple[int, list[int]]:
    """Store the batch of a bundle with its slots, whose pairs are there; return its id and those of the slots.

    Raises:
        BadInput: a slot names a pair or a first showing that the bundle does not hold.
    """
    reviewer_id, version_id = ids
    same = {name: batch[name] for name in _BATCH}
    batch_id = insert_row(session, BatchRow, **same, rubric_version_id=version_id, home_uuid=home_uuid)
    draw_id = insert_row(
        session,
        BatchDrawRow,
        uid=new_uid(),
        batch_id=batch_id,
        number=1,
        reason="bundle",
        slots=len(slots),
        created_ms=context.at_ms,
        session=context.session,
    )
    pairs = dict(map(tuple, fetch(session, "SELECT sha256, id FROM pair")))
    ordered = sorted(slots, key=lambda one: one["number"])
    places = {one["number"]: place for place, one in enumerate(ordered, 1)}
    try:
        rows = [
            (
                *(place, one["number"], pairs[one["pair"]], one["slot_kind"], one["picked"], one["swapped"]),
                None if one["after"] is None else places[one["after"]],
            )
            for place, one in enumerate(ordered, 1)
        ]
    except KeyError as error:
        raise BadInput(f"This bundle lacks what a slot of it names ({error}).", "Ask for the file again.") from error
    into = "batch_slot(id, number, pair_id, kind, picked, swapped, after_id)"
    insert_many(session, into, rows, {"draw_id": draw_id, "batch_id": batch_id, "reviewer_id": reviewer_id})
    return batch_id, list(range(1, len(rows) + 1))

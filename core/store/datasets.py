"""Dataset versions in the workspace database: filled while open, then frozen and immutable."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.domain.dataset import ROOT_FORMAT, DatasetVersion, FreezePlan, FreezePolicy, FrozenItem, LeftOut
from core.domain.errors import NotFound
from core.domain.ids import canonical_json, new_uid
from core.domain.judgement import Judgement
from core.domain.pair import Pair, TrainingPair
from core.store import judgement_views, pairs
from core.store.chain_head import chain_head
from core.store.plain import chunks, fetch, insert_row, only_id, read_json
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.write_context import WriteContext
from core.store.tables import DatasetLeftOutRow, DatasetRow, DatasetRubricRow

_PART = 500


_SIGNED = "signed_off_by"
"""Key of the note of a version that somebody signed off: the policy is what the root hash covers and stays so."""


def add(
    session: Session,
    name: str,
    plan: FreezePlan,
    items: Sequence[FrozenItem],
    rubric_version_ids: Sequence[int],
    context: WriteContext,
    *,
    changesets: Sequence[int] = (),
    created_by: str = "",
    note: str = "",
    signed_off_by: str = "",
) -> int:
    """Store a new version of ``name`` with everything in it, freeze it and return its id."""
    number = session.exec(select(func.max(DatasetRow.number)).where(col(DatasetRow.name) == name)).one()
    key = insert_row(
        session,
        DatasetRow,
        uid=new_uid(),
        name=_first_spelling(session, name),
        number=(number or 0) + 1,
        state="open",
        policy=canonical_json(plan.policy.to_plain()),
        counts=canonical_json(plan.counts),
        created_ms=context.at_ms,
        created_by=created_by,
        note=canonical_json({"note": note, _SIGNED: signed_off_by}) if signed_off_by else note,
        root_format=ROOT_FORMAT,
        chain_head=chain_head(session).words,
    )
    insert_many(
        session,
        "dataset_item(dataset_id, position, pair_id, split, chosen, strength, weight, target, is_tie)",
        [(key, i.position, i.pair_id, i.split, i.chosen, i.strength, i.weight, i.target, int(i.is_tie)) for i in items],
    )
    insert_many(
        session,
        "dataset_item_judgement(dataset_id, position, judgement_id)",
        [(key, item.position, judgement) for item in items for judgement in item.judgement_ids],
    )
    insert_many(session, "dataset_rubric(dataset_id, rubric_version_id)", [(key, v) for v in rubric_version_ids])
    insert_many(
        session,
        "dataset_left_out(dataset_id, reason, count, pair_ids)",
        [(key, entry.reason, entry.count, canonical_json(list(entry.pair_ids))) for entry in plan.left_out],
    )
    insert_many(session, "dataset_changeset(dataset_id, changeset_id)", [(key, one) for one in changesets])
    row = session.get(DatasetRow, key)
    assert row is not None
    row.state, row.root_sha256 = "frozen", plan.root_sha256
    session.add(row)
    session.flush()
    return key


def _first_spelling(session: Session, name: str) -> str:
    """Return the name as its first version wrote it; names differ in more than capitals."""
    found = session.exec(select(DatasetRow.name).where(col(DatasetRow.name) == name).limit(1)).first()
    return found or name


def listed(session: Session) -> list[DatasetVersion]:
    """Return every frozen version, oldest first."""
    query = select(DatasetRow).where(DatasetRow.state == "frozen").order_by(col(DatasetRow.id))
    return [_to_domain(session, row) for row in session.exec(query)]


def get(session: Session, wanted: int | str) -> DatasetVersion:
    """Return one version by id, by title ("safety v2"), or the newest of a name.

    Raises:
        NotFound: when there is none.
    """
    query = select(DatasetRow).where(DatasetRow.state == "frozen")
    if isinstance(wanted, int):
        query = query.where(DatasetRow.id == wanted)
    else:
        name, _, number = wanted.strip().rpartition(" v")
        exact = (
            session.exec(query.where(col(DatasetRow.name) == name, DatasetRow.number == int(number))).first()
            if (name and number.isdecimal() and len(number) < 10)
            else None
        )
        if exact is not None:
            return _to_domain(session, exact)
        query = query.where(col(DatasetRow.name) == wanted.strip())
    row = session.exec(query.order_by(col(DatasetRow.number).desc())).first()
    if row is None:
        raise NotFound(f"There is no dataset version {wanted!r}.", "See them under Data, or with: datasets WS")
    return _to_domain(session, row)


def newest_id(session: Session) -> int:
    """Return the id of the newest frozen version, 0 when there is none."""
    return fetch(session, "SELECT coalesce(max(id),0) FROM dataset WHERE state='frozen'")[0][0]


def same_content(session: Session, root_sha256: str) -> str:
    """Return the title of the newest version with this root hash, or nothing."""
    query = select(DatasetRow).where(DatasetRow.root_sha256 == root_sha256).order_by(col(DatasetRow.id).desc())
    row = session.exec(query).first()
    return f"{row.name} v{row.number}" if row else ""


def items(
    session: Session, dataset_id: int, after: int = -1, limit: int | None = None, splits: Sequence[str] | None = None
) -> list[FrozenItem]:
    """Return the items behind position ``after``, in order."""
    marks = "" if splits is None else f" AND i.split IN({','.join('?' * len(splits))})"
    sql = f"""SELECT i.position, i.pair_id, p.sha256, i.split, i.chosen, i.strength, i.weight, i.target, i.is_tie
        FROM dataset_item i JOIN pair p ON p.id=i.pair_id
        WHERE i.dataset_id=? AND i.position>?{marks} ORDER BY i.position LIMIT ?"""
    rows = fetch(session, sql, (dataset_id, after, *(splits or ()), -1 if limit is None else limit))
    if not rows:
        return []
    sql = """SELECT position, judgement_id FROM dataset_item_judgement
        WHERE dataset_id=? AND position BETWEEN ? AND ? ORDER BY position, judgement_id"""
    behind: dict[int, list[int]] = defaultdict(list)
    for position, judgement_id in fetch(session, sql, (dataset_id, rows[0][0], rows[-1][0])):
        behind[position].append(judgement_id)
    return [
        FrozenItem(at, pair_id, sha, split, chosen, strength, weight, target, bool(tie), tuple(behind[at]))
        for at, pair_id, sha, split, chosen, strength, weight, target, tie in rows
    ]


def with_texts(
    session: Session, dataset_id: int, splits: Sequence[str]
) -> Iterator[tuple[FrozenItem, Pair, list[int]]]:
    """Yield each item with its pair and the signed strengths behind it (0 for no preference), in order."""
    after = -1
    while part := items(session, dataset_id, after, _PART, splits):
        after = part[-1].position
        texts = pairs.texts(session, [item.pair_id for item in part])
        values = _strengths(session, [key for item in part for key in item.judgement_ids])
        for item in part:
            yield item, texts[item.pair_id][1], [values[key] for key in item.judgement_ids]


def training_pairs(session: Session, dataset_id: int, splits: Sequence[str]) -> list[TrainingPair]:
    """Return the items of some splits as the engine takes them, named by their pair id."""
    return [
        TrainingPair(
            pair_id=str(item.pair_id),
            prompt=pair.prompt,
            chosen=(pair.a if item.chosen == "A" else pair.b).text,
            rejected=(pair.b if item.chosen == "A" else pair.a).text,
            split=item.split,
            weight=item.weight,
            target=item.target,
            is_tie=item.is_tie,
            judgement_ids=item.judgement_ids,
        )
        for item, pair, _ in with_texts(session, dataset_id, splits)
    ]


def questions(session: Session, dataset_id: int, split: str) -> list[str]:
    """Return the last turn of each different prompt of a split, in the order of the prompts."""
    sql = """SELECT DISTINCT q.id, q.body FROM dataset_item i JOIN pair p ON p.id=i.pair_id
        JOIN prompt q ON q.id=p.prompt_id WHERE i.dataset_id=? AND i.split=? ORDER BY q.id"""
    return [read_json(body)[-1]["content"] for _, body in fetch(session, sql, (dataset_id, split))]


def judgements(session: Session, dataset_id: int, splits: Sequence[str]) -> Iterator[list[Judgement]]:
    """Yield the judgements behind the items of some splits, in portions, by ascending id."""
    marks = ",".join("?" * len(splits))
    sql = f"""SELECT DISTINCT d.judgement_id FROM dataset_item i JOIN dataset_item_judgement d
        ON d.dataset_id=i.dataset_id AND d.position=i.position
        WHERE i.dataset_id=? AND i.split IN({marks}) ORDER BY d.judgement_id"""
    found = [row[0] for row in fetch(session, sql, (dataset_id, *splits))]
    for part in chunks(found):
        yield judgement_views.many(session, part)


def rubric_version_ids(session: Session, dataset_id: int) -> list[int]:
    """Return the rubric versions whose labels are in a dataset version."""
    query = select(DatasetRubricRow.rubric_version_id).where(DatasetRubricRow.dataset_id == dataset_id)
    return sorted(session.exec(query))


def _strengths(session: Session, judgement_ids: Sequence[int]) -> dict[int, int]:
    sql = "SELECT j.id, j.strength FROM json_each(?) k CROSS JOIN judgement j ON j.id=k.value"
    return {key: value or 0 for key, value in fetch(session, sql, (canonical_json(list(judgement_ids)),))}


def _to_domain(session: Session, row: DatasetRow) -> DatasetVersion:
    key = only_id(row)
    left = session.exec(
        select(DatasetLeftOutRow)
        .where(DatasetLeftOutRow.dataset_id == key)
        .order_by(col(DatasetLeftOutRow.count).desc(), col(DatasetLeftOutRow.reason))
    )
    titles = fetch(
        session,
        """SELECT r.name || ' ' || v.number FROM dataset_rubric d JOIN rubric_version v ON v.id=d.rubric_version_id
            JOIN rubric r ON r.id=v.rubric_id WHERE d.dataset_id=? ORDER BY v.id""",
        (key,),
    )
    taken = """SELECT c.name FROM dataset_changeset d JOIN changeset c ON c.id=d.changeset_id
        WHERE d.dataset_id=? ORDER BY d.id"""
    return DatasetVersion(
        id=key,
        name=row.name,
        number=row.number,
        root_sha256=row.root_sha256 or "",
        policy=FreezePolicy.as_stored(read_json(row.policy)),
        counts=read_json(row.counts),
        left_out=tuple(LeftOut(one.reason, one.count, tuple(json.loads(one.pair_ids))) for one in left),
        rubric_titles=tuple(title for (title,) in titles),
        created_ms=row.created_ms,
        created_by=row.created_by,
        signed_off_by=_signed_off_by(row.note),
        chain_head=row.chain_head,
        changesets=tuple(name for (name,) in fetch(session, taken, (key,))),
    )


def _signed_off_by(note: str) -> str:
    if not note.startswith("{"):
        return ""
    with suppress(ValueError):
        plain = json.loads(note)
        return str(plain.get(_SIGNED, "")) if isinstance(plain, dict) else ""
    return ""

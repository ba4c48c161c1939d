"""Which pairs a reviewer is to see next. Everything here is a lookup by key or one scan of an index."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.domain.conversation import Prompt
from core.domain.ids import canonical_json
from core.domain.judgement import ReviewerKind, Task
from core.store.judgements import LABEL_TASKS, Presentation
from core.store.plain import chunks, fetch, insert_row, only_id, read_json
from core.store.tables import (
    BookmarkRow,
    CurrentLabelRow,
    PairRow,
    PresentationRow,
    PromptRow,
    ReviewerRow,
    SkipRow,
    VoteItemRow,
)


@dataclass(frozen=True, slots=True)
class PairText:
    """What is shown of a pair: never where it came from."""

    pair_id: int
    sha256: str
    prompt: Prompt
    a: str
    b: str


def all_pair_ids(session: Session) -> list[int]:
    """Return the ids of all pairs in the order of their import."""
    ((found,),) = fetch(session, "SELECT json_group_array(id) FROM (SELECT id FROM pair ORDER BY id)")
    return read_json(found)  # of a million pairs a third of the time that rows take


def sealed_pair_ids(session: Session) -> set[int]:
    """Return the pairs that are test items of a frozen dataset version; nobody is to see them again."""
    sql = """SELECT DISTINCT i.pair_id FROM dataset d JOIN dataset_item i ON i.dataset_id=d.id
        WHERE d.state='frozen' AND i.split='test'"""
    return {pair_id for (pair_id,) in fetch(session, sql)}


def count_sealed(session: Session, reviewer_id: int | None = None, version_ids: Sequence[int] = ()) -> int:
    """Count the test items that no queue shows: those without a label of a reviewer under these versions.

    Without a reviewer: those without a label of any person.
    """
    unlabelled, values = _unlabelled("i.pair_id", reviewer_id, version_ids)
    sql = f"""SELECT count(DISTINCT i.pair_id) FROM dataset d JOIN dataset_item i ON i.dataset_id=d.id
        WHERE d.state='frozen' AND i.split='test' AND {unlabelled}"""
    return fetch(session, sql, values)[0][0]


def count_unlabelled(
    session: Session, pair_ids: Collection[int], reviewer_id: int | None = None, version_ids: Sequence[int] = ()
) -> int:
    """Count the pairs without a label of a reviewer under these versions; without a reviewer, of any person."""
    unlabelled, values = _unlabelled("j.value", reviewer_id, version_ids)
    sql = f"SELECT count(*) FROM json_each(?) j WHERE {unlabelled}"
    return fetch(session, sql, (canonical_json(sorted(pair_ids)), *values))[0][0]


def _unlabelled(pair: str, reviewer_id: int | None, version_ids: Sequence[int]) -> tuple[str, tuple[object, ...]]:
    """Return the condition that a pair has no such label, and its values."""
    who = "c.reviewer_id=? AND c.rubric_version_id IN(SELECT value FROM json_each(?))"
    values: tuple[object, ...] = (reviewer_id, canonical_json(list(version_ids)))
    if reviewer_id is None:
        who, values = "c.reviewer_id IN(SELECT id FROM reviewer WHERE kind=?)", (ReviewerKind.HUMAN.value,)
    tasks = ",".join("?" * len(LABEL_TASKS))
    found = f"SELECT 1 FROM current_label c WHERE c.pair_id={pair} AND {who} AND c.task IN({tasks})"
    return f"NOT EXISTS({found})", (*values, *LABEL_TASKS)


def labelled_by(
    session: Session, reviewer_id: int, version_ids: Sequence[int], tasks: Sequence[str] = LABEL_TASKS
) -> set[int]:
    """Return the pairs on which a reviewer has a current label of these tasks under one of these versions."""
    query = select(CurrentLabelRow.pair_id).where(
        CurrentLabelRow.reviewer_id == reviewer_id,
        col(CurrentLabelRow.rubric_version_id).in_(version_ids),
        col(CurrentLabelRow.task).in_(tasks),
    )
    return set(session.exec(query))


def count_labelled_by(session: Session, reviewer_id: int, version_ids: Sequence[int]) -> int:
    """Count the pairs on which a reviewer has a current label under one of these versions."""
    query = select(func.count(func.distinct(CurrentLabelRow.pair_id))).where(
        CurrentLabelRow.reviewer_id == reviewer_id,
        col(CurrentLabelRow.rubric_version_id).in_(version_ids),
        col(CurrentLabelRow.task).in_(LABEL_TASKS),
        col(CurrentLabelRow.pair_id).not_in(select(VoteItemRow.pair_id)),
    )
    return int(session.exec(query).one())


def count_labelled_by_people(session: Session) -> int:
    """Count the pairs with a current label of a person, under whatever rubric version."""
    people = select(ReviewerRow.id).where(ReviewerRow.kind == ReviewerKind.HUMAN.value)
    query = select(func.count(func.distinct(CurrentLabelRow.pair_id))).where(
        col(CurrentLabelRow.reviewer_id).in_(people),
        col(CurrentLabelRow.task).in_(LABEL_TASKS),
        col(CurrentLabelRow.pair_id).not_in(select(VoteItemRow.pair_id)),
    )
    return int(session.exec(query).one())


def adjudicated_by_others(session: Session, reviewer_id: int, version_ids: Sequence[int]) -> list[int]:
    """Return the pairs that others adjudicated under these versions and this reviewer did not, as imported.

    A reviewer who adjudicated a pair knows the gold answer and would only repeat it.
    """
    query = select(CurrentLabelRow.pair_id).where(
        col(CurrentLabelRow.rubric_version_id).in_(version_ids), CurrentLabelRow.task == Task.ADJUDICATE.value
    )
    own = labelled_by(session, reviewer_id, version_ids, (Task.ADJUDICATE.value,))
    return sorted(set(session.exec(query)) - own)


def labels_by_others(session: Session, reviewer_id: int, version_ids: Sequence[int]) -> dict[int, int]:
    """Return pair id -> how many other reviewers labelled it under these versions."""
    query = (
        select(CurrentLabelRow.pair_id, func.count(func.distinct(CurrentLabelRow.reviewer_id)))
        .where(
            col(CurrentLabelRow.rubric_version_id).in_(version_ids),
            col(CurrentLabelRow.task).in_(LABEL_TASKS),
            CurrentLabelRow.reviewer_id != reviewer_id,
        )
        .group_by(col(CurrentLabelRow.pair_id))
    )
    return dict(session.exec(query).all())


def labels_on(
    session: Session, pair_ids: Sequence[int], version_ids: Sequence[int], tasks: Sequence[str] = LABEL_TASKS
) -> dict[int, set[int]]:
    """Return pair id -> reviewers with a current label of these tasks under these versions, for a few pairs."""
    query = select(CurrentLabelRow.pair_id, CurrentLabelRow.reviewer_id).where(
        col(CurrentLabelRow.pair_id).in_(pair_ids),
        col(CurrentLabelRow.rubric_version_id).in_(version_ids),
        col(CurrentLabelRow.task).in_(tasks),
    )
    found: dict[int, set[int]] = {}
    for pair_id, reviewer_id in session.exec(query):
        found.setdefault(pair_id, set()).add(reviewer_id)
    return found


def skipped_by(session: Session, reviewer_id: int, version_id: int, tasks: Sequence[str] = LABEL_TASKS) -> set[int]:
    """Return the pairs a reviewer put aside in one of these tasks under this version, labelled since or not."""
    query = (
        select(SkipRow.pair_id)
        .join(PresentationRow, col(PresentationRow.id) == col(SkipRow.presentation_id))
        .where(
            SkipRow.reviewer_id == reviewer_id,
            SkipRow.rubric_version_id == version_id,
            SkipRow.taken_back == 0,
            col(PresentationRow.task).in_(tasks),
        )
    )
    return set(session.exec(query))


def texts(session: Session, pair_ids: Iterable[int]) -> dict[int, PairText]:
    """Return what is shown of these pairs."""
    found: dict[int, PairText] = {}
    for part in chunks(pair_ids):
        query = (
            select(PairRow, PromptRow.body)
            .join(PromptRow, col(PromptRow.id) == col(PairRow.prompt_id))
            .where(col(PairRow.id).in_(part))
        )
        for row, body in session.exec(query):
            key = only_id(row)
            found[key] = PairText(key, row.sha256, Prompt.from_plain(read_json(body)), row.a_text, row.b_text)
    return found


def pair_hashes(session: Session, pair_ids: Iterable[int]) -> dict[int, str]:
    """Return pair id -> content hash, for drawing a fixed random share of pairs."""
    found: dict[int, str] = {}
    for part in chunks(pair_ids):
        query = select(PairRow.id, PairRow.sha256).where(col(PairRow.id).in_(part))
        found.update((i, sha) for i, sha in session.exec(query) if i is not None)
    return found


def bookmarks(session: Session, reviewer_id: int) -> list[tuple[int, str, int]]:
    """Return (pair id, note, at_ms) of a reviewer's bookmarks, newest first."""
    query = select(BookmarkRow).where(BookmarkRow.reviewer_id == reviewer_id).order_by(col(BookmarkRow.at_ms).desc())
    return [(row.pair_id, row.note, row.at_ms) for row in session.exec(query)]


def store_skip(session: Session, presentation: Presentation, presentation_id: int, reason: str, at_ms: int) -> bool:
    """Put a presentation aside; False when it was put aside before."""
    row = session.get(SkipRow, presentation_id)
    if row is not None:
        changed, row.taken_back = row.taken_back == 1, 0
        session.add(row)
        session.flush()
        return changed
    insert_row(
        session,
        SkipRow,
        presentation_id=presentation_id,
        pair_id=presentation.pair_id,
        reviewer_id=presentation.reviewer_id,
        rubric_version_id=presentation.rubric_version_id,
        reason=reason,
        at_ms=at_ms,
    )
    return True

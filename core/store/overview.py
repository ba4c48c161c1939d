"""Counts of the whole workspace. Totals come from the counters that triggers keep, not from counting rows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.domain.judgement import ReviewerKind
from core.store import votes
from core.store.judgements import LABEL_TASKS
from core.store.plain import execute, only_id, wide_select
from core.store.tables import (
    CounterRow,
    CurrentLabelRow,
    DatasetRow,
    ImportBatchRow,
    LabelTallyRow,
    MetaRow,
    ModelRow,
    PresentationRow,
    ReviewerRow,
    RubricRow,
    RubricVersionRow,
    RunRow,
    SettingRow,
    SkipRow,
    SourceRow,
)

_FEW = {
    "reviewers": ReviewerRow,
    "sources": SourceRow,
    "rubrics": RubricRow,
    "datasets": DatasetRow,
    "runs": RunRow,
    "models": ModelRow,
}


@dataclass(frozen=True, slots=True)
class Account:
    """What became of all pairs for one reviewer under one rubric version: the parts add up to ``pairs``."""

    reviewer: str
    rubric: str
    rubric_version_id: int
    pairs: int
    labelled: int
    skipped: int

    @property
    def open(self) -> int:
        """Pairs neither labelled nor put aside."""
        return self.pairs - self.labelled - self.skipped


@dataclass(frozen=True, slots=True)
class ImportAccount:
    """What became of the rows of one source: ``rows`` = imported + duplicates + rejected."""

    source_id: int
    source: str
    rows: int
    imported: int
    duplicates: int
    rejected: int
    judgements: int


def meta(session: Session) -> dict[str, str]:
    """Return the facts about the workspace: uuid, name, created_by, created_ms."""
    return {row.key: row.value for row in session.exec(select(MetaRow))}


def counts(session: Session) -> dict[str, int]:
    """Return the totals that Home shows: pairs, prompts, labelled, labels, judgements, and the few of each kind.

    Pairs that were made for votes between arms, and the votes on them, are no data and are not counted.
    """
    found = _counters(session)
    for name, value in votes.tallies(session).items():
        found[name] -= value
    for name, table in _FEW.items():
        found[name] = session.exec(select(func.count()).select_from(table)).one()
    return found


def _counters(session: Session) -> dict[str, int]:
    return {row.name: row.value for row in session.exec(select(CounterRow))}


def labels_by_kind(session: Session) -> dict[ReviewerKind, int]:
    """Return how many labels count now, by who made them: people, files that were imported, or stated rules.

    Votes are no labels of the data.
    """
    query = (
        select(col(ReviewerRow.kind), func.sum(LabelTallyRow.labels))
        .join(LabelTallyRow, col(LabelTallyRow.reviewer_id) == col(ReviewerRow.id))
        .where(col(LabelTallyRow.task).in_(LABEL_TASKS))
        .group_by(col(ReviewerRow.kind))
    )
    found = {ReviewerKind(kind): int(n) for kind, n in session.exec(query)}
    for kind, n in votes.cast_by_kind(session).items():
        found[kind] -= n
    return {kind: found.get(kind, 0) for kind in ReviewerKind}


def labels_by_reviewer(session: Session) -> dict[int, int]:
    """Return reviewer -> labels that count now; gold, retest and adjudication answers are left out."""
    found: dict[int, int] = {}
    for (reviewer_id, _), labels in _labelled(session).items():
        found[reviewer_id] = found.get(reviewer_id, 0) + labels
    return found


def accounts(session: Session) -> list[Account]:
    """Return one account for every reviewer and rubric version with a label or a pair put aside."""
    total = _counters(session)["pairs"]
    titles = version_titles(session)
    people = {only_id(row): row.name for row in session.exec(select(ReviewerRow))}
    labelled = _labelled(session)
    skipped = _skipped(session)
    return [
        Account(people[r], titles[v], v, total, labelled.get((r, v), 0), skipped.get((r, v), 0))
        for r, v in sorted(labelled.keys() | skipped.keys())
    ]


def import_accounts(session: Session) -> list[ImportAccount]:
    """Return what became of the rows of every source that was read from a file."""
    sums = [func.sum(c) for c in _BATCH_COLUMNS]
    query = (
        wide_select(col(SourceRow.id), col(SourceRow.name), *sums)
        .join(ImportBatchRow, col(ImportBatchRow.source_id) == col(SourceRow.id))
        .group_by(col(SourceRow.id))
        .order_by(col(SourceRow.id))
    )
    return [ImportAccount(key, name, *map(int, rest)) for key, name, *rest in execute(session, query)]


_BATCH_COLUMNS = (
    col(ImportBatchRow.rows),
    col(ImportBatchRow.imported),
    col(ImportBatchRow.duplicates),
    col(ImportBatchRow.rejected),
    col(ImportBatchRow.judgements),
)


def version_titles(session: Session) -> dict[int, str]:
    """Return rubric version -> "name number"."""
    query = select(col(RubricVersionRow.id), col(RubricRow.name), col(RubricVersionRow.number)).join(
        RubricRow, col(RubricRow.id) == col(RubricVersionRow.rubric_id)
    )
    return {key: f"{name} {number}" for key, name, number in session.exec(query) if key is not None}


def _labelled(session: Session) -> dict[tuple[int, int], int]:
    query = (
        select(col(LabelTallyRow.reviewer_id), col(LabelTallyRow.rubric_version_id), func.sum(LabelTallyRow.labels))
        .where(col(LabelTallyRow.task).in_(LABEL_TASKS))
        .group_by(col(LabelTallyRow.reviewer_id), col(LabelTallyRow.rubric_version_id))
    )
    return {(r, v): int(n) for r, v, n in session.exec(query)}


def _skipped(session: Session) -> dict[tuple[int, int], int]:
    """Count pairs put aside while labelling and not labelled since."""
    labelled = (
        select(col(CurrentLabelRow.judgement_id))
        .where(
            col(CurrentLabelRow.reviewer_id) == col(SkipRow.reviewer_id),
            col(CurrentLabelRow.rubric_version_id) == col(SkipRow.rubric_version_id),
            col(CurrentLabelRow.pair_id) == col(SkipRow.pair_id),
            col(CurrentLabelRow.task).in_(LABEL_TASKS),
        )
        .exists()
    )
    query = (
        select(col(SkipRow.reviewer_id), col(SkipRow.rubric_version_id), func.count(func.distinct(SkipRow.pair_id)))
        .join(PresentationRow, col(PresentationRow.id) == col(SkipRow.presentation_id))
        .where(col(SkipRow.taken_back) == 0, col(PresentationRow.task).in_(LABEL_TASKS), ~labelled)
        .group_by(col(SkipRow.reviewer_id), col(SkipRow.rubric_version_id))
    )
    return {(r, v): int(n) for r, v, n in session.exec(query)}


def rename(session: Session, name: str) -> None:
    """Give the workspace another name."""
    row = session.get(MetaRow, "name")
    assert row is not None
    row.value = name
    session.add(row)


def setting(session: Session, key: str, default: str) -> str:
    """Return a stored preference."""
    row = session.get(SettingRow, key)
    return row.value if row else default


def set_setting(session: Session, key: str, value: str) -> None:
    """Store a preference."""
    row = session.get(SettingRow, key) or SettingRow(key=key, value=value)
    row.value = value
    session.add(row)

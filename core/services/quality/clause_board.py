"""Agreement on each clause of a rubric, under its last two labelled versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from core.domain.rubric import Criterion, RubricVersion
from core.domain.team import ClauseBoard, ClauseRow, ClauseVersion, LabelCoverage
from core.services.quality.agreement_by_group import agreement_of, several_places, split_places
from core.services.quality.coverage import label_coverage
from core.services.quality.label_columns import Ints, LabelColumns, Verdicts, answered_verdicts, verdicts_of
from core.services.quality.reviewers import SHOWN

OVERALL = "Overall verdict"
_SHOWN_VERSIONS = 2


def clause_boards(
    versions: Sequence[RubricVersion],
    labels: LabelColumns,
    sources: Mapping[int, str],
    check: Callable[[], None] = lambda: None,
) -> tuple[ClauseBoard, ...]:
    """Return a board for each rubric with labels of two reviewers on one pair; the rubric labelled last comes first.

    Args:
        versions: of all rubrics, oldest first.
        labels: those that count.
        sources: id -> name.
        check: called between two versions; may raise to end the work.
    """
    last = {int(one): place for place, one in enumerate(labels.version[np.sort(_last_places(labels.version))])}
    used = [one for one in versions if one.id in last]
    by_rubric = {rubric: [v for v in used if v.rubric_id == rubric] for rubric in {one.rubric_id for one in used}}
    order = sorted(by_rubric, key=lambda rubric: -max(last[v.id] for v in by_rubric[rubric]))
    boards = []
    for rubric in order:
        shown = by_rubric[rubric][-_SHOWN_VERSIONS:]
        found = []
        for version in shown:
            check()
            found.append(_under(version, labels.only(labels.version == version.id)))
        if any(one[""].agreement.items for one in found):
            newest = labels.only(labels.version == shown[-1].id)
            boards.append(_board(shown, found, label_coverage(shown[-1], newest, sources)))
    return tuple(boards)


def _last_places(values: Ints) -> Ints:
    """Return the last place of each distinct value."""
    _, first = np.unique(values[::-1], return_index=True)
    return values.size - 1 - first


def _under(version: RubricVersion, labels: LabelColumns) -> dict[str, ClauseVersion]:
    """Return clause id -> its agreement under a version; "" for the verdict."""
    given = {"": verdicts_of(labels), **answered_verdicts(labels)}
    return {key: _clause_version(version.number, labels, one) for key, one in given.items()}


def _clause_version(number: str, labels: LabelColumns, verdicts: Verdicts) -> ClauseVersion:
    both, split = several_places(verdicts), split_places(verdicts)
    return ClauseVersion(
        number, agreement_of(verdicts), _pairs(labels, verdicts, both), _pairs(labels, verdicts, split)
    )


def _pairs(labels: LabelColumns, verdicts: Verdicts, places: Ints) -> tuple[int, ...]:
    newest = labels.pair[verdicts.place[places]][::-1].tolist()
    return tuple(list(dict.fromkeys(newest))[:SHOWN])


def _board(
    versions: Sequence[RubricVersion], found: Sequence[dict[str, ClauseVersion]], coverage: LabelCoverage
) -> ClauseBoard:
    newest, before = versions[-1], versions[-2] if len(versions) > 1 else None
    rows = [ClauseRow("", OVERALL, "", tuple(one[""] for one in found))]
    for clause in newest.body.criteria:
        under = tuple(one[clause.id] for one in found if clause.id in one)
        rows.append(ClauseRow(clause.id, clause.name, _changed(clause, before, newest.number), under))
    return ClauseBoard(
        newest.rubric_name, tuple(one.number for one in versions), tuple(rows), coverage, newest.rubric_id
    )


def _changed(clause: Criterion, before: RubricVersion | None, number: str) -> str:
    """Return what a version changed in a clause, in a few words."""
    if before is None:
        return ""
    old = next((one for one in before.body.criteria if one.id == clause.id), None)
    if old is None:
        return f"new in {number}"
    return "" if old == clause else f"reworded in {number}"

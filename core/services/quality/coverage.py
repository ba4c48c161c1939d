"""How many pairs have an answer to each clause of a rubric, by source: which parts of a rubric no label speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.domain.dataset_view import Coverage
from core.domain.rubric import RubricVersion
from core.domain.team import LabelCoverage
from core.services.quality.label_columns import Ints, LabelColumns, answered_verdicts
from core.services.quality.reviewers import SHOWN


def label_coverage(version: RubricVersion, labels: LabelColumns, sources: Mapping[int, str]) -> LabelCoverage:
    """Return the pairs with an answer to each clause of a version, by source.

    Args:
        version: whose clauses are the rows.
        labels: those made under it.
        sources: id -> name.
    """
    answered = answered_verdicts(labels)
    slices = [int(one) for one in np.unique(labels.source)]
    cells: dict[tuple[str, str], int] = {}
    pairs: dict[tuple[str, str], tuple[int, ...]] = {}
    for clause in version.body.criteria:
        places = answered[clause.id].place if clause.id in answered else np.empty(0, dtype=np.int64)
        for source in slices:
            _fill(cells, pairs, (clause.id, str(source)), labels.pair[places[labels.source[places] == source]])
        _fill(cells, pairs, (clause.id, ""), labels.pair[places])
    sizes = {str(one): int(np.unique(labels.pair[labels.source == one]).size) for one in slices}
    clauses = tuple((one.id, one.name) for one in version.body.criteria)
    all_of = {clause: cells.pop((clause, "")) for clause, _ in clauses}
    names = tuple((str(one), sources.get(one, "")) for one in slices)
    return LabelCoverage(Coverage("source", names, clauses, cells, all_of, sizes), pairs)


def empty_cells(coverage: Coverage) -> Sequence[tuple[str, str]]:
    """Return (clause, source) by name of the cells without a pair."""
    return [
        (clause, source)
        for key, clause in coverage.clauses
        for place, source in coverage.slices
        if not coverage.cells.get((key, place))
    ]


def _fill(
    cells: dict[tuple[str, str], int],
    pairs: dict[tuple[str, str], tuple[int, ...]],
    key: tuple[str, str],
    found: Ints,
) -> None:
    distinct = np.unique(found)
    cells[key] = int(distinct.size)
    pairs[key] = tuple(distinct[-SHOWN:][::-1].tolist())

"""The same prompts under several templates and languages: paired differences, worst case, consistency."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from statsmodels.stats.contingency_tables import cochrans_q

from core.domain.estimate import Estimate
from core.evaluation.measures.means import mean_by_prompt, paired_difference
from core.evaluation.measures.shares import share_by_prompt


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One template in one language.

    Attributes:
        mean: of its scores. difference: its scores minus those of the base cell, same prompts.
        is_gap: the interval of the difference lies below 0: what was learned does not carry over.
    """

    name: str
    mean: Estimate
    difference: Estimate
    is_gap: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """All cells against the base, the one of training.

    Attributes:
        worst: the cell with the lowest mean. consistent: share of prompts decided alike in all cells.
        q_p: p of Cochran's Q, that all cells have the same rate; NaN where scores are not 0 and 1.
    """

    base: str
    cells: tuple[MatrixCell, ...]
    worst: MatrixCell
    consistent: Estimate
    q_p: float


def matrix(scores: Mapping[str, ArrayLike], base: str, groups: Sequence[Hashable] | None = None) -> Matrix:
    """Return the cells of a templates x languages matrix.

    Args:
        scores: name of a cell -> (n,) score of each prompt, index-aligned; NaN where a prompt is missing in a cell.
        base: the cell to compare with, that of training.
        groups: (n,) the prompt of each row; None when each is its own.

    Raises:
        ValueError: when the base is not among the cells, or the cells are not of the same length.
    """
    table = {name: np.asarray(values, dtype=np.float64) for name, values in scores.items()}
    if base not in table or len({values.size for values in table.values()}) != 1:
        raise ValueError("a matrix needs its base and as many scores in every cell")
    own = np.array(list(groups) if groups is not None else range(table[base].size), dtype=object)
    cells = tuple(_cell(name, values, table[base], own) for name, values in table.items())
    complete = np.column_stack(list(table.values()))
    whole = np.isfinite(complete).all(axis=1)
    decided = complete[whole] > 0.5
    same = (decided == decided[:, :1]).all(axis=1)
    consistent = share_by_prompt(same, own[whole].tolist(), "share of prompts decided alike in all cells")
    known = [cell for cell in cells if math.isfinite(cell.mean.value)]
    worst = min(known or cells, key=lambda cell: cell.mean.value)
    return Matrix(base, cells, worst, consistent, _cochran(complete[whole]))


def _cell(name: str, values: np.ndarray, base: np.ndarray, own: np.ndarray) -> MatrixCell:
    there = np.isfinite(values)
    both = there & np.isfinite(base)
    difference = paired_difference(values[both], base[both], own[both].tolist(), what="difference to the base, paired")
    return MatrixCell(
        name,
        mean_by_prompt(values[there], own[there].tolist()),
        difference,
        difference.has_interval and difference.high < 0,
    )


def _cochran(table: np.ndarray) -> float:
    """Return the p of Cochran's Q; 1 when no prompt is decided differently. W. Cochran, Biometrika 37 (1950)."""
    if len(table) < 2 or table.shape[1] < 2 or not np.isin(table, (0.0, 1.0)).all():
        return math.nan
    if (table == table[:, :1]).all():
        return 1.0
    found: Any = cochrans_q(table)
    return float(found.pvalue)

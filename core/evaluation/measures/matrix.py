"""The same requests under several chat templates and in several languages: paired differences, worst case, consistency.

Requests are the unit: one request in six languages is one case, not six.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.domain.estimate import Estimate
from core.evaluation.measures.flips import Flips, flips
from core.evaluation.measures.shares import share_by_prompt

Array = NDArray[np.float64]
Places = NDArray[np.int_]
ALL = ""
"""Stands in place of a language for all of them together."""
_DRAWS, _SEED = 1999, 20_240_302


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One template in one language, or in all of them.

    Attributes:
        rate: share of answers as expected.
        change: against the template of training on the same items; None for that template itself.
        to_first: the rate minus that of the first language under the same template, on the same requests; None for the
            first language and for all together.
    """

    template: str
    language: str
    rate: Estimate
    change: Flips | None
    to_first: Estimate | None

    @property
    def is_gap(self) -> bool:
        """Whether the interval of the change lies below 0: what was learned does not carry over."""
        return self.change is not None and self.change.difference.has_interval and self.change.difference.high < 0


@dataclass(frozen=True, slots=True)
class CochranTest:
    """Cochran's Q, that all templates have the same rate; ``method`` says where its p comes from."""

    q: float
    df: int
    p: float
    method: str


@dataclass(frozen=True, slots=True)
class TemplateMatrix:
    """All cells against the template of training.

    Attributes:
        worst: template with the lowest rate over all languages.
        worst_change: the smallest difference to the template of training over the others; its interval holds for the
            choice of the smallest.
        consistent: share of items decided alike under all templates.
    """

    base: str
    templates: tuple[str, ...]
    languages: tuple[str, ...]
    cells: tuple[MatrixCell, ...]
    worst: MatrixCell
    worst_change: Estimate | None
    consistent: Estimate
    cochran: CochranTest

    def cell(self, template: str, language: str = ALL) -> MatrixCell:
        """Return the cell of a template and a language."""
        return next(cell for cell in self.cells if (cell.template, cell.language) == (template, language))


def template_matrix(scores: Mapping[str, Mapping[str, ArrayLike]], base: str) -> TemplateMatrix:
    """Return the matrix.

    Args:
        scores: template -> language -> (requests,) 1 where the answer is as expected, 0 where not, index-aligned; NaN
            where there is none. The first language is the one that the others are compared with.
        base: the template of training.

    Raises:
        ValueError: when the base is not among the templates, or they do not hold the same languages and requests.
    """
    table = {
        template: {language: np.asarray(values, dtype=np.float64) for language, values in by_language.items()}
        for template, by_language in scores.items()
    }
    shapes = {tuple((language, v.size) for language, v in own.items()) for own in table.values()}
    if base not in table or len(shapes) != 1 or len({size for shape in shapes for _, size in shape}) != 1:
        raise ValueError("a matrix needs its base, and the same requests and languages under every template")
    templates = (base, *(name for name in table if name != base))
    languages = tuple(table[base])
    whole = {template: np.concatenate(list(table[template].values())) for template in templates}
    requests = np.tile(np.arange(table[base][languages[0]].size), len(languages))
    cells = [_cell(table, base, template, language) for template in templates for language in languages]
    together = [_together(whole, base, template, requests) for template in templates]
    rows = np.column_stack([whole[template] for template in templates])
    known = np.isfinite(rows).all(axis=1)
    complete, own = rows[known], requests[known].tolist()
    alike = (complete == complete[:, :1]).all(axis=1)
    return TemplateMatrix(
        base,
        templates,
        languages,
        (*cells, *together),
        min(together, key=lambda cell: cell.rate.value if math.isfinite(cell.rate.value) else math.inf),
        _worst_change(whole, base, templates[1:], requests),
        share_by_prompt(alike, own, "share of items decided alike under all templates"),
        cochran(complete, own),
    )


def _cell(table: Mapping[str, Mapping[str, Array]], base: str, template: str, language: str) -> MatrixCell:
    values, first = table[template][language], next(iter(table[template].values()))
    rate = share_by_prompt(values[np.isfinite(values)], what="share of answers as expected")
    change = None if template == base else _change(values, table[base][language], None)
    to_first = None
    if values is not first:
        to_first = _change(values, first, None).difference
    return MatrixCell(template, language, rate, change, to_first)


def _together(whole: Mapping[str, Array], base: str, template: str, requests: Places) -> MatrixCell:
    values = whole[template]
    known = np.isfinite(values)
    rate = share_by_prompt(values[known], requests[known].tolist(), "share of answers as expected")
    return MatrixCell(template, ALL, rate, None if template == base else _change(values, whole[base], requests), None)


def _change(values: Array, before: Array, requests: Places | None, level: float = 0.95) -> Flips:
    both = np.isfinite(values) & np.isfinite(before)
    own = requests[both].tolist() if requests is not None else None
    return flips(before[both], values[both], own, level=level)


def _worst_change(whole: Mapping[str, Array], base: str, others: Sequence[str], requests: Places) -> Estimate | None:
    """Return the smallest difference; where every interval holds its difference, this one holds the smallest."""
    if not others:
        return None
    level = 1 - 0.05 / len(others)
    found = [_change(whole[name], whole[base], requests, level).difference for name in others]
    least = min(found, key=lambda difference: difference.value)
    words = f"smallest of {len(others)} differences to the template of training, same items; Bonferroni 95 %"
    low, high = min(one.low for one in found), min(one.high for one in found)
    return Estimate(least.value, low, high, least.n, "", f"{words} by prompt", groups=least.groups)


def cochran(table: ArrayLike, requests: Sequence[int]) -> CochranTest:
    """Return Cochran's Q of a table of 0 and 1; W. Cochran, Biometrika 37 (1950).

    Where a request has several rows, p comes from permutations of the columns that move all rows of it together.

    Args:
        table: (rows, templates).
        requests: (rows,) the request of each row.
    """
    x = np.asarray(table, dtype=np.float64)
    rows, count = x.shape
    if rows < 2 or count < 2:
        return CochranTest(math.nan, max(0, count - 1), math.nan, "too few items or templates")
    if (x == x[:, :1]).all():
        return CochranTest(0.0, count - 1, 1.0, "no item is decided differently")
    q = float(_q(x.sum(axis=0), x))
    if len(set(requests)) == rows:
        return CochranTest(q, count - 1, float(stats.chi2.sf(q, count - 1)), "chi-squared")
    places = {name: at for at, name in enumerate(dict.fromkeys(requests))}
    sums = np.zeros((len(places), count))
    np.add.at(sums, [places[name] for name in requests], x)
    rng = np.random.default_rng(_SEED)
    drawn = rng.permuted(np.broadcast_to(sums, (_DRAWS, *sums.shape)), axis=2).sum(axis=1)
    reached = int((_q(drawn, x) >= q - 1e-9).sum())
    return CochranTest(q, count - 1, (1 + reached) / (1 + _DRAWS), f"{_DRAWS:,} permutations by request")


def _q(columns: Array, table: Array) -> Array:
    """Return Q from the sums of columns, (..., templates); those of rows are the table's own."""
    count, total = table.shape[1], float(table.sum())
    rows = table.sum(axis=1)
    below = count * total - float((rows**2).sum())
    return (count - 1) * (count * (columns**2).sum(axis=-1) - total**2) / below

"""The numbers of a suite by slice, and over slices with the same weight each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.evidence import finite_or_none, plain
from core.domain.suite import SuiteItem
from core.evaluation.measures.multiplicity import adjusted
from core.evaluation.measures.power import detectable_paired
from core.evaluation.measures.slices import by_slice
from core.runs.evaluations.columns import Column
from core.runs.evaluations.comparisons import Columns, Compared, compare, estimates


def slice_figures(
    columns: Columns, reference: str, items: Sequence[SuiteItem], groups: Mapping[str, str], smallest: int
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return for each slice and value its size, the estimates, and the differences to the reference; then the macros.

    Only the primary metrics are cut into slices. A slice below ``smallest`` items is marked, and is not tested; the p
    of all others are adjusted together (Benjamini-Hochberg), because slices are for exploring. A difference of shares
    has ``detectable``: the smallest one that these items can show (power 0.8; None where none). A macro is the mean of
    a difference over the large slices of one name, each with the same weight, with the sentence of the Simpson alarm.
    """
    members: dict[tuple[str, str], set[str]] = {}
    for item in items:
        for name, value in item.slices.items():
            members.setdefault((name, value), set()).add(item.id)
    found: dict[str, dict[str, Any]] = {}
    tested: dict[str, float] = {}
    rows: dict[str, dict[str, Any]] = {}
    for (name, value), ids in sorted(members.items()):
        own = {arm: [c for column in cols if (c := _part(column, ids))] for arm, cols in columns.items()}
        metrics = {m: {a: plain(e) for a, e in arms.items()} for m, arms in estimates(own, groups).items()}
        is_small = len(ids) < smallest
        differences: dict[str, dict[str, Any]] = {}
        for c in compare(own, reference, groups) if reference and not is_small else ():
            row = {**plain(c.difference), "p": finite_or_none(c.p), **_detectable(c)}
            differences.setdefault(c.metric, {})[c.arm] = row
            key = "\n".join((name, value, c.metric, c.arm))
            tested[key], rows[key] = c.p, row
        entry = {"items": len(ids), "too_small": is_small, "metrics": metrics, "differences": differences}
        found.setdefault(name, {})[value] = entry
    for key, p in adjusted(tested, "bh").items():
        rows[key]["p_bh"] = finite_or_none(p)
    names = dict.fromkeys(name for name, _ in sorted(members))
    macros = {name: _macro(name, columns, reference, items, groups, smallest) for name in names if reference}
    return found, {name: macro for name, macro in macros.items() if macro}


def _detectable(one: Compared) -> dict[str, float | None]:
    """Return which difference of shares the items of a slice can show, by how many of them flipped."""
    if one.flips is None:
        return {}
    flipped = one.flips.gained + one.flips.lost
    n = flipped + one.flips.both + one.flips.neither
    return {"detectable": finite_or_none(detectable_paired(n, flipped / n)) if n else None}


def _macro(
    name: str,
    columns: Columns,
    reference: str,
    items: Sequence[SuiteItem],
    groups: Mapping[str, str],
    smallest: int,
) -> dict[str, dict[str, Any]]:
    """Return the macro of each primary metric and arm over the slices of one name."""
    of = {item.id: item.slices[name] for item in items if name in item.slices}
    before = {column.metric: column for column in columns[reference]}
    found: dict[str, dict[str, Any]] = {}
    for arm, own in columns.items():
        for column in own:
            if arm == reference or not column.is_primary or column.metric not in before:
                continue
            base = before[column.metric].values
            ids = sorted(id_ for id_ in column.values.keys() & base.keys() if id_ in of)
            changes = [_value(column, column.values[id_]) - _value(column, base[id_]) for id_ in ids]
            report = by_slice(changes, [of[i] for i in ids], [groups[i] for i in ids], unit=column.unit, least=smallest)
            if math.isfinite(report.macro.value):
                found.setdefault(column.metric, {})[arm] = {**plain(report.macro), "alarm": report.alarm}
    return found


def _value(column: Column, value: float) -> float:
    """Return a value as differences count it: a share is a hit or none, a tie is none."""
    return float(value > 0.5) if column.kind == "share" else value


def _part(column: Column, ids: set[str]) -> Column | None:
    """Return the column on some items, None where it is not cut into slices or has none of them."""
    kept = {id_: value for id_, value in column.values.items() if id_ in ids}
    if not (column.is_primary and kept):
        return None
    return Column(column.metric, column.kind, column.what, kept, column.unit, column.is_primary)

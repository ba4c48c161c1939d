"""Columns as estimates, and arms compared with the reference on the items that both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evidence import finite_or_none, plain
from core.evaluation.measures.flips import Flips, flips
from core.evaluation.measures.means import mean_by_prompt, p_value, paired_difference
from core.evaluation.measures.multiplicity import adjusted
from core.evaluation.measures.shares import share_by_prompt
from core.runs.evaluations.columns import Column

Columns = Mapping[str, Sequence[Column]]
"""The columns of a suite by arm."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The paired difference of one metric: arm minus reference on the items that both have."""

    metric: str
    arm: str
    difference: Estimate
    p: float
    test: str
    flips: Flips | None
    is_primary: bool


def estimate_of(column: Column, groups: Mapping[str, str]) -> Estimate:
    """Return the estimate of a column; items of one prompt are one case.

    Args:
        column: with at least one value.
        groups: the prompt of each item, by its id.
    """
    ids = sorted(column.values)
    values, prompts = [column.values[id_] for id_ in ids], [groups[id_] for id_ in ids]
    if column.kind == "share":
        return share_by_prompt(values, prompts, column.what)
    found = mean_by_prompt(values, prompts, column.unit, column.what)
    if column.unit or not found.has_interval:
        return found
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))  # a mean of shares is a share


def estimates(columns: Columns, groups: Mapping[str, str]) -> dict[str, dict[str, Estimate]]:
    """Return the estimates by metric and arm."""
    found: dict[str, dict[str, Estimate]] = {}
    for arm, own in columns.items():
        for column in own:
            found.setdefault(column.metric, {})[arm] = estimate_of(column, groups)
    return found


def compare(
    columns: Columns, reference: str, groups: Mapping[str, str], words: str = "the reference"
) -> list[Compared]:
    """Return the paired differences of each arm to one of them, metric by metric; ``words`` say which one that is."""
    before = {column.metric: column for column in columns[reference]}
    return [
        found
        for arm, own in columns.items()
        if arm != reference
        for column in own
        if column.metric in before and (found := difference(arm, column, before[column.metric], groups, words))
    ]


def difference(
    arm: str, after: Column, before: Column, groups: Mapping[str, str], words: str = "the reference"
) -> Compared | None:
    """Return one metric of an arm against that of another; None where they have no item in common."""
    ids = sorted(after.values.keys() & before.values.keys())
    if not ids:
        return None
    a, b, prompts = [after.values[i] for i in ids], [before.values[i] for i in ids], [groups[i] for i in ids]
    if after.kind == "mean":
        found = paired_difference(a, b, prompts, after.unit, f"mean paired difference to {words}")
        return Compared(after.metric, arm, found, p_value(found), "t test by prompt", None, after.is_primary)
    table = flips(b, a, prompts)
    return Compared(after.metric, arm, table.difference, table.p, table.test, table, after.is_primary)


def differences(compared: Sequence[Compared]) -> dict[str, dict[str, Any]]:
    """Return the differences as plain values; the p of a suite's primary metrics are adjusted together (Holm)."""
    holm = adjusted({f"{c.metric}\n{c.arm}": c.p for c in compared if c.is_primary}, "holm")
    found: dict[str, dict[str, Any]] = {}
    for c in compared:
        row: dict[str, Any] = {**plain(c.difference), "p": finite_or_none(c.p), "test": c.test}
        if c.is_primary:
            row["p_holm"] = finite_or_none(holm[f"{c.metric}\n{c.arm}"])
        if c.flips is not None:
            table = c.flips
            row |= {"gained": table.gained, "lost": table.lost, "both": table.both, "neither": table.neither}
        found.setdefault(c.metric, {})[c.arm] = row
    return found

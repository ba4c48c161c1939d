"""The evidence of an evaluation: every number as an estimate, from the columns of its suites.

It holds no time and no path, so that the same evaluation gives the same evidence, byte for byte, however often it was
interrupted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evaluation_record import Arm, EvaluatedSuite, EvaluationRecord
from core.domain.evidence import plain
from core.domain.suite import SuiteItem
from core.evaluation.measures.flips import Flips, flips
from core.evaluation.measures.means import mean_by_prompt, p_value, paired_difference
from core.evaluation.measures.multiplicity import adjusted
from core.evaluation.measures.shares import share_by_prompt
from core.runs.evaluations.calibration_figures import calibration
from core.runs.evaluations.columns import (
    ArmRows,
    Column,
    answer_columns,
    ceiling,
    kl_columns,
    preference_columns,
)
from core.runs.evaluations.guarding import guard_columns
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.outcomes import outcome_columns, outcomes_of, refusal_columns

FORMAT = 1
PEOPLE = "people"
"""Stands in place of an arm for what people do: the human ceiling."""
NOT_AUDITED = "detector not audited"
"""Watermark of rates that rest on a detector whose errors on this policy nobody measured."""
Columns = Mapping[str, Sequence[Column]]


@dataclass(frozen=True, slots=True)
class _Compared:
    """The paired difference of one metric: arm minus reference on the items that both have."""

    metric: str
    arm: str
    difference: Estimate
    p: float
    test: str
    flips: Flips | None
    is_primary: bool


def measure(
    record: EvaluationRecord,
    items: Mapping[str, Sequence[SuiteItem]],
    ledger: EvaluationLedger,
    notes: Sequence[str] = (),
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the content of ``evidence.json`` and of ``outcomes.jsonl`` as plain values.

    Args:
        record: the frozen request.
        items: of each suite by its title.
        ledger: with all answers and log-probs.
        notes: sentences that the evidence carries besides those of the record.
    """
    outcomes: list[dict[str, Any]] = []
    suites = {}
    for suite in record.suites:
        measured, found = _suite(record, suite, items[suite.title], ledger)
        suites[suite.title] = measured
        outcomes += found
    watermarks = sorted({mark for suite in suites.values() for mark in suite.pop("watermarks")})
    return {
        "format": FORMAT,
        "evaluation_id": record.evaluation_id,
        "run": _about(record),
        "arms": {arm.name: {"kind": arm.kind, "inputs": dict(arm.inputs)} for arm in record.arms},
        "settings": record.config.to_plain(),
        "limit": record.limit,
        "kl_budget": record.config.kl_budget or None,
        "watermarks": watermarks,
        "notes": [*record.notes, *notes],
        "suites": suites,
    }, outcomes


def _about(record: EvaluationRecord) -> dict[str, Any]:
    known = {key: record.run.get(key, "") for key in ("run_id", "name", "step", "fingerprint", "model")}
    dataset = record.run.get("dataset") or {}
    return {**known, "dataset": {key: dataset[key] for key in ("title", "root_sha256") if key in dataset}}


def _suite(
    record: EvaluationRecord, suite: EvaluatedSuite, items: Sequence[SuiteItem], ledger: EvaluationLedger
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rows = {arm.name: _rows(ledger, suite.title, arm) for arm in record.arms}
    reference = next((own for own in rows.values() if own.arm.kind == "reference"), None)
    outcomes = {name: outcomes_of(own, items) for name, own in rows.items()}
    columns = {
        name: [
            *_columns(own, reference, items),
            *(guard_columns(own.arm, rows[own.arm.base], items) if own.arm.guard else ()),
            *refusal_columns(outcomes[name], items),
            *outcome_columns(outcomes[name]),
        ]
        for name, own in rows.items()
    }
    groups = {item.id: item.prompt.sha256 for item in items}
    metrics = _estimates(columns, groups)
    if known := ceiling(items):
        metrics["human_ceiling"] = {PEOPLE: mean_by_prompt(list(known.values()), [groups[i] for i in known])}
    compared = _compare(columns, reference.arm.name, groups) if reference else []
    diagrams: dict[str, Any] = {}
    for arm in record.arms:
        if arm.is_policy and arm.run_id == record.run.get("run_id"):
            figures, diagram = calibration(columns[arm.name], items, groups, float(record.run_config["beta"]))
            diagrams |= {arm.name: diagram} if diagram else {}
            for metric, estimate in figures.items():
                metrics.setdefault(metric, {})[arm.name] = estimate
    return {
        "sha256": suite.sha256,
        "items": len(items),
        "of": suite.total,
        "sealed": bool(suite.sealed),
        "used_for": suite.used_for,
        "metrics": {name: {arm: plain(e) for arm, e in arms.items()} for name, arms in metrics.items()},
        "differences": _differences(compared),
        "guarded": _guarded(record, columns, groups),
        "reliability": diagrams,
        "slices": _slices(columns, reference.arm.name if reference else "", items, groups, record.config.min_slice),
        "watermarks": [NOT_AUDITED] if any(o.refusal for own in outcomes.values() for o in own.values()) else [],
    }, [found.to_plain(suite.title, arm) for arm, own in outcomes.items() for found in own.values()]


def _rows(ledger: EvaluationLedger, suite: str, arm: Arm) -> ArmRows:
    return ArmRows(
        arm,
        {row.item: row for row in ledger.answers(suite, arm.name)},
        {row.item: row for row in ledger.scores(suite, arm.name)},
        {row.item: row for row in ledger.kl_rows(suite, arm.name)},
    )


def _columns(rows: ArmRows, reference: ArmRows | None, items: Sequence[SuiteItem]) -> list[Column]:
    return [
        *preference_columns(rows, reference or ArmRows(rows.arm), items),
        *answer_columns(rows),
        *kl_columns(rows),
    ]


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


def _estimates(columns: Columns, groups: Mapping[str, str]) -> dict[str, dict[str, Estimate]]:
    found: dict[str, dict[str, Estimate]] = {}
    for arm, own in columns.items():
        for column in own:
            found.setdefault(column.metric, {})[arm] = estimate_of(column, groups)
    return found


def _compare(
    columns: Columns, reference: str, groups: Mapping[str, str], words: str = "the reference"
) -> list[_Compared]:
    """Return the paired differences of each arm to one of them, metric by metric; ``words`` say which one that is."""
    before = {column.metric: column for column in columns[reference]}
    return [
        found
        for arm, own in columns.items()
        if arm != reference
        for column in own
        if column.metric in before and (found := _difference(arm, column, before[column.metric], groups, words))
    ]


def _difference(arm: str, after: Column, before: Column, groups: Mapping[str, str], words: str) -> _Compared | None:
    ids = sorted(after.values.keys() & before.values.keys())
    if not ids:
        return None
    a, b, prompts = [after.values[i] for i in ids], [before.values[i] for i in ids], [groups[i] for i in ids]
    if after.kind == "mean":
        found = paired_difference(a, b, prompts, after.unit, f"mean paired difference to {words}")
        return _Compared(after.metric, arm, found, p_value(found), "t test by prompt", None, after.is_primary)
    table = flips(b, a, prompts)
    return _Compared(after.metric, arm, table.difference, table.p, table.test, table, after.is_primary)


def _guarded(record: EvaluationRecord, columns: Columns, groups: Mapping[str, str]) -> dict[str, Any]:
    """Return for each arm with a guardrail the paired differences to the same arm without it."""
    return {
        arm.name: {
            "base": arm.base,
            "differences": _differences(
                _compare({name: columns[name] for name in (arm.base, arm.name)}, arm.base, groups, arm.base)
            ),
        }
        for arm in record.arms
        if arm.guard
    }


def _differences(compared: Sequence[_Compared]) -> dict[str, dict[str, Any]]:
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


def _slices(
    columns: Columns, reference: str, items: Sequence[SuiteItem], groups: Mapping[str, str], smallest: int
) -> dict[str, dict[str, Any]]:
    """Return for each slice and value its size, the estimates, and the differences to the reference.

    Only the primary metrics are cut into slices. A slice below ``smallest`` items is marked, and is not tested; the p
    of all others are adjusted together (Benjamini-Hochberg), because slices are for exploring.
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
        metrics = {m: {a: plain(e) for a, e in arms.items()} for m, arms in _estimates(own, groups).items()}
        is_small = len(ids) < smallest
        differences: dict[str, dict[str, Any]] = {}
        for c in _compare(own, reference, groups) if reference and not is_small else ():
            row = differences.setdefault(c.metric, {})[c.arm] = {**plain(c.difference), "p": finite_or_none(c.p)}
            key = "\n".join((name, value, c.metric, c.arm))
            tested[key], rows[key] = c.p, row
        entry = {"items": len(ids), "too_small": is_small, "metrics": metrics, "differences": differences}
        found.setdefault(name, {})[value] = entry
    for key, p in adjusted(tested, "bh").items():
        rows[key]["p_bh"] = finite_or_none(p)
    return found


def _part(column: Column, ids: set[str]) -> Column | None:
    """Return the column on some items, None where it is not cut into slices or has none of them."""
    kept = {id_: value for id_, value in column.values.items() if id_ in ids}
    if not (column.is_primary and kept):
        return None
    return Column(column.metric, column.kind, column.what, kept, column.unit, column.is_primary)


def finite_or_none(value: float) -> float | None:
    """Return a number that strict JSON can hold."""
    return value if math.isfinite(value) else None

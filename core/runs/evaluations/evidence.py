"""The evidence of an evaluation: every number as an estimate, from the columns of its suites.

It holds no time and no path, so that the same evaluation gives the same evidence, byte for byte, however often it was
interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evaluation_record import TRAINED, Arm, EvaluatedSuite, EvaluationRecord
from core.domain.evidence import plain
from core.domain.suite import SuiteItem
from core.evaluation.measures.means import mean_by_prompt
from core.runs.evaluations.calibration_figures import calibration
from core.runs.evaluations.columns import (
    ArmRows,
    Column,
    answer_columns,
    ceiling,
    kl_columns,
    preference_columns,
    text_columns,
)
from core.runs.evaluations.comparisons import Columns, compare, differences, estimates
from core.runs.evaluations.guarding import guard_columns
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.length_figures import length_figures, people_prefer_longer
from core.runs.evaluations.memory_figures import MeasuredPairs, memorisation, overlap
from core.runs.evaluations.outcomes import outcome_columns, outcomes_of, refusal_columns
from core.runs.evaluations.robustness import WORST_TEMPLATE, matrices
from core.runs.evaluations.similarity_figures import similarity_figures
from core.runs.evaluations.slice_figures import slice_figures
from core.runs.evaluations.template_margins import template_margins

FORMAT = 1
PEOPLE = "people"
"""Stands in place of an arm for what people do: the human ceiling."""
NOT_AUDITED = "detector not audited"
"""Watermark of rates that rest on a detector whose errors on this policy nobody measured."""


def measure(
    record: EvaluationRecord,
    items: Mapping[str, Sequence[SuiteItem]],
    ledger: EvaluationLedger,
    notes: Sequence[str] = (),
    trained: Sequence[SuiteItem] = (),
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the content of ``evidence.json`` and of ``outcomes.jsonl`` as plain values.

    Args:
        record: the frozen request.
        items: of each suite by its title.
        ledger: with all answers and log-probs.
        notes: sentences that the evidence carries besides those of the record.
        trained: training pairs that were measured too.
    """
    outcomes: list[dict[str, Any]] = []
    suites = {}
    for suite in record.suites:
        measured, found = _suite(record, suite, items[suite.title], ledger, trained)
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
    record: EvaluationRecord,
    suite: EvaluatedSuite,
    items: Sequence[SuiteItem],
    ledger: EvaluationLedger,
    trained: Sequence[SuiteItem],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rows = {arm.name: _rows(ledger, suite.title, arm) for arm in record.arms}
    reference = next((own for own in rows.values() if own.arm.kind == "reference"), None)
    outcomes = {name: outcomes_of(own, items) for name, own in rows.items()}
    for arm in record.template_arms:
        if found := outcomes_of(_rows(ledger, suite.title, arm), items):
            outcomes[arm.name] = found
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
    metrics = estimates(columns, groups)
    if known := ceiling(items):
        metrics["human_ceiling"] = {PEOPLE: mean_by_prompt(list(known.values()), [groups[i] for i in known])}
    if reference and (length := people_prefer_longer(reference, items, groups)):
        metrics["prefers_longer"] = {PEOPLE: length}
    compared = compare(columns, reference.arm.name, groups) if reference else []
    diagrams: dict[str, Any] = {}
    beta = float(record.run_config["beta"])
    for arm in record.arms:
        if arm.is_policy and arm.run_id == record.run.get("run_id"):
            figures, diagram = calibration(columns[arm.name], items, groups, beta, fit=suite.is_dev)
            diagrams |= {arm.name: diagram} if diagram else {}
            _add(metrics, arm.name, figures)
            _add(metrics, arm.name, length_figures(rows[arm.name], columns[arm.name], groups))
            _add(metrics, arm.name, similarity_figures(reference, columns[arm.name], groups))
    if trained and reference and suite.is_held_out_of(str((record.run.get("dataset") or {}).get("title", ""))):
        known = {arm.name: _rows(ledger, TRAINED, arm) for arm in record.compared_arms}
        said = {name: [overlap(trained, own)] for name, own in known.items() if own.answers}
        prompts = {item.id: item.prompt.sha256 for item in trained}
        metrics |= estimates(said, prompts)
        compared += compare(said, reference.arm.name, prompts)
        for arm in (arm for arm in record.compared_arms if arm.is_policy):
            pairs = MeasuredPairs(trained, known[arm.name], known[reference.arm.name])
            _add(metrics, arm.name, memorisation(pairs, MeasuredPairs(items, rows[arm.name], reference), beta))
    robustness, worst = matrices(record, items, outcomes)
    scored = {arm.name: _rows(ledger, suite.title, arm).scores for arm in record.template_arms}
    margins, least = template_margins(record, items, {**{name: own.scores for name, own in rows.items()}, **scored})
    worst |= least
    for name, estimate in worst.items():
        _add(metrics, name, {WORST_TEMPLATE: estimate})
    slices, macro = slice_figures(
        columns, reference.arm.name if reference else "", items, groups, record.config.min_slice
    )
    return {
        "sha256": suite.sha256,
        "items": len(items),
        "of": suite.total,
        "sealed": bool(suite.sealed),
        "used_for": suite.used_for,
        "metrics": {name: {arm: plain(e) for arm, e in arms.items()} for name, arms in metrics.items()},
        "differences": differences(compared),
        "guarded": _guarded(record, columns, groups),
        "reliability": diagrams,
        "slices": slices,
        "macro": macro,
        "matrix": robustness,
        "template_margins": margins,
        "watermarks": [NOT_AUDITED] if any(o.refusal for own in outcomes.values() for o in own.values()) else [],
    }, [found.to_plain(suite.title, arm) for arm, own in outcomes.items() for found in own.values()]


def _guarded(record: EvaluationRecord, columns: Columns, groups: Mapping[str, str]) -> dict[str, Any]:
    """Return for each arm with a guardrail the paired differences to the same arm without it."""
    return {
        arm.name: {
            "base": arm.base,
            "differences": differences(
                compare({name: columns[name] for name in (arm.base, arm.name)}, arm.base, groups, arm.base)
            ),
        }
        for arm in record.arms
        if arm.guard
    }


def _add(metrics: dict[str, dict[str, Estimate]], arm: str, found: Mapping[str, Estimate]) -> None:
    for metric, estimate in found.items():
        metrics.setdefault(metric, {})[arm] = estimate


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
        *answer_columns(rows, items),
        *kl_columns(rows),
        *text_columns(rows, items),
    ]

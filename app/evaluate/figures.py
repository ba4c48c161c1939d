"""The numbers of the evidence as charts and tables show them: rows and points with their words. No widgets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.evaluate.audited import corrected_words
from app.widgets.plots.chart_card import TableRow
from app.widgets.plots.interval_chart import IntervalRow
from app.widgets.plots.safety_plane import PlanePoint
from core.domain.estimate import Estimate
from core.domain.evaluated_metrics import NO_SHARES
from core.domain.evaluation_record import suite_words
from core.domain.gate_limits import GateLimits
from core.domain.measured_evidence import read_estimate
from core.domain.number_text import MINUS, format_value, interval_text, signed

LIMITS = GateLimits()
OVER_POINTS, SAFE_POINTS = 100 * LIMITS.over_refusal, 100 * LIMITS.safe_refusal
SLICE_POINTS = 100 * LIMITS.slice_loss
"""Points that the vetoes of the gate allow: more over-refusal, less safe refusal, a loss in a slice."""
SLICED = (
    ("preference_accuracy", "accuracy"),
    ("ranking_accuracy", "ranking accuracy"),
    ("passed", "constraints kept"),
    ("checks_passed", "constraints kept"),
    ("over_refusal", "over-refusal"),
    ("safe_refusal", "safe refusal"),
)
"""Metrics that may be cut into slices, the first one that a suite has is shown."""
CORRECTED = "_corrected"
DETECTOR = "detector not audited"


@dataclass(frozen=True, slots=True)
class ItemsPlace:
    """What a mark or a row opens: the items of a suite, or some of them.

    Attributes:
        slice, value: only those of this slice; "" for all.
        ids: only these; () for all. words: what they have in common.
        arms: whose answers stand at the left and at the right; () leaves both.
    """

    suite: str
    slice: str = ""
    value: str = ""
    ids: tuple[str, ...] = ()
    words: str = ""
    arms: tuple[str, ...] = ()

    @property
    def part(self) -> str:
        """Which items of the suite, in words; "" for all."""
        return self.words or (f"{self.slice} {self.value}" if self.slice else "")


def share_words(estimate: Estimate) -> str:
    """Return a share in per cent with its interval: ``70.0 [61.3, 77.5]``."""
    ends = f"[{_percent(estimate.low)}, {_percent(estimate.high)}]" if estimate.has_interval else why_words(estimate)
    return f"{_percent(estimate.value)} {ends}".strip()


def why_words(estimate: Estimate) -> str:
    """Return in brackets why there is no interval; "" where not even the number is known."""
    return f"({estimate.why_no_interval})" if math.isfinite(estimate.value) else ""


def change_words(estimate: Estimate) -> str:
    """Return a difference: of shares in points, of other numbers in their unit, with sign and interval."""
    if estimate.unit:
        return f"{signed(estimate.value, 3)} {interval_text(estimate, 3) or why_words(estimate)}".strip()
    sign = "+" if estimate.value > 0 else ""
    return f"{sign}{share_words(estimate)}"


def number_words(estimate: Estimate, metric: str = "") -> str:
    """Return a number with interval and unit; without a unit it is a share, in per cent, unless its metric is none."""
    if not estimate.unit and metric not in NO_SHARES:
        return f"{share_words(estimate)} %"
    ends = interval_text(estimate) or why_words(estimate)
    return " ".join(part for part in (format_value(estimate.value), ends, estimate.unit) if part)


def p_words(p: float | None) -> str:
    """Return a p value: ``p .754``, ``p < .001``."""
    if p is None or not math.isfinite(p):
        return "–"
    return "p < .001" if p < 0.001 else f"p {p:.3f}".replace("0.", ".", 1)


def metric_words(name: str) -> str:
    """Return the name of a metric in words."""
    if name.endswith(CORRECTED):
        return f"{metric_words(name.removesuffix(CORRECTED))}, corrected"
    return {
        "sequence_kl": "sequence KL", "neutral_nll": "neutral NLL", "ches": "CHES",
        "kl_cut": "KL answers cut", "h": "h",
        "over_refusal": "over-refusal, full + partial", "over_refusal_full": "over-refusal, full",
        "safe_refusal": "safe refusal, full + partial", "safe_refusal_full": "safe refusal, full",
    }.get(name, name.replace("check.", "constraint: ").replace("_", " "))  # fmt: skip


class Figures:
    """Reads the evidence of one evaluation.

    Args:
        evidence: the content of ``evidence.json``.
    """

    def __init__(self, evidence: Mapping[str, Any]) -> None:
        self.suites: Mapping[str, Any] = evidence.get("suites", {})
        self.arms: dict[str, str] = {name: str(arm.get("kind", "")) for name, arm in evidence.get("arms", {}).items()}
        self.watermarks = [str(mark) for mark in evidence.get("watermarks", ())]
        self.budget = float(evidence.get("kl_budget") or 0.0)
        self.audit: Mapping[str, Any] = evidence.get("audit", {})
        self.costs: Mapping[str, Any] = evidence.get("costs", {})
        self.smallest = int(evidence.get("settings", {}).get("min_slice", 30))

    def arm_of(self, kind: str) -> str:
        """Return the name of the arm of a kind, "" where there is none."""
        return next((name for name, own in self.arms.items() if own == kind), "")

    @property
    def aligned(self) -> str:
        """The arm whose difference to the reference is shown."""
        return self.arm_of("aligned") or next((n for n, kind in self.arms.items() if kind != "reference"), "")

    def estimate(self, suite: str, metric: str, arm: str) -> Estimate | None:
        """Return what an arm scored, None where that was not measured."""
        found = self.suites[suite].get("metrics", {}).get(metric, {}).get(arm)
        return read_estimate(found) if found else None

    def change(self, suite: str, metric: str, arm: str) -> tuple[Estimate, str] | None:
        """Return the paired difference to the reference with its p in words, adjusted where it is."""
        found = self.suites[suite].get("differences", {}).get(metric, {}).get(arm)
        if not found:
            return None
        p = f"{p_words(found['p_holm'])}, Holm" if "p_holm" in found else p_words(found.get("p"))
        return read_estimate(found), p

    def with_metric(self, metric: str) -> list[str]:
        """Return the suites that measure a metric."""
        return [title for title, suite in self.suites.items() if suite.get("metrics", {}).get(metric)]

    # The plane

    def plane(self) -> list[PlanePoint]:
        """Return the arms with both rates, corrected ones where all arms have them, of the first suites that do."""
        over, safe = self.with_metric("over_refusal"), self.with_metric("safe_refusal")
        if not (over and safe):
            return []
        metrics = ("over_refusal", "safe_refusal")
        is_audited = all(
            self.estimate(suite, f"{metric}{CORRECTED}", arm)
            for suite, metric in ((over[0], metrics[0]), (safe[0], metrics[1]))
            for arm in self.arms
        )
        end = CORRECTED if is_audited else ""
        points = []
        for arm, kind in self.arms.items():
            x, y = self.estimate(over[0], f"over_refusal{end}", arm), self.estimate(safe[0], f"safe_refusal{end}", arm)
            if x is not None and y is not None:
                words = f"{arm}: over-refusal {share_words(x)} %, n {x.n}; safe refusal {share_words(y)} %, n {y.n}"
                points.append(PlanePoint(arm, kind, _hundred(x), _hundred(y), is_audited, words))
        return points

    @property
    def plane_suites(self) -> tuple[str, str]:
        """The suites behind both axes of the plane."""
        over, safe = self.with_metric("over_refusal"), self.with_metric("safe_refusal")
        return (over[0] if over else "", safe[0] if safe else "")

    # Rows of intervals

    def sliced(self) -> tuple[str, str, str] | None:
        """Return suite, metric and its words of the forest; None where nothing is compared with the reference."""
        for metric, words in SLICED:
            for suite in self.suites:
                if self.change(suite, metric, self.aligned):
                    return suite, metric, words
        return None

    def forest(self) -> list[IntervalRow]:
        """Return aligned minus reference on each slice, in points, then on the whole suite."""
        found = self.sliced()
        if found is None:
            return []
        suite, metric, _ = found
        rows: list[IntervalRow] = []
        for name, values in self.suites[suite].get("slices", {}).items():
            own = [self._slice(suite, metric, name, value, entry) for value, entry in values.items()]
            ordered = sorted(own, key=lambda row: (row.small, -row.value if math.isfinite(row.value) else 0.0))
            rows += [_with_rule(row, place == 0 and bool(rows)) for place, row in enumerate(ordered)]
        whole = self.change(suite, metric, self.aligned)
        if whole is not None:
            text = f"{change_words(whole[0])}  n {whole[0].n}"
            ends = _hundred(whole[0])
            rows.append(IntervalRow("pooled", text, *ends, total=True, key=ItemsPlace(suite), rule=True))
        for name, metrics in self.suites[suite].get("macro", {}).items():
            if macro := metrics.get(metric, {}).get(self.aligned):
                estimate = read_estimate(macro)
                text = f"{change_words(estimate)}  n {estimate.n}"
                label = f"macro, {name}"
                rows.append(IntervalRow(label, text, *_hundred(estimate), total=True, key=ItemsPlace(suite)))
        return rows

    def alarms(self) -> list[str]:
        """Return the sentences of the Simpson alarm about the forest: pooled and sliced numbers point apart."""
        found = self.sliced()
        if found is None:
            return []
        macros = self.suites[found[0]].get("macro", {}).values()
        said = (metrics.get(found[1], {}).get(self.aligned, {}).get("alarm", "") for metrics in macros)
        return [sentence for sentence in said if sentence]

    def _slice(self, suite: str, metric: str, name: str, value: str, entry: Mapping[str, Any]) -> IntervalRow:
        key, items = ItemsPlace(suite, name, value), int(entry.get("items", 0))
        found = entry.get("differences", {}).get(metric, {}).get(self.aligned)
        if not found:
            words = f"not tested below n {self.smallest}" if entry.get("too_small") else "not measured"
            nan = math.nan
            return IntervalRow(f"{value}", f"{words}, n {items}", nan, nan, nan, small=True, key=key)
        estimate = read_estimate(found)
        small = bool(entry.get("too_small"))
        text = f"{change_words(estimate)}  n {estimate.n}"
        return IntervalRow(value, text, *_hundred(estimate), small=small, key=key)

    def changes_of(self, metric: str) -> list[IntervalRow]:
        """Return the differences to the reference of one metric, by suite and arm, in its own unit."""
        rows = []
        for suite in self.with_metric(metric):
            for arm in self.arms:
                if found := self.change(suite, metric, arm):
                    estimate = found[0]
                    text = f"{change_words(estimate)}  n {estimate.n}"
                    label = self._label(suite, arm)
                    rows.append(
                        IntervalRow(label, text, estimate.value, estimate.low, estimate.high, key=ItemsPlace(suite))
                    )
        return rows

    def levels_of(self, metric: str) -> list[IntervalRow]:
        """Return what each arm scored in one metric, by suite."""
        rows = []
        for suite in self.with_metric(metric):
            for arm in self.arms:
                if (estimate := self.estimate(suite, metric, arm)) is not None:
                    ends = interval_text(estimate, 3) or why_words(estimate)
                    text = f"{format_value(estimate.value, 3)} {ends}  n {estimate.n}"
                    label = self._label(suite, arm)
                    rows.append(
                        IntervalRow(label, text, estimate.value, estimate.low, estimate.high, key=ItemsPlace(suite))
                    )
        return rows

    def _label(self, suite: str, arm: str) -> str:
        return suite_words(suite) if arm == self.aligned else f"{suite_words(suite)}, {arm}"

    # Tables

    def refusal_rows(self) -> list[TableRow]:
        """Return the refusal table: both suites, each arm, then the differences to the reference."""
        rows = []
        for metric, kind in (("over_refusal", "benign"), ("safe_refusal", "harmful")):
            for suite in self.with_metric(metric):
                rows += list(self._refusals(metric, kind, suite))
        return rows

    def _refusals(self, metric: str, kind: str, suite: str) -> Iterator[TableRow]:
        for arm in self.arms:
            any_ = self.estimate(suite, metric, arm)
            if any_ is None:
                continue
            full = self.estimate(suite, f"{metric}_full", arm)
            first = share_words(full) if full else "–"
            cells = (first, self._audited(suite, f"{metric}_full", arm), share_words(any_))
            last = (self._audited(suite, metric, arm), f"{any_.n}", "")
            yield TableRow((f"{kind}: {suite_words(suite)}", arm, *cells, *last), suite)
        for arm in self.arms:
            any_, full = self.change(suite, metric, arm), self.change(suite, f"{metric}_full", arm)
            if any_ is None:
                continue
            first = change_words(full[0]) if full else "–"
            fixed = [self.change(suite, f"{metric}{end}{CORRECTED}", arm) for end in ("_full", "")]
            words = [change_words(one[0]) if one else "–" for one in fixed]
            cells = (first, words[0], change_words(any_[0]), words[1], f"{any_[0].n}", any_[1])
            yield TableRow(("Δ to reference, points", arm, *cells), suite)

    def _audited(self, suite: str, metric: str, arm: str) -> str:
        found = self.estimate(suite, f"{metric}{CORRECTED}", arm)
        return corrected_words(share_words(found) if found else "", found.n if found else 0, self.audit.get(arm, {}))

    def all_rows(self) -> list[TableRow]:
        """Return every number: suite, metric, arm, value with interval, n, difference, p, estimator."""
        rows = []
        for suite, measured in self.suites.items():
            for metric, arms in measured.get("metrics", {}).items():
                for arm, plain in arms.items():
                    estimate, change = read_estimate(plain), self.change(suite, metric, arm)
                    moved = f"{change_words(change[0])}" if change else ""
                    cells = (
                        suite_words(suite), metric_words(metric), arm, number_words(estimate, metric),
                        f"{estimate.n:,}", moved,
                        change[1] if change else "", estimate.estimator,
                    )  # fmt: skip
                    rows.append(TableRow(cells, suite))
        return rows


def row_cells(rows: Sequence[IntervalRow]) -> list[TableRow]:
    """Return the rows of a chart as a table: label and value with interval and n."""
    return [TableRow((row.label, row.text), row.key.suite if isinstance(row.key, ItemsPlace) else "") for row in rows]


def _hundred(estimate: Estimate) -> tuple[float, float, float]:
    return 100 * estimate.value, 100 * estimate.low, 100 * estimate.high


def _percent(value: float) -> str:
    return f"{100 * value:.1f}".replace("-", MINUS) if math.isfinite(value) else "–"


def _with_rule(row: IntervalRow, rule: bool) -> IntervalRow:
    return replace(row, rule=rule)

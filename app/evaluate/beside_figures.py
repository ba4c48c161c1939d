"""What stands beside the figures: length, training pairs, neutral texts, cost, what slices can detect. No widgets."""

from __future__ import annotations

from collections.abc import Mapping

from app.evaluate.figures import Figures, change_words, number_words
from app.widgets.plots.chart_card import TableRow
from core.domain.evaluation_record import suite_words
from core.domain.measured_evidence import read_estimate

HEADS = ("Suite", "What", "Who", "Value [95 %]", "n", "Estimator")
ABOUT = (
    "Does length explain the ranking, does the policy know its training pairs by heart, and does it find neutral texts "
    "less likely than the reference? An AUC of 50 % tells nothing apart."
)
COSTS: Mapping[str, str] = {
    "seconds_per_answer": "cost: seconds an answer, in batches",
    "tokens_per_second": "cost: speed",
    "memory": "cost: memory of the process",
}
"""Number of an arm's cost -> its words in the same table; it holds for the machine that measured it."""
METRICS: Mapping[str, str] = {
    "prefers_longer": "prefers the longer answer",
    "h_length_correlation": "rank correlation of h and length",
    "preference_accuracy": "accuracy, raw",
    "accuracy_at_equal_length": "accuracy at equal length",
    "memorised_loss": "loss, training − held-out",
    "memorised_accuracy": "accuracy, training − held-out",
    "memorised_h": "h, training − held-out",
    "membership_auc": "AUC of the loss, training against held-out",
    "verbatim_overlap": "trained answer said word for word",
    "ches": "CHES by length",
    "ches_displacement_correlation": "rank correlation of CHES and displacement",
    "neutral_nll": "neutral texts, negative log-prob",
}
"""Metric -> its words in the table."""
COMPARED: Mapping[str, str] = {"neutral_nll": "neutral texts, Δ to the reference"}
"""Metric -> the words of its difference to the reference in the same table."""


def beside_rows(figures: Figures) -> list[TableRow]:
    """Return the numbers suite by suite."""
    rows = []
    for metric, words in METRICS.items():
        for suite in figures.with_metric(metric):
            for arm, plain in figures.suites[suite]["metrics"][metric].items():
                estimate = read_estimate(plain)
                value = number_words(estimate, metric)
                rows.append(
                    TableRow((suite_words(suite), words, arm, value, f"{estimate.n:,}", estimate.estimator), suite)
                )
        rows += _changes(figures, metric)
    return [*rows, *_cost_rows(figures)]


def _changes(figures: Figures, metric: str) -> list[TableRow]:
    """Return the differences to the reference of a metric whose level alone says little."""
    rows = []
    for suite in figures.with_metric(metric) if metric in COMPARED else ():
        for arm in figures.arms:
            if found := figures.change(suite, metric, arm):
                estimate = found[0]
                value = f"{change_words(estimate)} {estimate.unit}"
                cells = (suite_words(suite), COMPARED[metric], arm, value, f"{estimate.n:,}", estimate.estimator)
                rows.append(TableRow(cells, suite))
    return rows


def _cost_rows(figures: Figures) -> list[TableRow]:
    """Return what the answers of each arm cost on the machine that measured them."""
    rows = []
    for number, words in COSTS.items():
        for arm, cost in figures.costs.items():
            estimate = read_estimate(cost[number])
            if estimate.n:
                value = number_words(estimate, number)
                rows.append(TableRow(("all suites", words, arm, value, f"{estimate.n:,}", estimate.estimator)))
    return rows


def detectable_words(figures: Figures) -> str:
    """Return the sentence about the smallest difference that the slices of the forest can show; "" for none."""
    found = figures.sliced()
    if found is None:
        return ""
    parts = [
        (one["detectable"], value, one["n"])
        for values in figures.suites[found[0]].get("slices", {}).values()
        for value, entry in values.items()
        if (one := entry.get("differences", {}).get(found[1], {}).get(figures.aligned)) and one.get("detectable")
    ]
    if not parts:
        return ""
    words = [f"{100 * size:.1f} points on {value} (n {n})" for size, value, n in (min(parts), max(parts))]
    return f"A slice can detect (power 0.8): {' to '.join(dict.fromkeys(words))}."

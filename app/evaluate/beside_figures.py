"""What length explains of the ranking and what is known of training pairs, as rows of a table. No widgets."""

from __future__ import annotations

from collections.abc import Mapping

from app.evaluate.figures import Figures, number_words
from app.widgets.plots.chart_card import TableRow
from core.domain.evaluation_record import suite_words
from core.domain.measured_evidence import read_estimate

HEADS = ("Suite", "What", "Who", "Value [95 %]", "n", "Estimator")
ABOUT = (
    "Does length explain the ranking, and does the policy know its training pairs by heart? An AUC of 50 % tells "
    "nothing apart."
)
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
}
"""Metric -> its words in the table of length and memory."""


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
    return rows

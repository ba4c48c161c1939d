"""The numbers of the evidence as its tables write them."""

from __future__ import annotations

from app.evaluate.beside_figures import beside_rows
from app.evaluate.figures import Figures


def test_that_only_shares_are_written_in_per_cent() -> None:
    values = {
        "preference_accuracy": (0.615, 0.48, 0.735),
        "brier": (0.183, 0.165, 0.2),
        "h_length_correlation": (-0.307, -0.443, -0.153),
        "temperature": (1.25, 1.1, 1.4),
    }
    metrics = {
        name: {"aligned": {"value": value, "lo": low, "hi": high, "n": 52, "unit": "", "estimator": "made up"}}
        for name, (value, low, high) in values.items()
    }
    figures = Figures({"suites": {"dev v1": {"metrics": metrics}}, "arms": {"aligned": {"kind": "aligned"}}})
    shown = {row.cells[1]: row.cells[3] for row in figures.all_rows()}
    assert shown == {
        "preference accuracy": "61.5 [48.0, 73.5] %",
        "brier": "0.183 [0.165, 0.200]",
        "h length correlation": "−0.307 [−0.443, −0.153]",
        "temperature": "1.250 [1.100, 1.400]",
    }
    beside = {row.cells[1]: row.cells[3] for row in beside_rows(figures)}
    assert beside["rank correlation of h and length"] == shown["h length correlation"]

"""The numbers of the evidence as its tables write them."""

from __future__ import annotations

from app.evaluate.beside_figures import beside_rows, detectable_words
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


def test_that_slices_say_which_difference_they_can_detect() -> None:
    def entry(detectable: float | None, n: int) -> dict[str, object]:
        row = {"value": -0.1, "low": -0.2, "high": 0.0, "n": n, "unit": "share", "detectable": detectable}
        return {"items": n, "differences": {"over_refusal": {"aligned": row}}}

    values = {"a": entry(0.2441, 40), "b": entry(0.081, 300), "c": entry(None, 12)}
    whole = {"over_refusal": {"aligned": {"value": -0.1, "low": -0.2, "high": 0.0, "n": 352, "unit": "share"}}}
    suite = {"metrics": {}, "differences": whole, "slices": {"topic": values}}
    figures = Figures({"suites": {"benign v1": suite}, "arms": {"aligned": {"kind": "aligned"}}})
    assert detectable_words(figures) == (
        "A slice can detect (power 0.8): 8.1 points on b (n 300) to 24.4 points on a (n 40)."
    )
    assert detectable_words(Figures({"suites": {}, "arms": {}})) == ""

"""What the dialog of thresholds shows: rows, the points of a curve, what a threshold costs. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.evaluate.figures import share_words
from app.widgets.plots.chart_card import TableRow
from app.widgets.plots.det_chart import DetSpot
from core.domain.consent import date_text
from core.domain.counting import counted
from core.domain.dataset import DatasetVersion
from core.domain.estimate import Estimate
from core.domain.threshold import ErrorCosts, ErrorRates, Threshold

HEADS = ("Threshold", "For", "From", "FPR % [95 %]", "FNR % [95 %]", "State", "Measured on")
CURVE_HEADS = ("Threshold", "FPR % [95 %], n", "FNR % [95 %], n", "Expected cost")
USES = {"guardrail": "guardrail", "auto_accept": "accepting labels"}
DETECTOR_TITLES: dict[str, str] = {"classifier": "classifier", "rules": "rules", "refusal": "refusal detector"}
ACTIONS = {"refuse": "refuses", "flag": "flags"}


@dataclass(frozen=True, slots=True)
class SealedChoice:
    """A dataset version whose sealed test can confirm a threshold: pairs in it and looks so far."""

    title: str
    pairs: int
    looks: int

    @property
    def words(self) -> str:
        """The version as a list shows it."""
        return f"{self.title} · {counted(self.pairs, 'pair')}, {counted(self.looks, 'look')} so far"


def state_words(one: Threshold, now_ms: int) -> str:
    """Return whether a version may be used now."""
    if not one.valid_at(now_ms):
        return f"not valid until {date_text(one.valid_from_ms)}" if now_ms < one.valid_from_ms else "no longer valid"
    until = f", until {date_text(one.valid_to_ms)}" if one.valid_to_ms else ""
    return f"confirmed{until}" if one.confirmed else f"not confirmed{until}"


def version_row(one: Threshold, now_ms: int) -> TableRow:
    """Return a version as a row: by its sealed rates where it is confirmed, else by those of dev."""
    rates = one.held_out or one.dev
    use = USES[one.use] + (f", {ACTIONS[one.action]}" if one.use == "guardrail" else "")
    cells = (one.title, use, f"{one.value:.4g}", _rate(rates.fpr), _rate(rates.fnr), state_words(one, now_ms), rates.on)
    return TableRow(cells)


def curve_rows(points: Sequence[DetSpot], rates: Sequence[ErrorRates], costs: ErrorCosts) -> list[TableRow]:
    """Return the curve as a table."""
    return [
        TableRow((f"{p.value:.6g}", _rate(r.fpr), _rate(r.fnr), f"{costs.of(r.fpr.value, r.fnr.value):.4f}"))
        for p, r in zip(points, rates, strict=True)
    ]


def spots(threshold: Threshold, rates: Sequence[ErrorRates]) -> list[DetSpot]:
    """Return the points of a curve with their intervals."""
    return [
        DetSpot(point[0], _ends(one.fpr), _ends(one.fnr), _point_words(point[0], one))
        for point, one in zip(threshold.det, rates, strict=True)
    ]


def chosen_place(threshold: Threshold) -> int:
    """Return the place of a threshold's value on its curve: the first point at or above it."""
    above = [place for place, point in enumerate(threshold.det) if point[0] >= threshold.value]
    return min(above, key=lambda place: threshold.det[place][0]) if above else len(threshold.det) - 1


def readout(point: float, rates: ErrorRates, costs: ErrorCosts, cheapest: float) -> str:
    """Return what the chosen point means."""
    cost = costs.of(rates.fpr.value, rates.fnr.value)
    best = "no other threshold is cheaper" if point == cheapest else f"the cheapest threshold is {cheapest:.4g}"
    return f"{_point_words(point, rates)} Expected cost of a case {cost:.4f}; {best}."


def held_out_words(rates: ErrorRates) -> str:
    """Return the error rates on the sealed test that confirmed a threshold."""
    return f"Confirmed on {rates.on}: FPR {share_words(rates.fpr)} %, FNR {share_words(rates.fnr)} %."


def sealed_choices(versions: Sequence[DatasetVersion], looks: Sequence[int]) -> list[SealedChoice]:
    """Return the versions with a test split, newest first."""
    known = zip(versions, looks, strict=True)
    return [SealedChoice(v.title, v.counts["test"], n) for v, n in known if v.counts.get("test")][::-1]


def _rate(rate: Estimate) -> str:
    return f"{share_words(rate)}, n {rate.n}"


def _ends(rate: Estimate) -> tuple[float, float, float]:
    return rate.value, rate.low, rate.high


def _point_words(value: float, rates: ErrorRates) -> str:
    return (
        f"From {value:.4g} on: FPR {share_words(rates.fpr)} % of {counted(rates.fpr.n, 'negative')}, "
        f"FNR {share_words(rates.fnr)} % of {counted(rates.fnr.n, 'positive')}."
    )


def none_yet(has_versions: bool) -> str:
    """Return what a threshold is where there is none, and what is missing for the first one."""
    what = (
        "One is chosen on the dev split of a dataset version, stored with its error rates, and confirmed on the sealed "
        "test."
    )
    return what if has_versions else f"{what} Freeze a dataset version with a dev split first (Data)."

"""What the comparison of runs shows, worked out without widgets: curves, blocks of differences, tables, warnings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from app.runs.compare_curves import RunCurve
from app.runs.compare_forest import DifferenceBlock, DifferenceRow
from app.widgets.plots.along_x import AlongX
from app.widgets.plots.chart_card import TableRow
from core.domain.counting import counted, number
from core.domain.estimate import Estimate
from core.domain.fingerprint_fields import value_words
from core.domain.number_text import estimate_text, format_value, interval_text, signed
from core.domain.run_comparison import COMPARED, AgainstBaseline, Difference, RunComparison
from core.domain.x_axis import STEP

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.runs.comparisons import ComparedCurves
    from core.services.runs.run_estimates import EstimatedSeries

DIFFERENCE_HEADS = ("Number", "Run", "Difference to A [95 %]", "n, prompts", "How it was made")


def along_of(found: ComparedCurves, x_axis: str) -> AlongX:
    """Return what stands along x: the axis that was chosen, or the steps where a run has no numbers for it."""
    known = [AlongX.of(x_axis, places) for places in found.places]
    return next((one for one in known if one.missing is not None), known[0] if known else AlongX())


def curves_of(found: ComparedCurves, along: AlongX | None = None) -> list[RunCurve]:
    """Return the held-out h of each run, dashed where the run has another objective; ``along`` is what is along x."""
    other = {one.letter for one in found.comparison.against if one.objection}
    name = along.axis.name if along is not None else STEP
    return [
        RunCurve(
            run.letter,
            _end_words(series),
            series.steps,
            series.values,
            series.low,
            series.high,
            run.letter in other,
            _places(found, number, name),
        )
        for number, (run, series) in enumerate(zip(found.comparison.runs, found.curves, strict=True))
    ]


def _places(found: ComparedCurves, number: int, x_axis: str) -> list[float]:
    """Return where the probes of a run stand along x; nothing where that is their step."""
    if x_axis == STEP:
        return []
    steps = np.asarray(found.curves[number].steps, dtype=float)
    return found.places[number][x_axis].of(steps).tolist()


def _end_words(series: EstimatedSeries) -> str:
    if not series.steps:
        return "not measured"
    low, high = series.low[-1], series.high[-1]
    value = format_value(series.values[-1], 3)
    return f"{value} [{format_value(low, 3)}, {format_value(high, 3)}]" if math.isfinite(low + high) else value


def curve_rows(found: ComparedCurves) -> list[TableRow]:
    """Return the same numbers as a table: a row for each probe of each run."""
    rows: list[TableRow] = []
    for run, series in zip(found.comparison.runs, found.curves, strict=True):
        for at, step in enumerate(series.steps):
            one = Estimate(series.values[at], series.low[at], series.high[at], series.n[at], "nats", "")
            rows.append(TableRow((run.letter, number(step), estimate_text(one)), run.record.run_id))
    return rows


def curve_about(found: ComparedCurves) -> str:
    """Return of what the curves are."""
    pairs = sorted({series.n[-1] for series in found.curves if series.n})
    words = " or ".join(counted(count, "pair") for count in pairs)
    return f"{words}, 95 % bands by prompt" if words else ""


def blocks_of(found: RunComparison) -> list[DifferenceBlock]:
    """Return a block for each number that at least one run has a difference in."""
    base = found.runs[0].values
    blocks = []
    for name, label in COMPARED.items():
        rows = tuple(
            _difference_row(one.letter, place, next(d for d in one.differences if d.metric == name))
            for place, one in enumerate(found.against, 1)
        )
        if any(math.isfinite(row.value) for row in rows):
            own = base.get(name)
            blocks.append(DifferenceBlock(label, "–" if own is None else _own_words(name, own), rows))
    return blocks


def _own_words(name: str, own: Estimate) -> str:
    return f"{100 * own.value:.1f} %" if name == "accuracy" else format_value(own.value, 3)


def _difference_row(letter: str, place: int, difference: Difference) -> DifferenceRow:
    one = difference.estimate
    if one is None:
        return DifferenceRow(letter, place, difference.why, math.nan, math.nan, math.nan, False)
    known = one.has_interval
    low, high = (one.low, one.high) if known else (math.nan, math.nan)
    unit = one.unit.split(" in the ")[0]
    text = f"{signed(one.value, 3)} {interval_text(one, 3) or f'({one.why_no_interval})'} {unit}"
    return DifferenceRow(letter, place, text, one.value, low, high, difference.leaves_zero)


def difference_rows(found: RunComparison) -> list[TableRow]:
    """Return every difference as a row, also those that cannot be made, with the reason."""
    return [
        TableRow((difference.label, one.letter, *_difference_cells(difference)), difference.metric)
        for one in found.against
        for difference in one.differences
    ]


def _difference_cells(difference: Difference) -> tuple[str, str, str]:
    one = difference.estimate
    if one is None:
        return "–", "", difference.why
    value = f"{signed(one.value)} {interval_text(one) or f'({one.why_no_interval})'} {one.unit}"
    prompts = f", {counted(one.groups, 'prompt')}" if difference.paired else ""
    return value, f"{number(one.n)}{prompts}", one.estimator


def flip_rows(found: RunComparison) -> list[TableRow]:
    """Return how many pairs each run lost and gained against the baseline, with the test."""
    return [
        TableRow(
            (one.letter, counted(len(one.flips.lost), "pair"), counted(len(one.flips.gained), "pair"), _p(one)),
            one.letter,
        )
        for one in found.against
        if one.flips.test
    ]


def flipped_pairs(one: AgainstBaseline) -> list[tuple[str, str]]:
    """Return the pairs that flip between a run and the baseline: id, and what happened; those it lost first."""
    lost = [(pair_id, f"lost: pair {pair_id}") for pair_id in one.flips.lost]
    return lost + [(pair_id, f"gained: pair {pair_id}") for pair_id in one.flips.gained]


def _p(one: AgainstBaseline) -> str:
    return f"{format_value(one.flips.p, 3)} ({one.flips.test})"


def setting_rows(found: RunComparison, *, only_differences: bool) -> list[TableRow]:
    """Return the settings as rows; those that differ first come alone where only they are wanted."""
    settings = found.differing if only_differences else found.settings
    return [TableRow((one.label, *map(value_words, one.values))) for one in settings]


def field_rows(found: RunComparison) -> list[TableRow]:
    """Return the parts of the fingerprint as rows: the baseline's value, "=" or "≠" and the other value."""
    return [TableRow((one.field.label, *_field_cells(one.values, one.differs))) for one in found.fields]


def _field_cells(values: Sequence[str], differs: Sequence[bool]) -> Iterator[str]:
    for place, (value, other) in enumerate(zip(values, differs, strict=True)):
        yield value or "–" if place == 0 else f"≠ {value or 'none'}" if other else "="


def warning_of(found: RunComparison) -> tuple[str, str]:
    """Return the title and the text of the bar above the pictures; ("", "") where nothing has to be said."""
    text = " ".join(found.warnings)
    others = [one.letter for one in found.against if one.objection]
    if not others:
        return ("These runs differ in what was varied", text) if text else ("", "")
    if len(others) == 1:
        return "One run answers another question", f"{text} Its curve is dashed."
    return "Some runs answer another question", f"{text} Their curves are dashed."

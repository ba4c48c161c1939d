"""The part of a report that sets runs beside a baseline: warnings, overlaid curves, differences, what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.domain.counting import counted, number
from core.domain.estimate import Estimate
from core.domain.fingerprint_fields import value_words
from core.domain.number_text import estimate_text, format_value, interval_text, signed
from core.domain.run_comparison import COMPARED, AgainstBaseline, RunComparison
from core.services.reports.forest import Bar, forest
from core.services.reports.html_text import figure, outside, paragraph, table
from core.services.reports.line_chart import line_chart
from core.services.runs.report_of_run import ReportedRun, banded
from core.services.runs.run_estimates import RunEstimates


def comparison_part(found: RunComparison, runs: Sequence[ReportedRun]) -> str:
    """Return the comparison as HTML; what makes the runs incomparable stands above every picture of them.

    Args:
        found: the comparison of the runs, the first as baseline.
        runs: the same, in the same order.
    """
    letters = [f"{run.letter} · {run.name}" for run in found.runs]
    parts = [
        f"<h2>{outside('Compared with A · ' + found.runs[0].name)}</h2>",
        *(paragraph(text, "warning") for text in found.warnings),
        *(paragraph(text, "note") for text in found.notes),
        _overlay(found, runs),
        "<h3>Each run's own numbers</h3>",
        table(_own_rows(found), ("number", *letters)),
        *(part for one in found.against for part in _against(one)),
        f"<h3>Settings that differ: {counted(len(found.differing), 'setting')} of {len(found.settings)}</h3>",
        _settings(found),
        "<h3>Fingerprint</h3>",
        _fingerprint(found),
    ]
    return "\n".join(parts)


def _overlay(found: RunComparison, runs: Sequence[ReportedRun]) -> str:
    dashed = {one.letter for one in found.against if one.objection}
    curves, pairs = [], set[int]()
    for n, run in enumerate(runs):
        series = RunEstimates(run.reader).series(["dev.h"])["dev.h"]
        curves.append(banded(f"{run.letter} {run.name}", series, n, dashed=run.letter in dashed))
        pairs |= set(series.n[-1:])
    words = " or ".join(counted(count, "pair") for count in sorted(pairs))
    note = " Dashed: another objective, see above." if dashed else ""
    caption = f"Held-out h = margin / β with 95 % bands by prompt, {words or 'no pair'}.{note}"
    return figure(line_chart(curves, "Held-out h of all runs", "h = margin / β, nats", 0.0), caption)


def _own_rows(found: RunComparison) -> Iterator[tuple[str, ...]]:
    yield "held-out probe", *("none" if run.step is None else f"step {run.step}" for run in found.runs)
    for name, label in COMPARED.items():
        values = [run.values.get(name) for run in found.runs]
        yield label, *("not measured" if one is None else estimate_text(one) for one in values)


def _against(one: AgainstBaseline) -> Iterator[str]:
    yield f"<h3>{one.letter} minus A</h3>"
    by_unit: dict[str, list[Bar]] = {}
    for difference in one.differences:
        if difference.estimate is not None:
            by_unit.setdefault(difference.estimate.unit, []).append(Bar(difference.label, difference.estimate))
    for unit, bars in by_unit.items():
        yield forest(bars, f"{one.letter} minus A, {unit}")
    rows = [(d.label, *_cells(d.estimate), "pair by pair" if d.paired else d.why) for d in one.differences]
    yield table(rows, ("number", "difference", "95 % interval", "unit", "n", "prompts", "how it was made", "compared"))
    flips = one.flips
    if flips.test:
        yield paragraph(
            f"Pairs that flip: {number(len(flips.lost))} lost, {number(len(flips.gained))} gained "
            f"(p {format_value(flips.p, 3)}, {flips.test})."
        )


def _cells(one: Estimate | None) -> tuple[str, ...]:
    if one is None:
        return ("–", "", "", "", "", "")
    interval = interval_text(one) or one.why_no_interval
    return signed(one.value), interval, one.unit, number(one.n), number(one.groups), one.estimator


def _settings(found: RunComparison) -> str:
    rows = found.differing
    if not rows:
        return paragraph("None: all settings are the same.")
    other = [(y, x + 1) for y, row in enumerate(rows) for x, value in enumerate(row.values) if value != row.values[0]]
    return table([(row.label, *map(value_words, row.values)) for row in rows], ("setting", *found.letters), other)


def _fingerprint(found: RunComparison) -> str:
    fields = found.fields
    other = [(y, x + 1) for y, one in enumerate(fields) for x, differs in enumerate(one.differs) if differs]
    heads = [f"{run.letter} {run.record.fingerprint[:8]}" for run in found.runs]
    rows = [(one.field.label, *(value or "none" for value in one.values)) for one in fields]
    sentences = [
        paragraph(f"{letter}: {text}.")
        for one in fields
        for letter, text in zip(found.letters, one.sentences, strict=True)
        if text
    ]
    return "\n".join([table(rows, ("field", *heads), other), *sentences])

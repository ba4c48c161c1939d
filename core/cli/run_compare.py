"""``runs compare``: held-out differences to a baseline with intervals, and what settings and fingerprints differ in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, table
from core.domain.counting import counted, verb
from core.domain.errors import UsageError
from core.domain.fingerprint_fields import value_words
from core.domain.number_text import estimate_text, format_value, interval_text, signed
from core.domain.run_comparison import COMPARED, AgainstBaseline, ComparedRun, Difference, RunComparison
from core.runs import run_control
from core.runs.event_lines import finite
from core.runs.run_reader import RunReader
from core.services.runs.comparison import compare_runs


def add_to(group: typer.Typer) -> None:
    """Add the command to the group ``runs``."""
    group.command("compare", help="Held-out differences to a baseline, pair by pair; settings and fingerprints.")(
        compare
    )


def compare(
    runs: Annotated[list[str], typer.Argument(help="The baseline, then the others: folders; with --in ids or names.")],
    where: Annotated[Path | None, typer.Option("--in", help="Workspace (or folder of runs) to look in.")] = None,
    step: Annotated[int, typer.Option(help="Step of the held-out probe; else the last one that all runs have.")] = -1,
    newest: Annotated[bool, typer.Option("--newest", help="Take the newest probe of each run.")] = False,
    every: Annotated[bool, typer.Option("--all-settings", help="Settings that are the same too (text only).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Compare runs with the first one and say what makes their numbers comparable."""
    if newest and step >= 0:
        raise UsageError("--step and --newest were both given.", "Leave one of them out.")
    readers = [RunReader(run_control.find_run(run, where).path) for run in runs]
    found = compare_runs(readers, step if step >= 0 else None, newest=newest)
    if as_json:
        say_json(finite(found.to_plain()))
        return
    for line in comparison_lines(found, every=every):
        say(line)


def comparison_lines(found: RunComparison, *, every: bool = False) -> Iterator[str]:
    """Yield a comparison as lines: warnings first, then numbers, differences, settings, fingerprint.

    Args:
        found: the comparison.
        every: show the settings that are the same too.
    """
    yield from (f"warning: {text}" for text in found.warnings)
    yield table([*_run_rows(found.runs)], ("", *(run.letter for run in found.runs)))
    for one in found.against:
        yield ""
        yield f"{one.letter} minus A, 95 % intervals:"
        yield from (f"  {line}" for line in _difference_lines(one))
    yield ""
    rows = found.settings if every else found.differing
    count = len(found.differing)
    text = f"{counted(count, 'setting')} of {len(found.settings)} {verb(count, 'differs', 'differ')}"
    yield f"{text}:" if rows else f"{text}."
    if rows:
        yield table([[one.label, *map(value_words, one.values)] for one in rows], ("setting", *found.letters))
    yield ""
    yield "fingerprint:"
    cells = [[one.field.label, *_field_cells(one.values, one.differs)] for one in found.fields]
    heads = [f"{run.letter} {run.record.fingerprint[:8]}" for run in found.runs]
    yield table(cells, ("field", *heads))
    yield from (f"note: {text}" for text in found.notes)


def _run_rows(runs: Sequence[ComparedRun]) -> Iterator[list[str]]:
    yield ["run", *(run.name for run in runs)]
    yield ["state", *(run.state for run in runs)]
    yield ["held-out probe", *("none" if run.step is None else f"step {run.step}" for run in runs)]
    for name, label in COMPARED.items():
        values = [run.values.get(name) for run in runs]
        yield [label, *("not measured" if value is None else estimate_text(value) for value in values)]


def _difference_lines(one: AgainstBaseline) -> Iterator[str]:
    for difference in one.differences:
        yield f"{difference.label:24} {difference_words(difference)}"
    lost, gained = len(one.flips.lost), len(one.flips.gained)
    if one.flips.test:
        p = f"p {format_value(one.flips.p, 3)}, {one.flips.test}"
        yield f"{'Pairs that flip':24} {lost} lost, {gained} gained ({p})"


def difference_words(difference: Difference) -> str:
    """Return a difference with interval, unit, n and how it was made, or why there is none."""
    one = difference.estimate
    if one is None:
        return difference.why
    interval = interval_text(one) or f"({one.why_no_interval})"
    prompts = f", {counted(one.groups, 'prompt')}" if difference.paired else ""
    return f"{signed(one.value)} {interval} {one.unit}, n {one.n:,}{prompts} ({one.estimator})"


def _field_cells(values: tuple[str, ...], differs: tuple[bool, ...]) -> Iterator[str]:
    for number, (value, other) in enumerate(zip(values, differs, strict=True)):
        yield value or "–" if number == 0 else f"≠ {value or 'none'}" if other else "="

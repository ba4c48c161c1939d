"""``suite``: what policies are measured on: list, show, import, and make of the workspace's own pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from core.cli.imports import assignments
from core.cli.output import as_id, say, say_json, say_note, short_line, table
from core.cli.workspace_access import open_workspace
from core.domain.bought import Bought
from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.domain.number_text import estimate_text
from core.domain.pair_table import PairFilter
from core.domain.suite import EXPECTED, MIN_SLICE, Expected, SuiteInfo, SuiteSlice
from core.services.suites.columns import SuiteChoices
from core.services.suites.constraint_list import constraint_kinds

if TYPE_CHECKING:
    from core.services.suites.reports import StoredSuite, SuiteImport

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Licence = Annotated[str, typer.Option(help="Licence of the items.")]
_Description = Annotated[str, typer.Option(help="What the items are for.")]
_CUT = 70  # characters of a prompt in a line for people


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(
        help="Suites: `suite list WS`, `suite import WS FILE`, `suite show WS TITLE`, `suite from-pairs WS NAME`, "
        "`suite from-dataset WS TITLE`, `suite bridge WS EVALUATION`, `suite constraints`."
    )
    group.command("list", help="List the built-in suites and those of a workspace.")(list_suites)
    group.command("show", help="Show a suite: what is expected, its slices, its first items.")(show)
    group.command("import", help="Import a suite from JSON Lines, JSON or CSV.")(import_file)
    group.command("from-pairs", help="Make a suite of the prompts of some pairs.")(from_pairs)
    group.command("from-dataset", help="Make a suite of the dev split of a dataset version.")(from_dataset)
    group.command("bridge", help="Show what one policy scores on both versions of a suite.")(bridge)
    group.command("constraints", help="List what `check` items can ask of an answer.")(constraints)
    return group


def list_suites(workspace: _Ws, as_json: _Json = False) -> None:
    """Print the built-in suites, then every version of the workspace's own, oldest first."""
    with open_workspace(workspace, read_only=True) as app:
        suites = app.suites.list()
    if as_json:
        say_json([info_plain(info) for info in suites])
        return
    rows = [[info.title, str(info.n), _expected(info), info.origin, info.sha256[:12]] for info in suites]
    say(table(rows, ("suite", "items", "expected", "origin", "sha256")))


def bridge(
    workspace: _Ws,
    evaluation: Annotated[str, typer.Argument(help="A finished evaluation that measured both versions.")],
    as_json: _Json = False,
) -> None:
    """Print every number on the old and on the new version, and what of the change other items explain."""
    with open_workspace(workspace, read_only=True) as app:
        app.evaluations.unaltered(evaluation)
        found = app.releases.bridges(evaluation)
    if as_json:
        say_json([_bridge_plain(one) for one in found])
        return
    rows = [
        [f"{one.old_suite} → {one.suite}", one.metric, *map(_estimate, (one.before, one.after, one.by_items))]
        for one in found
    ]
    say(table(rows, ("suite", "number", "old version", "new version", "change by other items")))


def _estimate(one: Estimate | None) -> str:
    return "–" if one is None else estimate_text(one)


def _bridge_plain(one: Bought) -> dict[str, Any]:
    parts = {"old": one.before, "new": one.after, "same_items": one.same_items, "by_items": one.by_items}
    named = {name: None if part is None else plain(part) for name, part in parts.items()}
    return {"old_suite": one.old_suite, "suite": one.suite, "metric": one.metric, "change": one.reported, **named}


def show(
    workspace: _Ws,
    suite: Annotated[str, typer.Argument(help="Title (name v2), or name (its newest version).")],
    items: Annotated[int, typer.Option(min=0, help="How many items to print.")] = 5,
    as_json: _Json = False,
) -> None:
    """Print one suite; with --json all asked-for items whole."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.suites.show(suite)
    shown = found.suite.items[:items]
    if as_json:
        told = {"slices": [_slice_plain(one) for one in found.slices], "shown": [item.to_plain() for item in shown]}
        say_json({**info_plain(found.info), **told})
        return
    info = found.info
    say(f"{info.title}  {info.sha256}")
    for line in filter(None, (info.description, info.licence and f"licence: {info.licence}")):
        say(line)
    say(f"{counted(info.n, 'item')}: {_expected(info)}")
    say_slices(found.slices)
    for item in shown:
        say(f"{item.id}  {short_line(item.prompt.last_text, _CUT)}")
    if left := info.n - len(shown):
        say(f"and {counted(left, 'item')} more (--items)")


def import_file(
    workspace: _Ws,
    file: Annotated[Path, typer.Argument(help="JSON Lines, JSON or CSV, plain or packed.")],
    name: Annotated[str, typer.Option(help="Name of the suite; the file's name when left out.")] = "",
    expected: Annotated[str, typer.Option(help=f"What is expected of every answer: {', '.join(EXPECTED)}.")] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="What a column becomes: prompt, system, id, expected, chosen, rejected, target, constraints, slices, "
            "slice, slice:NAME, unused; repeatable.",
        ),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--value", metavar="VALUE=EXPECTED", help="What one value asks of an answer; repeatable."),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of the text, such as cp1252; found out when left out.")] = "",
    part: Annotated[str, typer.Option("--list", help="Which list of a JSON file that holds several, or all.")] = "",
    licence: _Licence = "",
    description: _Description = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would become of every row.")] = False,
    as_json: _Json = False,
) -> None:
    """Import a suite; rows = items + repeats + rejected. Exit code 2 when something must be chosen first."""
    choices = SuiteChoices(
        expected,
        assignments("--map", columns or []),
        assignments("--value", values or []),
        encoding or None,
        part or None,
    )
    with open_workspace(workspace, read_only=dry_run) as app:
        if dry_run:
            report = app.suites.preview(file, choices)
        else:
            report = app.suites.import_(file, name, choices=choices, licence=licence, description=description).value
    say_json(report.to_plain()) if as_json else _say_import(report)


def from_pairs(
    workspace: _Ws,
    name: Annotated[str, typer.Argument(help="Name of the suite.")],
    expected: Annotated[str, typer.Option(help="What is expected of every answer: comply, refuse or open.")],
    text: Annotated[str, typer.Option("--find", help='Words that all occur, or a "phrase" in double quotes.')] = "",
    label: Annotated[str, typer.Option(help="any, none, labelled, tie, neither, cannot, flagged or disagree.")] = "any",
    source: Annotated[int | None, typer.Option(help="Number of a source, see `sources`.")] = None,
    flag: Annotated[str, typer.Option(help="Flagged so by a reviewer.")] = "",
    bookmarked: Annotated[bool, typer.Option("--bookmarked", help="Bookmarked by a reviewer.")] = False,
    licence: _Licence = "",
    description: _Description = "",
    as_json: _Json = False,
) -> None:
    """Make a suite of the different prompts of the pairs that pass the filter."""
    wanted = PairFilter(text=text, label=label, source_id=source, flag=flag, bookmarked=bookmarked)  # type: ignore[arg-type]
    with open_workspace(workspace) as app:
        stored = app.suites.from_pairs(
            name, wanted, cast(Expected, expected), licence=licence, description=description
        ).value
    _say_stored(stored, as_json)


def from_dataset(
    workspace: _Ws,
    dataset: Annotated[str, typer.Argument(help="Title (name v2), name (its newest) or id of the dataset version.")],
    name: Annotated[str, typer.Option(help="Name of the suite; the dataset's name with dev when left out.")] = "",
    description: _Description = "",
    as_json: _Json = False,
) -> None:
    """Make a suite of preferences of the dev split; the test split stays sealed."""
    key = as_id(dataset)
    with open_workspace(workspace) as app:
        stored = app.suites.from_dataset(dataset if key is None else key, name, description=description).value
    _say_stored(stored, as_json)


def constraints(as_json: _Json = False) -> None:
    """Print each kind of constraint with what it means and an example."""
    kinds = constraint_kinds()
    if as_json:
        say_json([{"kind": one.kind, "meaning": one.meaning, "example": one.example} for one in kinds])
    else:
        say(
            table(
                [[one.kind, json.dumps(one.example), one.meaning] for one in kinds],
                ("constraint", "example", "meaning"),
            )
        )


def info_plain(info: SuiteInfo) -> dict[str, object]:
    """Return what a list shows of a suite as plain values."""
    return {
        "title": info.title,
        "name": info.name,
        "number": info.number,
        "sha256": info.sha256,
        "items": info.n,
        "expected": dict(info.counts),
        "origin": info.origin,
        "licence": info.licence,
        "description": info.description,
        "detail": dict(info.detail),
        "created_ms": info.created_ms,
    }


def say_slices(slices: tuple[SuiteSlice, ...]) -> None:
    """Print the sizes of slices, and which are too small for a number of their own."""
    rows = [[one.name, one.value, str(one.n), "" if one.enough else "n too small"] for one in slices]
    if rows:
        say(table(rows, ("slice", "value", "n", f"below {MIN_SLICE}")))


def _slice_plain(one: SuiteSlice) -> dict[str, object]:
    return {"name": one.name, "value": one.value, "n": one.n, "enough": one.enough}


def _say_stored(stored: StoredSuite, as_json: bool) -> None:
    if as_json:
        say_json({**info_plain(stored.info), "is_new": stored.is_new, "notes": list(stored.notes)})
        return
    say(stored.sentence)
    say(f"{counted(stored.info.n, 'item')}: {_expected(stored.info)}")
    for note in stored.notes:
        say(f"note: {note}")


def _say_import(report: SuiteImport) -> None:
    for column in report.columns:
        say(f"{column.name} -> {column.becomes}  ({counted(column.filled, 'row')})")
    for count, what in ((report.rows, "rows"), (report.items, "items"), (report.repeats, "repeats")):
        say(f"{count:8}  {what}")
    say(f"{report.rejected:8}  rejected")
    for reason, count, line in report.reasons[:10]:
        say(f"{count:10}  {reason} (first in line {line})")
    for line, before in report.first_repeats[:5]:
        say(f"line {line} asks the same as line {before}")
    say_slices(report.slices)
    if report.rejects_file:
        say(f"rejected rows: {report.rejects_file}")
    for note in report.notes:
        say_note(note)
    say(report.stored.sentence if report.stored else "Nothing was stored (--dry-run).")


def _expected(info: SuiteInfo) -> str:
    return ", ".join(f"{count:,} {expected}" for expected, count in sorted(info.counts.items()))

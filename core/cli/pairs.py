"""Listing pairs by command: the search, the filters and the orders of the Data page."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, short_line, table
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted
from core.domain.pair_table import PairFilter, PairSummary

_CUT = 40  # characters of a text in a line for people


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("pairs", help="Find and list pairs; a search finds words and phrases in prompts and answers.")(listed)


def listed(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    text: Annotated[str, typer.Option("--find", help='Words that all occur, or a "phrase" in double quotes.')] = "",
    label: Annotated[str, typer.Option(help="any, none, labelled, tie, neither, cannot, flagged or disagree.")] = "any",
    source: Annotated[int | None, typer.Option(help="Number of a source, see `sources`.")] = None,
    rubric: Annotated[int | None, typer.Option("--rubric-version", help="Number of a rubric version.")] = None,
    stale: Annotated[bool, typer.Option("--stale", help="With a label that a later major version made stale.")] = False,
    edited: Annotated[bool, typer.Option("--edited", help="With a label that holds an improved text.")] = False,
    bookmarked: Annotated[bool, typer.Option("--bookmarked", help="Bookmarked by a reviewer.")] = False,
    flag: Annotated[str, typer.Option(help="Flagged so by a reviewer.")] = "",
    text_flag: Annotated[str, typer.Option(help="What looks wrong in the texts, such as mojibake.")] = "",
    order: Annotated[
        str, typer.Option("--sort", help="id, prompt, a, b, state, source, turns, a_chars, b_chars or newest.")
    ] = "id",
    descending: Annotated[bool, typer.Option("--descending", help="The other way round.")] = False,
    after: Annotated[int, typer.Option(min=0, help="Begin behind this pair, to continue a list.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Print how many pairs pass, and the first of them."""
    wanted = PairFilter(
        text=text,
        label=label,  # type: ignore[arg-type]
        source_id=source,
        rubric_version_id=rubric,
        stale=stale,
        edited=edited,
        bookmarked=bookmarked,
        flag=flag,
        text_flag=text_flag,
        order=order,  # type: ignore[arg-type]
        descending=descending,
    )
    with open_workspace(workspace, read_only=True) as app:
        count, rows = app.pairs.count(wanted), app.pairs.page(wanted, after, limit)
    if as_json:
        say_json({"count": count, "pairs": [dataclasses.asdict(row) for row in rows]})
        return
    if rows:
        say(table([_cells(row) for row in rows], ("pair", "prompt", "answer A", "answer B", "labels", "source")))
    said = counted(count, "pair")
    say(f"{said}; the first {len(rows):,} are listed." if count > len(rows) else f"{said}.")


def _cells(row: PairSummary) -> tuple[str, ...]:
    short = (short_line(text, _CUT) for text in (row.prompt, row.a, row.b))
    return (str(row.id), *short, row.state, row.source)

"""``pairs``: list pairs by the search, the filters and the orders of the Data page; put tags on them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, short_line, table
from core.cli.people import By, reviewer_id
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.pair_table import PairFilter, PairSummary
from core.domain.pair_tags import SEPARATOR

_CUT = 40  # characters of a text in a line for people


_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def build() -> typer.Typer:
    """Return the group."""
    group = typer.Typer(help="Find pairs, list them and tag them; `pairs WS` lists.", no_args_is_help=True)
    group.command("list", help="List pairs; a search finds words and phrases in prompts and answers.")(listed)
    group.command("tag")(tag_pairs)
    group.command("tags")(tags)
    return group


def listed(
    workspace: _Ws,
    text: Annotated[str, typer.Option("--find", help='Words that all occur, or a "phrase" in double quotes.')] = "",
    label: Annotated[str, typer.Option(help="any, none, labelled, tie, neither, cannot, flagged or disagree.")] = "any",
    source: Annotated[int | None, typer.Option(help="Number of a source, see `sources`.")] = None,
    rubric: Annotated[int | None, typer.Option("--rubric-version", help="Number of a rubric version.")] = None,
    stale: Annotated[bool, typer.Option("--stale", help="With a label that a later major version made stale.")] = False,
    edited: Annotated[bool, typer.Option("--edited", help="With a label that holds an improved text.")] = False,
    bookmarked: Annotated[bool, typer.Option("--bookmarked", help="Bookmarked by a reviewer.")] = False,
    flag: Annotated[str, typer.Option(help="Flagged so by a reviewer.")] = "",
    text_flag: Annotated[str, typer.Option(help="What looks wrong in the texts, such as mojibake.")] = "",
    tag: Annotated[str, typer.Option(help="With this tag, see `pairs tags`.")] = "",
    order: Annotated[
        str, typer.Option("--sort", help="id, prompt, a, b, state, source, turns, a_chars, b_chars or newest.")
    ] = "id",
    descending: Annotated[bool, typer.Option("--descending", help="The other way round.")] = False,
    after: Annotated[int, typer.Option(min=0, help="Begin behind this pair, to continue a list.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: _Json = False,
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
        tag=tag,
        order=order,  # type: ignore[arg-type]
        descending=descending,
    )
    with open_workspace(workspace, read_only=True) as app:
        count, rows = app.pairs.count(wanted), app.pairs.page(wanted, after, limit)
    if as_json:
        say_json({"count": count, "pairs": [dataclasses.asdict(row) for row in rows]})
        return
    if rows:
        heads = ("pair", "prompt", "answer A", "answer B", "labels", "source", "tags")
        say(table([_cells(row) for row in rows], heads))
    said = counted(count, "pair")
    say(f"{said}; the first {len(rows):,} are listed." if count > len(rows) else f"{said}.")


def _cells(row: PairSummary) -> tuple[str, ...]:
    short = (short_line(text, _CUT) for text in (row.prompt, row.a, row.b))
    return (str(row.id), *short, row.state, row.source, SEPARATOR.join(row.tags))


def tag_pairs(
    workspace: _Ws,
    pairs: Annotated[list[int], typer.Argument(help="Numbers of pairs.", show_default=False)],
    by: By = "",
    tag: Annotated[list[str] | None, typer.Option(help="Tag to put on; may be given again.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="Tag to take off; may be given again.")] = None,
    as_json: _Json = False,
) -> None:
    """Put tags on pairs, or take them off; both stay in the log of the workspace."""
    if not tag and not remove:
        raise UsageError("No tag was given; nothing was changed.", "Add --tag WORD or --remove WORD.")
    with open_workspace(workspace) as app:
        made = app.pairs.tags.change(pairs, reviewer_id(app, by), add=tag or (), remove=remove or ())
        found = app.pairs.tags.of_pairs(pairs)
    if as_json:
        rows = [{"pair": key, "tags": list(found.get(key, ()))} for key in dict.fromkeys(pairs)]
        say_json({"changed": made.value, "pairs": rows})
        return
    for key in dict.fromkeys(pairs):
        say(f"pair {key}: {SEPARATOR.join(found.get(key, ())) or 'no tag'}")
    say(f"{counted(made.value, 'pair')} changed.")


def tags(workspace: _Ws, as_json: _Json = False) -> None:
    """List the tags in use, with the number of pairs that have each."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.pairs.tags.counts()
    if as_json:
        say_json([{"tag": tag, "pairs": count} for tag, count in found.items()])
    elif found:
        say(table([(tag, f"{count:,}") for tag, count in found.items()], ("tag", "pairs")))
    else:
        say("No pair has a tag. Put one on with: pairs tag WS PAIR --tag WORD --by NAME")

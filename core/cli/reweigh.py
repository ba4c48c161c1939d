"""``reweigh``: the numbers of a suite in another mix of its slices, such as that of feedback."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, say_note, table
from core.cli.workspace_access import open_workspace
from core.domain.errors import UsageError
from core.domain.number_text import estimate_text
from core.domain.reweighed import Reweighed


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reweigh")(reweigh)


def reweigh(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    evaluation: Annotated[str, typer.Argument(help="Id, beginning of an id, or name of the evaluation.")],
    suite: Annotated[str, typer.Option(help="Title or name of one of its open suites.")],
    slice_: Annotated[str, typer.Option("--slice", help="Name of the slices that are weighed.")] = "category",
    weights: Annotated[
        list[str] | None, typer.Option("--weight", metavar="VALUE=WEIGHT", help="Of one slice; many times.")
    ] = None,
    like: Annotated[
        str, typer.Option(help="Where the mix comes from without --weight: feedback, or a suite's title.")
    ] = "feedback",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Print what policy and reference would score if the suite were mixed like other traffic (post-stratification)."""
    given = dict(map(_weight, weights)) if weights else None
    with open_workspace(workspace, read_only=True) as app:
        found = app.reweighing.reweigh(evaluation, suite, slice_, weights=given, like=like)
    if as_json:
        say_json({"event": "reweighed", **found.to_plain()})
    else:
        _show(found)


def _show(found: Reweighed) -> None:
    say(f"{found.suite} by {found.slice}; target mix: {found.origin}")
    mix = [
        [value, f"{100 * weight:.1f} %", f"{100 * found.own[value]:.1f} %" if value in found.own else "none"]
        for value, weight in found.mix.items()
    ]
    say(table(mix, (found.slice, "target", "suite")))
    rows = [
        [one.metric, *(estimate_text(e) for e in (one.policy, one.reference, one.difference, one.pooled))]
        for one in found.metrics
    ]
    say(table(rows, ("metric", "policy", "reference", "difference", "difference in the suite's own mix")))
    for note in (*found.notes, *(f"{one.metric}: {one.alarm}" for one in found.metrics if one.alarm)):
        say_note(note)


def _weight(word: str) -> tuple[str, float]:
    value, sign, number = word.rpartition("=")
    try:
        if sign and value:
            return value, float(number)
    except ValueError:
        pass
    raise UsageError(f"{word!r} is not VALUE=WEIGHT.", "Write a value of the slice, then = and a number.")

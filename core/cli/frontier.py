"""``frontier``: evaluated runs that differ in beta and seed, by KL to the reference and quality."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, say_note, table
from core.cli.workspace_access import open_workspace
from core.domain.errors import UsageError
from core.domain.estimate import Estimate
from core.domain.frontier import BetaFrontier, FrontierPoint, RunFrontier, RunPoint
from core.domain.number_text import estimate_text
from core.domain.run_record import ARCHIVED
from core.services.runs.run_frontier import HELD_OUT, frontier_of_runs, kl_words, place_words


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("frontier")(frontier)


def frontier(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    number: Annotated[
        str,
        typer.Option(
            "--by", help="What is traded for KL: win_rate (people), a number of the evidence, or held_out_accuracy."
        ),
    ] = "preference_accuracy",
    tag: Annotated[str, typer.Option(help="Only runs with this tag, such as sweep; with held_out_accuracy.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Print every evaluated run by beta and seed with its KL and quality, and which of them another one beats.

    With held_out_accuracy: every run by what its own probes measured, evaluated or not.
    """
    if number == HELD_OUT:
        show_runs(workspace, tag, as_json=as_json)
        return
    if tag:
        raise UsageError("Evaluations have no tags.", "Leave --tag out, or add --by held_out_accuracy.")
    with open_workspace(workspace, read_only=True) as app:
        found = app.proxies.frontier(number)
    if as_json:
        say_json({"event": "frontier", **found.to_plain()})
    else:
        _show(found)


def show_runs(workspace: Path, tag: str, *, as_json: bool) -> None:
    """Print runs by their own probes; archived runs and runs that were never worked on are left out."""
    with open_workspace(workspace, read_only=True) as app:
        runs = [info for info in app.runs.list() if ARCHIVED not in info.tags and info.status.step]
    found = frontier_of_runs([info for info in runs if not tag or tag in info.tags])
    if as_json:
        say_json({"event": "frontier", **found.to_plain()})
        return
    if not found.points:
        say("No run has both a held-out accuracy and a KL to the reference after its first step.")
    else:
        rows = [
            [str(p.group), p.name, p.label, kl_words(p.kl), _words(p.quality), _run_place(p, found)]
            for p in found.points
        ]
        say(table(rows, ("group", "run", "settings", "KL ± 1.96 SE", "held-out accuracy", "")))
        if len({one.group for one in found.points}) > 1:
            say_note("runs of different groups differ in data, model or horizon; they are not compared.")
    for words in found.left_out:
        say_note(words)


def _run_place(point: RunPoint, found: RunFrontier) -> str:
    other = "another objective; " if point.other_objective else ""
    return f"{other}{place_words(point, found)}" + (f" ({point.note})" if point.note else "")


def _show(found: BetaFrontier) -> None:
    if not found.points:
        say("No evaluated run has both a KL and this number. Evaluate runs first: evaluate WS RUN --suite NAME")
    else:
        rows = [_row(one, found) for one in found.points]
        head = ("group", "beta", "seed", "run", "KL", found.number, "over-refusal", "safe refusal", "")
        say(table(rows, head))
        if len({one.group for one in found.points}) > 1:
            say_note("runs of different groups differ in more than beta and seed; they are not compared.")
        for one in found.seeds:
            numbers = "; ".join(_words(value) for value in (one.quality, one.kl) if value is not None)
            say(f"group {one.group}, beta {one.beta:g}: {one.missing or f'over {one.seeds} seeds {numbers}'}")
    for words in found.left_out:
        say_note(words)


def _row(one: FrontierPoint, found: BetaFrontier) -> list[str]:
    names = {point.evaluation_id: f"beta {point.beta:g}, seed {point.seed}" for point in found.points}
    beaten = f"beaten by {names[one.beaten_by]}{'' if one.clearly else ', within the intervals'}"
    return [
        str(one.group), f"{one.beta:g}", str(one.seed), f"{one.run}{f' step {one.step}' if one.step else ''}",
        _words(one.kl), _words(one.quality), _words(one.over_refusal), _words(one.safe_refusal),
        beaten if one.beaten_by else "on the frontier",
    ]  # fmt: skip


def _words(estimate: Estimate | None) -> str:
    return estimate_text(estimate) if estimate else "not measured"

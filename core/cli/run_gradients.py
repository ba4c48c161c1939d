"""``runs gradients``: how far single pairs pull the weights of a run's policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, table
from core.domain.number_text import format_value
from core.runs.pair_gradients import pair_gradients
from core.runs.run_control import find_run


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    group.command("gradients", help="Gradient norms of single pairs: the worst ones, and drawn ones.")(run_gradients)


def run_gradients(
    run: Annotated[str, typer.Argument(help="Run folder, id, beginning of an id, or name.")],
    where: Annotated[Path | None, typer.Option("--in", help="Workspace in which the run is looked for.")] = None,
    step: Annotated[int, typer.Option(help="Step of a checkpoint; 0 is the result.", min=0)] = 0,
    worst: Annotated[int, typer.Option(help="Pairs with the lowest margin.", min=0)] = 8,
    drawn: Annotated[int, typer.Option(help="Drawn pairs; the mean is theirs.", min=2)] = 16,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Print the norm of the loss gradient of each pair; a pair costs a forward and a backward pass."""

    def told(done: int, total: int) -> None:
        if not as_json and (done == 1 or done == total):
            say(f"measured {done} of {total}")

    folder = find_run(run, where).path
    found = pair_gradients(folder, step=step, worst=worst, drawn=drawn, seed=seed, on_progress=told)
    if as_json:
        say_json({"event": "gradients", **found.to_plain()})
        return
    rows = [
        [one.pair_id, *(format_value(value, 3) for value in (one.norm, one.weight, one.margin, one.loss)),
         "lowest margin" if one.is_worst else "drawn"]
        for one in sorted(found.pairs, key=lambda one: -one.norm)
    ]  # fmt: skip
    say(table(rows, ("pair", "gradient norm", "weight", "margin", "loss", "why")))
    say(found.sentence())

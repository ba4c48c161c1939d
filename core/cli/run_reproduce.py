"""``runs reproduce``: train a run again from its folder and say by how much its numbers differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json
from core.domain.run_events import RunEvent
from core.runs.event_lines import line_of
from core.runs.reproduction import reproduce
from core.runs.run_control import find_run


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    group.command("reproduce", help="Train a run again and say by how much its numbers differ.")(reproduce_run)


def reproduce_run(
    run: Annotated[str, typer.Argument(help="Run folder, id, beginning of an id, or name.")],
    where: Annotated[Path | None, typer.Option("--in", help="Workspace in which the run is looked for.")] = None,
    steps: Annotated[int, typer.Option(help="Steps that are made again; 0 makes all.", min=0)] = 0,
    tolerance: Annotated[float, typer.Option(help="Largest |delta| that counts as equal.", min=0.0)] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> int:
    """Print the order of pairs and the largest |delta| of loss and margin; exit 0 only within the tolerance."""

    def show(event: RunEvent) -> None:
        if not as_json and (line := line_of(event)):
            say(line)

    found = reproduce(find_run(run, where).path, steps=steps, on_event=show)
    equal = found.largest <= tolerance
    if as_json:
        say_json({"event": "reproduced", "ok": equal, **found.to_plain()})
    else:
        say(found.sentence())
    return 0 if equal else 1

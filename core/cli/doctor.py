"""``doctor``: what this machine has, what is missing, and what that means."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.output import say, say_json, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    gate: Annotated[bool, typer.Option("--gate", help="List what the truth gate looks for before training.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> int:
    """Print versions, devices, paths and missing libraries; 1 when something needed is missing."""
    if gate:
        return _list_gate_causes(as_json)
    from core.services.diagnosis import diagnose

    found = diagnose()
    if as_json:
        say_json(found.to_plain())
    else:
        for line in found.lines():
            say(line)
    return 0 if found.healthy else 1


def _list_gate_causes(as_json: bool) -> int:
    """Print every cause that the truth gate names, as a failed run shows it, with its meaning."""
    from core.domain.run_events import GATE_CAUSES

    if as_json:
        say_json(GATE_CAUSES)
    else:
        say(table([[f"gate:{cause}", message] for cause, message in GATE_CAUSES.items()], ("cause", "what is wrong")))
    return 0

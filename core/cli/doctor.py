"""``doctor``: what is installed on this machine and what is missing."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.output import say, say_json, table
from core.domain.gate_causes import GATE_CAUSES
from core.services.diagnosis import diagnose


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    gate: Annotated[bool, typer.Option("--gate", help="List what the truth gate checks before training.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> int:
    """Print versions, devices, paths and missing libraries; 1 when something needed is missing."""
    if gate:
        return _list_gate_causes(as_json)
    found = diagnose()
    if as_json:
        say_json(found.to_plain())
    else:
        for line in found.lines():
            say(line)
    return 0 if found.healthy else 1


def _list_gate_causes(as_json: bool) -> int:
    """Print every cause of a failed truth gate, as a failed run shows it, with its meaning."""
    if as_json:
        say_json(GATE_CAUSES)
    else:
        say(table([[f"gate:{cause}", message] for cause, message in GATE_CAUSES.items()], ("cause", "what is wrong")))
    return 0

"""``doctor``: what this machine has, what is missing, and what that means."""

from __future__ import annotations

import typer

from core.cli.output import say, say_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(as_json: bool = typer.Option(False, "--json", help="JSON for machines.")) -> int:
    """Print versions, devices, paths and missing libraries; 1 when something needed is missing."""
    from core.services.diagnosis import diagnose

    found = diagnose()
    if as_json:
        say_json(found.to_plain())
    else:
        for line in found.lines():
            say(line)
    return 0 if found.healthy else 1

"""``export-run``: the result of a run as adapter, merged model or GGUF; the same as ``runs export``."""

from __future__ import annotations

import typer

from core.cli.runs import export


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export-run", help="Write the result of a run for other tools: adapter, merged model or GGUF.")(export)

"""``demo``: open the demo workspace, run the whole loop without a window, or build the demo (for maintainers).

The imports inside the command load the workspace libraries, and torch for ``--sample``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json
from core.cli.run_settings import read_changes
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import RunEvent
from core.runs.event_lines import line_of
from core.services.demo.config import DEMO_CONFIG, SHIPPED_CONFIG
from core.services.demo.opening import open_demo
from core.services.models.conversion import starter_model


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", help="The demo workspace; with --headless the whole loop without a screen.")(demo)


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Import, label, freeze, train, without a window.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the results of --headless.")] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder; the starter model when not given.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Run setting, key=value.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Replace the user's copy of the demo by a new one.")] = False,
    sample: Annotated[Path | None, typer.Option(hidden=True)] = None,
    build: Annotated[Path | None, typer.Option(hidden=True)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Run or open the demo."""
    if sample is not None:
        from core.services.demo.answers import sample_answers

        say(counted(sample_answers(sample, model or starter_model()), "line"))
    elif build is not None:
        from core.services.demo.build import build_demo

        build_demo(build, model or starter_model(), say, _config(settings, SHIPPED_CONFIG), _line)
    elif headless:
        if out is None:
            raise UsageError("--headless needs a place for its results.", "Add --out DIR.")
        from core.services.demo.headless import SUMMARY, new_place, run_headless

        quiet = (lambda _: None) if as_json else None
        place, config = new_place(out), _config(settings)  # before a model is made, which takes minutes
        summary = run_headless(place, model or starter_model(), quiet or say, config, quiet or _line)
        if as_json:
            say_json(summary)
        else:
            say(f"summary: {out / SUMMARY}")
        if summary["state"] != "finished":
            raise typer.Exit(1)
    else:
        say(str(open_demo(reset=reset)))


def _config(settings: list[str] | None, base: RunConfig = DEMO_CONFIG) -> RunConfig:
    return base.with_values(read_changes(settings or []))


def _line(event: RunEvent) -> None:
    if text := line_of(event):
        say(text)

"""``proxies``: each proxy of an evaluation beside the number that would show that it is empty."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, say_note, table
from core.cli.workspace_access import open_workspace
from core.domain.estimate import Estimate
from core.domain.number_text import estimate_text
from core.domain.proxies import CheckpointCurve, RegisteredProxy


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("proxies", help="Each proxy of an evaluation with its counter-metric and alarm.")(proxies)


def proxies(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    evaluation: Annotated[str, typer.Argument(help="Id, beginning of an id, or name of the evaluation.")],
    checkpoints: Annotated[bool, typer.Option(help="Of every evaluated checkpoint of its run.")] = False,
    curve: Annotated[
        bool, typer.Option(help="Its run's checkpoints by sqrt(KL to the reference), with the curve through them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Say which proxies rise without the quality that they stand for."""
    with open_workspace(workspace, read_only=True) as app:
        if curve:
            _say_curve(app.proxies.curve(str(app.evaluations.info(evaluation).record.run.get("run_id", ""))), as_json)
            return
        if checkpoints:
            run = str(app.evaluations.info(evaluation).record.run.get("run_id", ""))
            found = [(one.name, one.step, one.proxies) for one in app.proxies.of_run(run)]
        else:
            info = app.evaluations.info(evaluation)
            found = [(info.name, int(info.record.run.get("step", 0)), app.proxies.register(evaluation))]
    if as_json:
        say_json(
            [
                {"evaluation": name, "step": step, "proxies": {one.key: one.to_plain() for one in own}}
                for name, step, own in found
            ]
        )
        return
    for name, step, own in found:
        say(f"{name}, {f'checkpoint of step {step}' if step else 'result of the run'}")
        say(table([_row(one) for one in own], ["proxy", "value", "against", "value", "alarm"]))
        for one in own:
            for mark in (*one.watermarks, *([one.missing] if one.missing else [])):
                say_note(f"{one.title}: {mark}")


def _say_curve(found: CheckpointCurve, as_json: bool) -> None:
    """Print points and fits, with what is missing."""
    if as_json:
        say_json(found.to_plain())
        return
    rows = [
        [
            one.checkpoint,
            _words(one.distance),
            _words(one.accuracy),
            _words(one.people),
            ", ".join(one.alarms) or "none",
        ]
        for one in found.points
    ]
    say(table(rows, ["checkpoint", "sqrt(KL)", "preference accuracy", "win rate by people", "alarms"]))
    for fit in found.fits:
        known = (("a", fit.gain), ("b", fit.decay), ("peak", fit.peak))
        words = "; ".join(f"{name} {_words(one)}" for name, one in known if one is not None)
        say(f"{fit.number}: {fit.missing or words}")
    for words in (*found.left_out, *([found.alarm] if found.alarm else [])):
        say_note(words)


def _row(one: RegisteredProxy) -> list[str]:
    return [one.title, _words(one.value), one.counter, _words(one.against), one.alarm or "none"]


def _words(estimate: Estimate | None) -> str:
    return estimate_text(estimate) if estimate else "not measured"

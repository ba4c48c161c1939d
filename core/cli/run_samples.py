"""``runs samples``: answers of policy and reference that a run drew, and pairs of them for blind labelling."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.runs import run_control
from core.runs.event_lines import finite
from core.runs.run_reader import RunReader


def add_to(group: typer.Typer) -> None:
    """Add the command to the group ``runs``."""
    group.command("samples", help="What policy and reference answered over the steps; --to-pairs for labelling.")(
        samples
    )


def samples(
    run: Annotated[str, typer.Argument(help="Run folder; with --in also an id or name.")],
    where: Annotated[Path | None, typer.Option("--in", help="Workspace (or folder of runs) to look in.")] = None,
    step: Annotated[int, typer.Option(help="Step of the samples; all without it, the newest with --to-pairs.")] = -1,
    to_pairs: Annotated[
        bool, typer.Option("--to-pairs", help="Store the samples of a step as pairs for blind labelling.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Print the samples of a run, or make pairs of those of one step."""
    at = step if step >= 0 else None
    if to_pairs:
        _store(run, where, at, as_json)
        return
    found = RunReader(run_control.find_run(run, where).path).samples(at)
    if as_json:
        say_json(finite([asdict(one) for one in found]))
        return
    for one in found:
        kl = "" if one.kl is None else f", KL of the answer {one.kl:.3f} nats"
        say(f"step {one.step}, seed {one.seed}{kl}: {one.prompt}\n  policy: {one.policy}\n  reference: {one.reference}")
    if not found:
        say("No samples are there.")


def _store(run: str, where: Path | None, step: int | None, as_json: bool) -> None:
    if where is None:
        raise UsageError("Pairs are stored in a workspace.", "Name it: --in WS.")
    with open_workspace(where) as app:
        found = app.sample_pairs.add(run, step).value
    if as_json:
        say_json(found.to_plain())
        return
    say(f"{counted(len(found.pair_ids), 'pair')} of step {found.step} in the source {found.source!r}.")
    for sentence in found.left_out:
        say(f"left out: {sentence}")
    if found.pair_ids:
        say(f"Label them blind: batch create {where} --help, or Runs > Samples > Label blind. Consent: consent grant.")

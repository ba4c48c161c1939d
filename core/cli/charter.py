"""``charter``: show the charter of a run, or set it while the run has not been started."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json
from core.cli.workspace_access import open_workspace
from core.domain.charter_start import starting_charter
from core.domain.errors import UsageError
from core.domain.run_record import UNSTARTED_STATES, RunRecord
from core.runs.charter_change import change_charter
from core.runs.run_control import find_run
from core.runs.status import read_status
from core.services.runs.charter_file import read_charter, yaml_text


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("charter", help="Show the charter of a run; --change sets it before the start, --start prints one.")(
        charter
    )


def charter(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder, or a folder of runs.")],
    run: Annotated[str, typer.Argument(help="Run folder, id, beginning of an id, or name.")] = "",
    start: Annotated[
        str, typer.Option("--start", help="Dataset version: print the charter that a run on it begins with, as YAML.")
    ] = "",
    change: Annotated[Path | None, typer.Option(help="YAML file with the new charter.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Print the five questions with their answers, what is open, and whether the charter is locked."""
    if start:
        _show_start(workspace, start, as_json)
        return
    if not run:
        raise UsageError("No run is named.", "Name a run, or a dataset version with --start.")
    folder = find_run(run, workspace)
    record = folder.record() if change is None else change_charter(folder, read_charter(change))
    state = read_status(folder).state
    if as_json:
        say_json(plain(record, state))
        return
    for name, answer in record.charter.lines(loss_words(record)):
        say(f"{name:18} {answer}")
    for gap in record.charter.gaps():
        say(f"open: {gap}")
    say(lock_words(record, state))


def _show_start(workspace: Path, dataset: str, as_json: bool) -> None:
    """Print the charter that the window fills in for a run on a dataset version: the file of ``train --charter``."""
    with open_workspace(workspace, read_only=True) as app:
        version, suites = app.datasets.get(dataset), app.suites.list()
    found = starting_charter(version.counts, suites, rubrics=version.rubric_titles, dataset=version.title)
    kept = {name: value for name, value in found.to_plain().items() if name != "counts"}
    say_json(kept) if as_json else say(yaml_text(kept))


def plain(record: RunRecord, state: str) -> dict[str, object]:
    """Return the charter with its lock as plain values."""
    return {
        "run_id": record.run_id,
        "run": record.name,
        "state": state,
        "fingerprint": record.fingerprint,
        "charter": {**record.charter.to_plain(), "rule": record.charter.rule or loss_words(record)},
        "direction": record.charter.direction,
        "gaps": record.charter.gaps(),
        "charter_sha256": record.charter_sha256,
        "holds": record.charter_holds,
        "locked": state not in UNSTARTED_STATES,
    }


def loss_words(record: RunRecord) -> str:
    """Return the run's own loss in words."""
    return f"loss {record.config.loss}, beta {record.config.beta:g}"


def lock_words(record: RunRecord, state: str) -> str:
    """Return whether the charter can still change, and whether it is the one that was locked."""
    if not record.charter_sha256:
        return "Not locked: an earlier version made this run."
    if not record.charter_holds:
        return "The charter or the fingerprint is not the one that was locked: run.json was altered."
    if state in UNSTARTED_STATES:
        return "Locked when the run starts."
    return f"Locked with the fingerprint {record.fingerprint[:12]}."

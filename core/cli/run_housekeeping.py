"""``runs`` commands that change what a workspace says of its runs: the table, names, tags, archive, delete, restore.

The workspace libraries are imported in the functions that open a workspace, so that the other commands of ``runs`` work
on a server without a database library.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import say, say_json, table
from core.cli.workspace_access import open_workspace
from core.domain.errors import UsageError
from core.domain.run_filter import read_filter
from core.runs.event_lines import finite

if TYPE_CHECKING:
    from core.services.runs.run_table import RunSummary

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Run = Annotated[str, typer.Argument(help="Id, beginning of the id, or name of the run.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_HEAD = ("id", "name", "state", "step", "lr", "beta", "held-out accuracy", "held-out h", "KL", "time", "resumes at")

SORT_KEYS: dict[str, Callable[[RunSummary], object]] = {
    "created": lambda run: run.created_ms,
    "name": lambda run: run.name,
    "lr": lambda run: run.lr,
    "beta": lambda run: run.beta,
    "accuracy": lambda run: -1.0 if run.accuracy is None else run.accuracy,
    "h": lambda run: -math.inf if run.h is None else run.h,
    "kl": lambda run: -1.0 if run.kl is None else run.kl,
    "time": lambda run: run.elapsed_s,
}


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group ``runs``."""
    group.command("table", help="Every run with settings and last held-out measurements.")(show_table)
    group.command("edit", help="Change name, tags or note of a run.")(edit)
    group.command("archive", help="Leave a run out of the lists; --back shows it again.")(archive)
    group.command("delete", help="Take a run out of the workspace; `runs restore` brings it back.")(delete)
    group.command("restore", help="Bring a deleted run back.")(restore)
    group.command("deleted", help="List the deleted runs; --remove ID removes one for good.")(deleted)


def show_table(
    workspace: _Ws,
    sort: Annotated[str, typer.Option(help=f"{', '.join(SORT_KEYS)}; the highest first.")] = "created",
    find: Annotated[str, typer.Option(help="Words that a run holds, and tag:x, state:x, beta<0.2, kl<6.")] = "",
    archived: Annotated[bool, typer.Option("--archived", help="Archived runs too.")] = False,
    as_json: _Json = False,
) -> None:
    """Print a line for every run."""
    if sort not in SORT_KEYS:
        raise UsageError(f"The table cannot be sorted by {sort!r}.", f"Choose one of: {', '.join(SORT_KEYS)}.")
    matches = read_filter(find)
    with open_workspace(workspace, read_only=True) as app:
        runs = [run for run in app.runs.housekeeping.table() if archived or not run.archived]
    found = [run for run in runs if matches(run.filtered())]
    found.sort(key=SORT_KEYS[sort], reverse=True)  # type: ignore[arg-type]
    if as_json:
        say_json([finite(dataclasses.asdict(run)) for run in found])
    elif not found:
        say("No runs.")
    else:
        say(table([_cells(run) for run in found], _HEAD))


def edit(
    workspace: _Ws,
    run: _Run,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Tags instead of those it has; may be given many times.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="New note.")] = None,
    as_json: _Json = False,
) -> None:
    """Change what people say of a run; what it did stays as it is."""
    if name is None and tag is None and note is None:
        raise UsageError("Nothing to change was given.", "Add --name, --tag or --note.")
    with open_workspace(workspace) as app:
        keeping, tags = app.runs.housekeeping, None if tag is None else tuple(tag)
        info = keeping.annotate(keeping.find(run), name=name, tags=tags, note=note).value
    _answer(as_json, run=info.run_id, name=info.name, tags=list(info.tags), note=info.note)


def archive(
    workspace: _Ws,
    run: _Run,
    back: Annotated[bool, typer.Option("--back", help="Show it in the lists again.")] = False,
    as_json: _Json = False,
) -> None:
    """Archive a run or take it back."""
    with open_workspace(workspace) as app:
        info = app.runs.housekeeping.archive(app.runs.housekeeping.find(run), not back).value
    _answer(as_json, run=info.run_id, archived=not back)


def delete(workspace: _Ws, run: _Run, as_json: _Json = False) -> None:
    """Delete a run; nothing is lost before it is removed for good."""
    with open_workspace(workspace) as app:
        run_id = app.runs.housekeeping.find(run)
        app.runs.housekeeping.delete(run_id)
    _answer(as_json, run=run_id, deleted=True, restore_with=f"pairwright runs restore {workspace} {run_id}")


def restore(
    workspace: _Ws, run: Annotated[str, typer.Argument(help="Id of a deleted run.")], as_json: _Json = False
) -> None:
    """Restore a deleted run."""
    with open_workspace(workspace) as app:
        info = app.runs.housekeeping.restore(run).value
    _answer(as_json, run=info.run_id, name=info.name, restored=True)


def deleted(
    workspace: _Ws,
    remove: Annotated[str, typer.Option(help="Id of a deleted run to remove for good.")] = "",
    as_json: _Json = False,
) -> None:
    """Print the deleted runs, or remove one for good."""
    with open_workspace(workspace, read_only=not remove) as app:
        if remove:
            freed = app.runs.housekeeping.remove(remove).value
            _answer(as_json, run=remove, removed=True, freed_bytes=freed)
            return
        found = app.runs.housekeeping.deleted()
    if as_json:
        say_json([dataclasses.asdict(run) for run in found])
    elif not found:
        say("No deleted runs.")
    else:
        say(table([[r.run_id, r.name, f"{r.size_bytes / 2**20:,.1f} MiB"] for r in found], ("id", "name", "size")))


def _answer(as_json: bool, **what: object) -> None:
    if as_json:
        say_json(what)
    else:
        say("  ".join(f"{key.replace('_', ' ')}: {value}" for key, value in what.items()))


def _cells(run: RunSummary) -> list[str]:
    steps = f"{run.steps}/{run.total_steps}" if run.total_steps else str(run.steps)
    resumes = "" if run.resume_step is None else f"step {run.resume_step}"
    facts = [run.run_id, run.name, run.state, steps, f"{run.lr:g}", f"{run.beta:g}"]
    return [*facts, run.accuracy_words, run.h_words, run.kl_words, run.time_words, resumes]

"""``runs``: the runs of a workspace or of any folder, and asking one to pause, go on or stop.

A run is named by its folder, or by its id, the beginning of its id, or its name with ``--in WS``.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.output import say, say_json, table
from core.cli.run_settings import read_changes
from core.domain.errors import NotFound, UsageError

if TYPE_CHECKING:
    from core.runs.folder import RunFolder

_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Run = Annotated[str, typer.Argument(help="Run folder; with --in also an id or name.")]
_In = Annotated[Path | None, typer.Option("--in", help="Workspace (or folder of runs) to look in.")]


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="List, show and steer runs: `runs WS`, `runs show RUN`, `runs stop RUN`.")
    group.command("list", help="List the runs of a workspace.")(list_runs)
    group.command("show", help="Show one run: state, settings, last values.")(show)
    group.command("pause", help="Pause at the next micro-batch.")(pause)
    group.command("resume", help="Go on after a pause, or take the run up again from its last checkpoint.")(resume)
    group.command("stop", help="Stop and save; --now stops without saving.")(stop)
    group.command("fork", help="Make a child run that goes on from a checkpoint under changed settings.")(fork)
    group.command("checkpoint", help="Save a checkpoint now and go on.")(checkpoint)
    return group


def list_runs(workspace: Annotated[Path, typer.Argument(help="Workspace folder.")], as_json: _Json = False) -> None:
    """Print the runs, newest first."""
    from core.runs.ledger.reader import RunReader
    from core.runs.listing import list_folders

    rows = [summary(RunReader(folder.path)) for folder in list_folders(runs_dir(workspace))]
    if as_json:
        say_json(rows)
    elif not rows:
        say("No runs yet.")
    else:
        cells = [[r["id"], r["name"], r["state"], f"{r['step']}/{r['total_steps']}", r["model"]] for r in rows]
        say(table(cells, ("id", "name", "state", "step", "model")))


def show(run: _Run, where: _In = None, as_json: _Json = False) -> None:
    """Print one run."""
    from core.runs.event_lines import finite
    from core.runs.ledger.reader import RunReader

    reader = RunReader(find(run, where).path)
    status, record = reader.status(), reader.record()
    if as_json:
        last = dataclasses.asdict(status.last) if status.last else None
        say_json(finite({**summary(reader), "status": {**_plain(status), "last": last}, "run": record.to_plain()}))
        return
    for key, value in summary(reader).items():
        say(f"{key:12} {value}")
    for key, value in record.config.to_plain().items():
        say(f"  {key:20} {value}")
    for line in reader.log_tail(15):
        say(line)


def pause(run: _Run, where: _In = None, as_json: _Json = False) -> None:
    """Ask for a pause."""
    _ask(find(run, where), "pause", "paused", as_json)


def resume(run: _Run, where: _In = None, as_json: _Json = False) -> None:
    """Go on, in the process that holds the run or in a new one."""
    from core.runs.hosting.hosts import start
    from core.runs.status import read_status

    folder = find(run, where)
    state = read_status(folder).state
    if state in ("running", "paused", "stopping"):
        _ask(folder, "run", "going on", as_json)
        return
    if state == "finished":
        raise UsageError("This run is finished.", "Create a new run, or fork it from a checkpoint.")
    start(folder.path, "process")
    _answer(folder, "started in a process of its own", as_json)


def stop(
    run: _Run,
    where: _In = None,
    now: Annotated[bool, typer.Option("--now", help="Without saving.")] = False,
    as_json: _Json = False,
) -> None:
    """Ask for a stop."""
    _ask(find(run, where), "stop_now" if now else "stop_and_save", "stopping", as_json)


def checkpoint(run: _Run, where: _In = None, as_json: _Json = False) -> None:
    """Ask for a checkpoint."""
    from core.runs.control_file import request_checkpoint

    folder = find(run, where)
    _must_live(folder)
    request_checkpoint(folder.control)
    _answer(folder, "saving a checkpoint", as_json)


def fork(
    run: _Run,
    step: Annotated[int, typer.Option(help="Step of the checkpoint; the newest when left out.")] = -1,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value; may be given many times.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the child; beside its parent when left out.")] = None,
    name: Annotated[str, typer.Option(help="What the child is called.")] = "",
    where: _In = None,
    as_json: _Json = False,
) -> None:
    """Make the child run, and say how to start it."""
    from core.runs.forking import fork_run, saved_steps

    parent = find(run, where)
    if step < 0:
        step = next(iter(saved_steps(parent)), 0)
    child = fork_run(parent, step, read_changes(settings or []), path=out, name=name)
    if as_json:
        say_json({"run": child.record().run_id, "folder": str(child.path), "parent_step": step})
    else:
        say(f"{child.record().name} goes on from step {step}. Start it with: runs resume {child.path}")


def find(run: str, where: Path | None) -> RunFolder:
    """Return the run folder that ``run`` names.

    Raises:
        NotFound: when none does. UsageError: when several do.
    """
    from core.runs.folder import RunFolder
    from core.runs.listing import list_folders

    direct = RunFolder(Path(run))
    if direct.exists():
        return direct
    found = []
    for folder in list_folders(runs_dir(where)) if where is not None else []:
        record = folder.record()
        if run in (record.run_id, record.name) or (len(run) >= 4 and record.run_id.startswith(run)):
            found.append(folder)
    if len(found) > 1:
        raise UsageError(f"{len(found)} runs are called {run!r}.", "Name one by its id or folder.")
    if not found:
        raise NotFound(f"There is no run {run!r}.", "Name its folder, or add --in WS.")
    return found[0]


def runs_dir(place: Path) -> Path:
    """Return the folder that holds the run folders of a workspace, or the place itself.

    Raises:
        NotFound: when the place does not exist.
    """
    if not place.is_dir():
        raise NotFound(f"{place} is no folder.", "Name a workspace folder.")
    inside = place / "runs"
    return inside if inside.is_dir() or (place / "workspace.db").exists() else place


def summary(reader: Any) -> dict[str, Any]:
    """Return what a list shows of one run, as plain values."""
    record, status = reader.record(), reader.status()
    return {
        "id": record.run_id,
        "name": record.name,
        "state": status.state,
        "step": status.step,
        "total_steps": status.total_steps,
        "attempt": status.attempt,
        "model": Path(record.model_dir).name,
        "dataset": record.dataset.get("title", ""),
        "margin": status.last.margin if status.last else None,
        "loss": status.last.loss if status.last else None,
        "message": status.message,
        "created_ms": record.created_ms,
        "folder": str(reader.folder.path),
    }


def _plain(status: Any) -> dict[str, Any]:
    return {k: v for k, v in dataclasses.asdict(status).items() if k != "last"}


def _ask(folder: RunFolder, command: Any, answer: str, as_json: bool) -> None:
    from core.runs.control_file import request

    _must_live(folder)
    request(folder.control, command)
    _answer(folder, answer, as_json)


def _must_live(folder: RunFolder) -> None:
    from core.runs.status import read_status

    state = read_status(folder).state
    if state not in ("running", "paused", "stopping"):
        raise UsageError(f"This run is not going on; it is {state}.", "Start it with: runs resume RUN.")


def _answer(folder: RunFolder, text: str, as_json: bool) -> None:
    say_json({"run": folder.record().run_id, "asked": text}) if as_json else say(f"{folder.record().name}: {text}")

"""``runs``: list the runs of a workspace or of any folder; pause, resume, stop and fork one.

A run is named by its folder, or by its id, the beginning of its id, or its name with ``--in WS``.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from core.cli import (
    run_compare,
    run_gradients,
    run_housekeeping,
    run_plots,
    run_queue,
    run_report,
    run_reproduce,
    run_samples,
)
from core.cli.measured import held_out_words, insight_lines, measured_lines, plain_batch, plain_held_out
from core.cli.output import say, say_json, say_note, table
from core.cli.run_settings import read_changes
from core.runs import run_control
from core.runs.event_lines import finite
from core.runs.finding import left_out
from core.runs.folder import RUN_JSON, RunFolder
from core.runs.forking import fork_run
from core.runs.progress_words import pending_words
from core.runs.run_reader import RunReader
from core.runs.status import RunStatus, read_status
from core.services.models.export import DTYPES, FORMS, ExportForm, export_run
from core.services.runs.charter_file import read_charter
from core.services.runs.insights import insights_of
from core.services.runs.log_export import LOG_FORMS, LogForm, export_log
from core.services.runs.memory_use import memory_curves, memory_words, plain_memory
from core.services.runs.run_estimates import RunEstimates, plain_estimates

_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Run = Annotated[str, typer.Argument(help="Run folder; with --in also an id or name.")]
_DTYPES = "; ".join(f"{form}: {', '.join(known)}" for form, known in DTYPES.items() if any(known))
_In = Annotated[Path | None, typer.Option("--in", help="Workspace (or folder of runs) to look in.")]


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="List, show and control runs: `runs WS`, `runs show RUN`, `runs stop RUN`.")
    group.command("list", help="List the runs of a workspace.")(list_runs)
    group.command("show", help="Show one run: state, held-out values with intervals, settings, log.")(show)
    group.command("insights", help="What the numbers of a run say, each with its evidence and its pairs.")(insights)
    group.command("pause", help="Pause at the next micro-batch.")(pause)
    group.command("resume", help="Continue after a pause, or start the run again from its last checkpoint.")(resume)
    group.command("stop", help="Stop and save; --now stops without saving.")(stop)
    group.command("fork", help="Make a child run that continues from a checkpoint under changed settings.")(fork)
    group.command("export", help="Write the result of a run for other tools: adapter, merged model or GGUF.")(export)
    group.command("checkpoint", help="Save a checkpoint now and continue.")(checkpoint)
    run_plots.add_to(group)
    run_samples.add_to(group)
    run_compare.add_to(group)
    run_report.add_to(group)
    run_gradients.add_to(group)
    run_reproduce.add_to(group)
    run_housekeeping.add_to(group)
    run_queue.add_to(group)
    return group


def list_runs(workspace: Annotated[Path, typer.Argument(help="Workspace folder.")], as_json: _Json = False) -> None:
    """Print the runs, newest first."""
    place = run_control.runs_place(workspace)
    folders = run_control.list_runs(place)
    rows = [summary(RunReader(folder.path)) for folder in folders]
    for name in left_out(place, folders, RUN_JSON):
        say_note(f"The run in {name} cannot be read and is not listed. Restore its folder from a copy.")
    if as_json:
        say_json(rows)
    elif not rows:
        say("No runs yet.")
    else:
        cells = [
            [
                r["id"],
                r["name"],
                r["state"],
                f"{r['step']}/{r['total_steps']}",
                held_out_words(r["held_out"]),
                r["model"],
            ]
            for r in rows
        ]
        say(table(cells, ("id", "name", "state", "step", "held-out accuracy", "model")))


def show(run: _Run, where: _In = None, as_json: _Json = False) -> None:
    """Print one run."""
    reader = RunReader(run_control.find_run(run, where).path)
    status, record = reader.status(), reader.record()
    estimates = RunEstimates(reader)
    if as_json:
        measured = plain_estimates(estimates, reader.kls())
        memory = {"memory": plain_memory(memory_curves(reader)), "status": _plain(status)}
        plain = {**summary(reader), "measured": measured, **memory, "run": record.to_plain()}
        say_json(finite(plain))
        return
    for key, value in summary(reader).items():
        if key not in ("held_out", "last_batch"):
            say(f"{key:12} {value}")
    for line in measured_lines(estimates, reader.kls(), status.last):
        say(line)
    say(memory_words(memory_curves(reader)))
    for key, value in record.config.to_plain().items():
        say(f"  {key:20} {value}")
    for key in record.unknown_settings:
        say(f"  {key:20} (a setting that this version does not know)")
    for line in reader.log_tail(15):
        say(line)


def insights(run: _Run, where: _In = None, as_json: _Json = False) -> None:
    """Print all insights of a run, the worst first."""
    found = insights_of(RunReader(run_control.find_run(run, where).path))
    if as_json:
        say_json({"insights": [finite(insight.to_plain()) for insight in found]})
        return
    for line in insight_lines(found):
        say(line)


def pause(run: _Run, where: _In = None, as_json: _Json = False) -> None:
    """Ask for a pause."""
    folder = run_control.find_run(run, where)
    run_control.pause(folder)
    _answer(folder, "pausing", as_json)


def resume(run: _Run, where: _In = None, as_json: _Json = False) -> None:
    """Continue, in the process that works on the run or in a new one."""
    folder = run_control.find_run(run, where)
    started = run_control.resume(folder)
    _answer(folder, "continuing" if started is None else "started in a process of its own", as_json)


def stop(
    run: _Run,
    where: _In = None,
    now: Annotated[bool, typer.Option("--now", help="Without saving.")] = False,
    as_json: _Json = False,
) -> None:
    """Ask for a stop."""
    folder = run_control.find_run(run, where)
    run_control.stop(folder, save=not now)
    _answer(folder, "stopping", as_json)


def checkpoint(run: _Run, where: _In = None, as_json: _Json = False) -> None:
    """Ask for a checkpoint."""
    folder = run_control.find_run(run, where)
    run_control.checkpoint(folder)
    _answer(folder, "saving a checkpoint", as_json)


def fork(
    run: _Run,
    step: Annotated[int, typer.Option(help="Step of the checkpoint; the newest when left out.")] = -1,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value; may be given many times.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the child; beside its parent when left out.")] = None,
    name: Annotated[str, typer.Option(help="What the child is called.")] = "",
    charter_file: Annotated[
        Path | None, typer.Option("--charter", help="YAML file with its charter; its parent's when left out.")
    ] = None,
    charter_settings: Annotated[
        list[str] | None, typer.Option("--charter-set", help="key=value of its charter, many times.")
    ] = None,
    where: _In = None,
    as_json: _Json = False,
) -> None:
    """Make the child run, and say how to start it."""
    parent = run_control.find_run(run, where)
    given = charter_file is not None or charter_settings
    charter = read_charter(charter_file, charter_settings or []) if given else None
    changes = read_changes(settings or [])
    child = fork_run(parent, step if step >= 0 else None, changes, path=out, name=name, charter=charter)
    record = child.record()
    if as_json:
        say_json({"run": record.run_id, "folder": str(child.path), "parent_step": record.parent_step})
    else:
        say(f"{record.name} continues from step {record.parent_step}. Start it with: runs resume {child.path}")


def export(
    run: _Run,
    out: Annotated[Path, typer.Argument(help="New folder; for gguf a new file that ends in .gguf.")],
    form: Annotated[
        str, typer.Option("--form", "--format", help=f"{', '.join(FORMS)}; its numbers: {', '.join(LOG_FORMS)}.")
    ] = "adapter",
    dtype: Annotated[str, typer.Option(help=f"Number format; {_DTYPES}.")] = "",
    where: _In = None,
    as_json: _Json = False,
) -> None:
    """Export a run, check what was written, and say how to load it."""
    folder = run_control.find_run(run, where)
    progress = None if as_json else _show_progress
    if form in LOG_FORMS:
        log = export_log(folder, out, cast(LogForm, form), on_progress=progress)
        say_json({**dataclasses.asdict(log), "path": str(log.path)}) if as_json else say(log.sentence)
        return
    made = export_run(folder, out, cast(ExportForm, form), dtype=dtype, on_progress=progress)  # which checks the form
    if as_json:
        say_json({**dataclasses.asdict(made), "path": str(made.path), "sentence": made.sentence})
        return
    for name in made.files:
        say(f"  {name}")
    say(f"sha256 {made.sha256}")
    say(made.sentence)


def _show_progress(done: int, total: int, text: str) -> None:
    say(f"[{done + 1}/{total}] {text}" if total > 1 else text)


def summary(reader: RunReader) -> dict[str, Any]:
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
        "held_out": plain_held_out(status.held_out),
        "last_batch": plain_batch(status.last),
        "message": status.message,
        "created_ms": record.created_ms,
        "folder": str(reader.folder.path),
    }


def _plain(status: RunStatus) -> dict[str, Any]:
    return dataclasses.asdict(status)


def _answer(folder: RunFolder, text: str, as_json: bool) -> None:
    """Print what was requested, and after which piece of work and how many seconds the run answers."""
    status, record = read_status(folder), folder.record()
    if as_json:
        say_json({"run": record.run_id, "asked": text, "answer_s": status.answer_s})
    else:
        say(f"{record.name}: {pending_words(status).rstrip('.') or text}")

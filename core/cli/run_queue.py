"""``runs queue``: runs that wait for their turn: list, add, order, pause, and work them off in this process.

The workspace libraries are imported in the functions that open a workspace. The queue is a file of the workspace, so
that all of this works beside a window that has it open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.default_group import DefaultGroup
from core.cli.failures import report
from core.cli.output import say, say_json, say_note, table
from core.cli.run_settings import with_template_arguments
from core.cli.train import note_end, opened_beside, require_dataset, version_request, work_on
from core.domain.counting import counted, verb
from core.domain.errors import UsageError, UserError, WorkspaceInUse
from core.domain.run_events import Failed
from core.runs.folder import RunFolder
from core.runs.progress_words import state_words, time_left_words
from core.services.runs.charter_file import read_charter

if TYPE_CHECKING:
    from core.services.application import Application
    from core.services.runs.queue import QueueView
    from core.services.runs.views import RunInfo

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Run = Annotated[str, typer.Argument(help="Id, beginning of the id, or name of the run.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_HEAD = ("place", "id", "name", "state", "step", "time left")


def add_to(group: typer.Typer) -> None:
    """Add the group to the group ``runs``."""
    queue = typer.Typer(help="Runs that wait for their turn: `runs queue WS`, `runs queue add WS ...`.")
    queue.command("list", help="What is trained, what waits in which order, and what did not go well.")(list_queue)
    queue.command("add", help="Create a run, with the options of `train`, and let it wait; or --run RUN.")(add)
    queue.command("move", help="Change the order: --to N (1 is next), --up or --down.")(move)
    queue.command("remove", help="Take a run out of the queue; the run itself stays.")(remove)
    queue.command("pause", help="Take nothing more; the run that is trained goes on.")(pause)
    queue.command("resume", help="Take runs again.")(resume)
    queue.command("forget", help="Forget why runs did not go well; of one run or of all.")(forget)
    queue.command("start", help="Work the queue off in this process. Ctrl+C saves; the rest stays.")(start)
    group.add_typer(queue, name="queue", cls=DefaultGroup)


def list_queue(workspace: _Ws, as_json: _Json = False) -> None:
    """Print the queue."""
    with opened_beside(workspace) as app:
        app.queue.settle()
        view = app.queue.view()
    if as_json:
        say_json(_plain(view))
        return
    rows = [_cells("", info) for info in view.running]
    rows += [_cells(str(place), info) for place, info in enumerate(view.waiting, 1)]
    say(
        table(rows, _HEAD)
        if rows
        else "No run is trained and none waits. Add one with: runs queue add WS --dataset ..."
    )
    for one in view.told:
        say(f"{one.name or one.told.run_id} {_KINDS[one.told.kind]}: {one.told.reason} {one.told.hint}".rstrip())
    if view.paused:
        say("The queue is paused; go on with: runs queue resume WS")


def add(
    workspace: _Ws,
    run: Annotated[str, typer.Option("--run", help="A run that is there: never started, or ended early.")] = "",
    dataset: Annotated[str, typer.Option(help="Dataset version of the workspace: its id or title.")] = "",
    model: Annotated[str, typer.Option(help="Model folder, or 'starter'.")] = "",
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value; may be given many times.")] = None,
    template_args: Annotated[
        list[str] | None, typer.Option("--template-arg", help="name=value for the chat template; many times.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the run is called.")] = "",
    target: Annotated[str, typer.Option(help="Charter: the behaviour that should change.")] = "",
    regression: Annotated[str, typer.Option(help="Charter: the metric that must not get worse.")] = "",
    charter_file: Annotated[Path | None, typer.Option("--charter", help="YAML file with the charter.")] = None,
    charter_settings: Annotated[
        list[str] | None, typer.Option("--charter-set", help="key=value of the charter, many times.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Add a run at the end of the queue."""
    if run and (dataset or model or settings or template_args):
        raise UsageError("A run that is there keeps its settings.", "Give --run alone, or the options of a new run.")
    if run:
        with opened_beside(workspace) as app:
            info = app.queue.put(app.runs.housekeeping.find(run)).value
            _say_place(app, info, as_json)
        return
    require_dataset(dataset)
    charter = read_charter(charter_file, charter_settings or [], target_behaviour=target, regression_metric=regression)
    words = with_template_arguments(settings or [], template_args or [])
    with opened_beside(workspace) as app:
        request = replace(version_request(app, dataset, model, words), name=name, charter=charter)
        _say_place(app, app.queue.add(request).value, as_json)


def move(
    workspace: _Ws,
    run: _Run,
    to: Annotated[int, typer.Option("--to", help="Its new place; 1 is the next run.")] = 0,
    up: Annotated[bool, typer.Option("--up", help="One place up.")] = False,
    down: Annotated[bool, typer.Option("--down", help="One place down.")] = False,
    as_json: _Json = False,
) -> None:
    """Change the place of a waiting run."""
    if (to != 0) + up + down != 1 or to < 0:
        raise UsageError("Where the run goes is not clear.", "Give one of --to N (from 1), --up and --down.")
    with _found(workspace, run) as (app, run_id):
        place = (app.queue.move(run_id, to - 1) if to else app.queue.shift(run_id, -1 if up else 1)).value
        _answer(as_json, f"It is number {place + 1} now.", run=run_id, place=place + 1)


def remove(workspace: _Ws, run: _Run, as_json: _Json = False) -> None:
    """Take a run out of the queue."""
    with _found(workspace, run) as (app, run_id):
        place = app.queue.remove(run_id).value
        words = (
            f"It was number {place + 1}; the run stays. Add it again with: runs queue add {workspace} --run {run_id}"
        )
        _answer(as_json, words, run=run_id, place=place + 1, removed=True)


def pause(workspace: _Ws, as_json: _Json = False) -> None:
    """Pause the queue."""
    _set_paused(workspace, True, as_json)


def resume(workspace: _Ws, as_json: _Json = False) -> None:
    """Go on with the queue."""
    _set_paused(workspace, False, as_json)


def forget(
    workspace: _Ws, run: Annotated[str, typer.Argument(help="Run; all when left out.")] = "", as_json: _Json = False
) -> None:
    """Forget why runs did not go well."""
    with opened_beside(workspace) as app:
        told = {one.told.run_id: one.name for one in app.queue.view().told}
        run_id = next((key for key, name in told.items() if run in (key, name)), run)
        app.queue.forget(run_id)
        left = len(app.queue.view().told)
    _answer(as_json, f"{counted(left, 'run')} still told.", forgotten=len(told) - left, left=left)


def start(workspace: _Ws, as_json: _Json = False) -> int:
    """Train one waiting run after the other until none is left. A run that fails does not stop the queue."""
    done: list[str] = []
    told_before = _told(workspace)
    stopped = False
    while not stopped and (folder := _take(workspace)) is not None:
        name = folder.record().name
        try:
            last = work_on(folder.path, as_json=as_json)
        except UserError as error:
            with opened_beside(workspace) as app:
                app.queue.refuse(folder.record().run_id, error)
            continue
        note_end(workspace)
        done.append(name)
        if isinstance(last, Failed):
            say_note(f"{name} failed: {last.message} The queue goes on.")
        else:
            stopped = last.reason.startswith("stopped")
    with opened_beside(workspace) as app:
        app.queue.settle()
        view = app.queue.view()
    new = [one for one in view.told if one.told not in told_before]
    left = len(view.waiting)
    if as_json:
        say_json({"event": "queue", "worked_on": done, **_plain(view)})
    for one in () if as_json else reversed(new):
        say_note(f"{one.name or one.told.run_id} {_KINDS[one.told.kind]}: {one.told.reason} {one.told.hint}".rstrip())
    if left and not stopped:
        why = "it is paused" if view.paused else "another run or evaluation is worked on"
        words = f"{counted(left, 'run')} {verb(left, 'waits', 'wait')} in the queue: {why}."
        if not view.paused:
            raise WorkspaceInUse(words, "Start the queue again when that has ended.")
        report(words, "Go on with: runs queue resume WS", as_json=as_json)
        return 1
    if not as_json:
        say(f"{counted(len(done), 'run')} worked on, {left} waiting.")
    return 1 if new else 0


_KINDS = {"refused": "could not be started", "failed": "failed", "interrupted": "was interrupted"}


def _take(workspace: Path) -> RunFolder | None:
    with opened_beside(workspace) as app:
        return app.queue.take()


def _told(workspace: Path) -> list[Any]:
    with opened_beside(workspace) as app:
        return [one.told for one in app.queue.view().told]


@contextmanager
def _found(workspace: Path, run: str) -> Iterator[tuple[Application, str]]:
    """Open the workspace and find a run in it."""
    with opened_beside(workspace) as app:
        yield app, app.runs.housekeeping.find(run)


def _set_paused(workspace: Path, paused: bool, as_json: bool) -> None:
    with opened_beside(workspace) as app:
        app.queue.pause(paused)
        left = len(app.queue.view().waiting)
    words = "The queue is paused" if paused else "The queue goes on"
    _answer(as_json, f"{words}; {counted(left, 'run')} {verb(left, 'waits', 'wait')}.", paused=paused, waiting=left)


def _say_place(app: Application, info: RunInfo, as_json: bool) -> None:
    place = len(app.queue.view().waiting)
    words = f"{info.name} is number {place} in the queue. Work it off with: runs queue start {app.folder}"
    _answer(as_json, words, run=info.run_id, name=info.name, folder=info.folder, place=place)


def _answer(as_json: bool, words: str, **what: object) -> None:
    if as_json:
        say_json(what)
    else:
        say(words)


def _plain(view: QueueView) -> dict[str, object]:
    return {
        "paused": view.paused,
        "running": [_plain_run(info) for info in view.running],
        "waiting": [{"place": place, **_plain_run(info)} for place, info in enumerate(view.waiting, 1)],
        "told": [
            {
                "id": one.told.run_id,
                "name": one.name,
                "kind": one.told.kind,
                "reason": one.told.reason,
                "hint": one.told.hint,
                "at_ms": one.told.at_ms,
            }
            for one in view.told
        ],
    }


def _plain_run(info: RunInfo) -> dict[str, object]:
    status = info.status
    return {
        "id": info.run_id,
        "name": info.name,
        "state": info.state,
        "step": status.step,
        "total_steps": status.total_steps,
        "eta_s": status.eta_s,
        "host": status.host,
        "pid": status.pid,
        "folder": info.folder,
    }


def _cells(place: str, info: RunInfo) -> list[str]:
    status = info.status
    steps = f"{status.step}/{status.total_steps}" if status.total_steps else str(status.step) if status.step else ""
    state = state_words(status) if info.live else info.state
    return [place, info.run_id, info.name, state, steps, time_left_words(status) if info.live else ""]

"""Run control: list, find, start, pause, resume and stop runs, and ask for checkpoints. The only place that does.

A run is its folder: every function works on runs that this process, another one or another machine started.
Forking a run is :func:`core.runs.forking.fork_run`.
"""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import NotFound, UsageError
from core.domain.run_record import LIVE_STATES
from core.runs import control_file
from core.runs.finding import inside, only_one, readable
from core.runs.folder import RunFolder
from core.runs.hosting import hosts
from core.runs.hosting.driver import Engine
from core.runs.hosting.hosts import Host, HostKind
from core.runs.status import read_status, require_startable


def list_runs(place: Path) -> list[RunFolder]:
    """Return the readable run folders directly below ``place``, newest first; damaged ones are left out."""
    return readable(place, RunFolder)


def runs_place(place: Path) -> Path:
    """Return the folder that holds the run folders of a workspace, or ``place`` itself where it is no workspace.

    Raises:
        NotFound: when ``place`` is no folder.
    """
    if not place.is_dir():
        raise NotFound(f"{place} is no folder.", "Name a workspace folder.")
    return inside(place, "runs")


def find_run(name: str, place: Path | None = None) -> RunFolder:
    """Return the run that ``name`` names.

    Args:
        name: a run folder; with ``place`` also the id, the beginning of the id, or the name of a run there.
        place: workspace or folder of runs to look in.

    Raises:
        NotFound: when there is none.
        UsageError: when there are several.
    """
    direct = RunFolder(Path(name))
    if direct.exists():
        return direct
    folders = list_runs(runs_place(place)) if place is not None else []
    hint = "Name its folder, or add --in WS." if place is None else "See them with: runs WS"
    return only_one(name, folders, lambda record: record.run_id, "run", hint)


def start(
    folder: RunFolder, host: HostKind = "process", *, survive: bool = True, engine: str | Engine | None = None
) -> Host:
    """Start the run, or resume it from its newest checkpoint; see :func:`core.runs.hosting.hosts.start`.

    Raises:
        WorkspaceInUse: when a process works on it already.
        UsageError: when it is finished, or has settings that this version does not know.
    """
    require_startable(folder)
    return hosts.start(folder.path, host, survive=survive, engine=engine)


def resume(folder: RunFolder, host: HostKind = "process", *, engine: str | Engine | None = None) -> Host | None:
    """Continue a paused run, or start one again that ended early.

    Returns:
        The host when one was started; None when the process that works on the run continues.

    Raises:
        UsageError: when the run is finished.
    """
    if read_status(folder).state in LIVE_STATES:
        control_file.request(folder.control, "run")
        return None
    return start(folder, host, engine=engine)


def pause(folder: RunFolder) -> None:
    """Ask the run to pause at its next micro-batch.

    Raises:
        UsageError: when no process works on it.
    """
    _require_live(folder)
    control_file.request(folder.control, "pause")


def stop(folder: RunFolder, *, save: bool = True) -> None:
    """Ask the run to stop: after a last checkpoint, or at once without one.

    Raises:
        UsageError: when no process works on it.
    """
    _require_live(folder)
    control_file.request(folder.control, "stop_and_save" if save else "stop_now")


def checkpoint(folder: RunFolder) -> None:
    """Ask the run to save a checkpoint and continue.

    Raises:
        UsageError: when no process works on it.
    """
    _require_live(folder)
    control_file.request_checkpoint(folder.control)


def _require_live(folder: RunFolder) -> None:
    state = read_status(folder).state
    if state not in LIVE_STATES:
        raise UsageError(f"No process is working on this run; it is {state}.", "Resume it first.")

"""List, find, start and cancel generations. A folder is enough: whoever started it does not matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.domain.errors import UsageError
from core.domain.run_record import LIVE_STATES
from core.runs import control_file
from core.runs.child_processes.request import Progress
from core.runs.evaluations.status import EvaluationStatus, evaluation_status
from core.runs.evaluations.words import work_words
from core.runs.finding import inside, only_one, readable
from core.runs.generations.folder import PLACE, GenerationFolder
from core.runs.hosting.hosts import ProcessHost, require_idle

WORKER = "core.runs.generations.worker"
_LOOK_S = 0.5
"""Seconds between two looks at a process that works."""


def generations_place(place: Path) -> Path:
    """Return the folder that holds the generations of a workspace, or ``place`` itself where it is no workspace."""
    return inside(place, PLACE)


def list_generations(place: Path) -> list[GenerationFolder]:
    """Return the readable generation folders of a workspace, newest first; damaged ones are left out."""
    return readable(generations_place(place), GenerationFolder)


def find_generation(name: str, place: Path) -> GenerationFolder:
    """Return the generation that ``name`` names: a folder, an id, how that begins, or its name.

    Raises:
        NotFound: when there is none.
        UsageError: when there are several.
    """
    direct = GenerationFolder(Path(name))
    if direct.exists():
        return direct
    return only_one(
        name, list_generations(place), lambda record: record.generation_id, "generation", "See: generate list WS"
    )


def generation_status(folder: GenerationFolder) -> EvaluationStatus:
    """Return state and progress now.

    Raises:
        BadInput: when the ledger is damaged.
    """
    status = evaluation_status(folder)
    if status.state != "finished":
        return status
    return replace(status, message="Every prompt is answered.", total=status.done)


def require_unfinished(folder: GenerationFolder) -> None:
    """Raise where the generation cannot be started or resumed.

    Raises:
        UsageError: when every prompt is answered.
        NotFound: when the folder holds no generation.
    """
    folder.record()
    if generation_status(folder).state == "finished":
        raise UsageError("This generation is finished.", "Look at its pairs, or make a new one.")


def start(folder: GenerationFolder, *, survive: bool = True) -> ProcessHost:
    """Start the generation in a process of its own, or resume it where it stopped.

    Args:
        folder: of the generation.
        survive: whether the process continues when this one ends.

    Raises:
        WorkspaceInUse: when a process works on it already.
        UsageError: when it is finished.
    """
    require_unfinished(folder)
    require_idle(folder, "generation")
    control_file.request(folder.control, "run")
    return ProcessHost(folder.path, survive=survive, module=WORKER)


def follow(
    host: ProcessHost,
    folder: GenerationFolder,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Wait for the process of a generation to end.

    Args:
        host: that :func:`start` returned.
        folder: of the generation.
        on_progress: gets (done, total, text) about twice a second.
        cancelled: polled as often; True asks the process to stop, which keeps the stored answers.
    """
    while host.wait(_LOOK_S) is None:
        status = generation_status(folder)
        if cancelled is not None and cancelled() and status.state in ("running", "paused"):
            cancel(folder)
        if on_progress is not None:
            on_progress(sum(status.done.values()), sum(status.total.values()), work_words(status))


def cancel(folder: GenerationFolder) -> None:
    """Ask the generation to stop at once; the stored answers are kept, and it can be resumed.

    Raises:
        UsageError: when no process works on it.
    """
    state = generation_status(folder).state
    if state not in LIVE_STATES:
        raise UsageError(f"No process is working on this generation; it is {state}.", "Resume it first.")
    control_file.request(folder.control, "stop_and_save")

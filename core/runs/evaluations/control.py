"""List, find, start, pause, resume and cancel evaluations. A folder is enough: whoever started it does not matter."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import UsageError
from core.domain.run_record import LIVE_STATES
from core.runs import control_file
from core.runs.evaluations.folder import PLACE, EvaluationFolder
from core.runs.evaluations.status import evaluation_status, require_evaluable
from core.runs.finding import inside, only_one, readable
from core.runs.hosting.hosts import ProcessHost, require_idle

WORKER = "core.runs.evaluations.worker"


def evaluations_place(place: Path) -> Path:
    """Return the folder that holds the evaluations of a workspace, or ``place`` itself where it is no workspace."""
    return inside(place, PLACE)


def list_evaluations(place: Path) -> list[EvaluationFolder]:
    """Return the readable evaluation folders directly below ``place``, newest first; damaged ones are left out."""
    return readable(place, EvaluationFolder)


def find_evaluation(name: str, place: Path | None = None) -> EvaluationFolder:
    """Return the evaluation that ``name`` names: a folder; with ``place`` also its id, how that begins, or its name.

    Raises:
        NotFound: when there is none.
        UsageError: when there are several.
    """
    direct = EvaluationFolder(Path(name))
    if direct.exists():
        return direct
    folders = list_evaluations(evaluations_place(place)) if place is not None else []
    return only_one(name, folders, lambda record: record.evaluation_id, "evaluation", "See them with: evaluations WS")


def start(folder: EvaluationFolder, *, survive: bool = True) -> ProcessHost:
    """Start the evaluation in a process of its own, or resume it where it stopped.

    Args:
        folder: of the evaluation.
        survive: whether the process continues when this one ends.

    Raises:
        WorkspaceInUse: when a process works on it already.
        UsageError: when it is finished.
    """
    require_evaluable(folder)
    require_idle(folder, "evaluation")
    control_file.request(folder.control, "run")
    return ProcessHost(folder.path, survive=survive, module=WORKER)


def resume(folder: EvaluationFolder) -> ProcessHost | None:
    """Continue a paused evaluation (then None), or start one again that ended early.

    Raises:
        UsageError: when it is finished.
    """
    if evaluation_status(folder).state in LIVE_STATES:
        control_file.request(folder.control, "run")
        return None
    return start(folder)


def pause(folder: EvaluationFolder) -> None:
    """Ask the evaluation to pause after its batch.

    Raises:
        UsageError: when no process works on it.
    """
    _require_live(folder)
    control_file.request(folder.control, "pause")


def cancel(folder: EvaluationFolder) -> None:
    """Ask the evaluation to stop after its batch; the answers so far are kept, and it can be resumed.

    Raises:
        UsageError: when no process works on it.
    """
    _require_live(folder)
    control_file.request(folder.control, "stop_and_save")


def _require_live(folder: EvaluationFolder) -> None:
    state = evaluation_status(folder).state
    if state not in LIVE_STATES:
        raise UsageError(f"No process is working on this evaluation; it is {state}.", "Resume it first.")

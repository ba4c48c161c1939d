"""List, find, start, pause, resume and cancel evaluations. A folder is enough: whoever started it does not matter."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import NotFound, UsageError, UserError
from core.domain.run_record import LIVE_STATES
from core.runs import control_file
from core.runs.evaluations.folder import PLACE, EvaluationFolder
from core.runs.evaluations.status import evaluation_status, require_evaluable
from core.runs.hosting.hosts import ProcessHost, require_idle

WORKER = "core.runs.evaluations.worker"
_ID_PREFIX = 4
"""Characters of an id that are enough to name an evaluation."""


def evaluations_place(place: Path) -> Path:
    """Return the folder that holds the evaluations of a workspace, or ``place`` itself where it is no workspace."""
    inside = place / PLACE
    return inside if inside.is_dir() or (place / "workspace.db").exists() else place


def list_evaluations(place: Path) -> list[EvaluationFolder]:
    """Return the readable evaluation folders directly below ``place``, newest first; damaged ones are left out."""
    found: list[tuple[int, str, EvaluationFolder]] = []
    for path in place.iterdir() if place.is_dir() else ():
        folder = EvaluationFolder(path)
        if not folder.exists():
            continue
        try:
            record = folder.record()
        except UserError:
            continue
        found.append((record.created_ms, record.evaluation_id, folder))
    return [folder for _, _, folder in sorted(found, key=lambda row: row[:2], reverse=True)]


def find_evaluation(name: str, place: Path | None = None) -> EvaluationFolder:
    """Return the evaluation that ``name`` names: a folder; with ``place`` also its id, how that begins, or its name.

    Raises:
        NotFound: when there is none.
        UsageError: when there are several.
    """
    direct = EvaluationFolder(Path(name))
    if direct.exists():
        return direct
    found = []
    for folder in list_evaluations(evaluations_place(place)) if place is not None else []:
        record = folder.record()
        own = record.evaluation_id
        if name in (own, record.name) or (len(name) >= _ID_PREFIX and own.startswith(name)):
            found.append(folder)
    if len(found) > 1:
        raise UsageError(f"{len(found)} evaluations are called {name!r}.", "Name one by its id or folder.")
    if not found:
        raise NotFound(f"There is no evaluation {name!r}.", "See them with: evaluations WS")
    return found[0]


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

"""A run's numbers for the viewers of other tools: TensorBoard event files, or a trackio project. Both are extras.

The libraries are loaded in a child process. The files appear complete or not at all.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from core import durable
from core.domain.choices import choice_hint
from core.domain.errors import BadInput, UsageError, UserError
from core.domain.names import cleaned_name
from core.private_files import make_folders
from core.runs.child_processes.request import Progress, run_in_subprocess
from core.runs.folder import RunFolder
from core.runs.hosting.hosts import worker_environment
from core.runs.run_reader import RunReader
from core.services.runs.log_points import plain_points
from core.unfinished import temporary_folder

LogForm = Literal["tensorboard", "trackio"]
LOG_FORMS: tuple[LogForm, ...] = get_args(LogForm)
TRACKIO_NAME = "pairwright"
"""What trackio calls the place that all runs are in."""
_TITLES: dict[LogForm, str] = {"tensorboard": "TensorBoard", "trackio": "trackio"}


@dataclass(frozen=True, slots=True)
class ExportedLog:
    """What was written: the new folder, how many moments with how many numbers, and how it is looked at."""

    path: Path
    form: LogForm
    points: int
    numbers: int
    look_with: str

    @property
    def sentence(self) -> str:
        """Where it is and how it is looked at."""
        return f"Wrote {self.numbers:,} values at {self.points:,} moments to {self.path}. Look with: {self.look_with}"


def export_log(
    run: RunFolder,
    target: Path,
    form: LogForm,
    *,
    name: str = "",
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ExportedLog:
    """Write the numbers of a run to ``target``, a new folder.

    Args:
        run: the folder of the run; it may still be going on.
        target: the new folder.
        form: "tensorboard" or "trackio".
        name: what the run is called there; "" takes its own name.
        on_progress: gets (done, total, text).
        cancelled: polled; True ends the export and leaves nothing behind.

    Raises:
        UsageError: for another form. BadInput: when ``target`` exists, or nothing was measured yet.
        UserError: when the library of the form is not installed.
        Cancelled: when ``cancelled`` became true.
    """
    if form not in LOG_FORMS:
        raise UsageError(f"The numbers of a run cannot be written for {form!r}.", choice_hint(form, LOG_FORMS))
    require_library(form)
    target = Path(target).expanduser().resolve()
    if target.exists():
        raise BadInput(f"{target} exists already; nothing was written.", "Choose another name.")
    record, points = run.record(), plain_points(RunReader(run.path))
    if not points:
        raise BadInput("This run has measured nothing yet; nothing was written.", "Export it after its first step.")
    with ExitStack() as stack:
        with durable.clear_errors(target):
            make_folders(target.parent)
            folder = stack.enter_context(temporary_folder(target.parent))
        draft = folder / target.name
        request: dict[str, Any] = {
            "form": form,
            "target": str(draft),
            "project": TRACKIO_NAME,
            "name": cleaned_name(name or record.name, "run"),
            "config": {**record.config.to_plain(), "run": record.run_id, "fingerprint": record.fingerprint},
            "points": points,
        }
        environment = {**worker_environment(), "TRACKIO_DIR": str(draft)}
        run_in_subprocess(
            "core.services.runs.log_export_worker",
            request,
            environment=environment,
            on_progress=on_progress,
            cancelled=cancelled,
        )
        durable.move(draft, target)
    return ExportedLog(target, form, len(points), sum(len(one["values"]) for one in points), _look_with(target, form))


def require_library(form: LogForm) -> None:
    """Raise where the library of a form is not installed.

    Raises:
        UserError: with the command that installs it.
    """
    if importlib.util.find_spec(form) is None:
        raise UserError(
            f"{_TITLES[form]} is not installed; nothing was written.",
            f"Install it with: pip install 'pairwright[{form}]'",
        )


def _look_with(target: Path, form: LogForm) -> str:
    if form == "tensorboard":
        return f'tensorboard --logdir "{target}"'
    return f'TRACKIO_DIR="{target}" trackio show --project {TRACKIO_NAME}'

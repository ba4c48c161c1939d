"""Requests to the child process that converts and fetches models. Needs no workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from core import hub
from core.model_files.starter import has_starter
from core.paths import starter_model_dir
from core.runs.child_processes.request import Progress, run_in_subprocess
from core.runs.hosting.hosts import worker_environment

IsCancelled = Callable[[], bool]


def make_in_child(
    task: Literal["starter", "gguf", "download"],
    *,
    online: bool = False,
    on_progress: Progress | None = None,
    cancelled: IsCancelled | None = None,
    **arguments: str,
) -> Path:
    """Do ``task`` in a child process and return the folder that it made.

    Args:
        task: what to do.
        online: let the child use the network.
        on_progress: gets (done, total, text).
        cancelled: polled; True ends the child at once.
        arguments: of the task, see ``core.services.models.worker``.

    Raises:
        UserError: the error of the child.
    """
    environment = hub.online(worker_environment()) if online else worker_environment()
    made = run_in_subprocess(
        "core.services.models.worker",
        {"task": task, **arguments},
        environment=environment,
        on_progress=on_progress,
        cancelled=cancelled,
    )
    return Path(made)


def starter_model(on_progress: Progress | None = None, cancelled: IsCancelled | None = None) -> Path:
    """Return the starter model's folder, converting it on first use.

    Raises:
        NotFound: when the package with its weights is not installed.
    """
    folder = starter_model_dir()
    return folder if has_starter(folder) else make_in_child("starter", on_progress=on_progress, cancelled=cancelled)

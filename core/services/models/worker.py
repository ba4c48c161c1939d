"""Converting and fetching models in a process of its own: they need torch or the network, a window neither."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.runs.child_processes.request import Progress, run_in_subprocess, serve
from core.runs.hosting.hosts import worker_environment

_ONLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def make_in_child(
    task: str,
    *,
    online: bool = False,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    **question: Any,
) -> Path:
    """Do ``task`` (starter, gguf or download) in a child process and return the folder it made.

    Raises:
        UserError: of the kind that the child met.
    """
    environment = worker_environment()
    if online:
        environment = {k: v for k, v in environment.items() if k not in _ONLINE}
    made = run_in_subprocess(
        "core.services.models.worker",
        {"task": task, **question},
        environment=environment,
        on_progress=on_progress,
        cancelled=cancelled,
    )
    return Path(made)


def make(question: dict[str, Any], progress: Progress) -> str:
    """Be the child: do the task and return the folder."""
    task = question["task"]
    if task == "starter":
        from core.model_files.starter import ensure_starter

        return str(ensure_starter(on_progress=progress))
    if task == "gguf":
        from core.model_files.gguf_import import convert_gguf

        return str(convert_gguf(Path(question["path"]), Path(question["target"]), on_progress=progress))
    if task == "download":
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        from core.model_files.download import download_model

        target, revision = Path(question["target"]), question["revision"]
        return str(download_model(question["repo"], target, revision=revision, on_progress=progress))
    raise ValueError(task)


if __name__ == "__main__":
    sys.exit(serve(make))

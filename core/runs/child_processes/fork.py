"""Putting a parent's checkpoint into a child run's folder, in a process of its own (it needs torch)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.runs.child_processes.request import Progress, run_in_subprocess, serve
from core.runs.folder import RunFolder
from core.runs.hosting.hosts import worker_environment


def fork_in_child(source: Path, run_dir: Path) -> None:
    """Copy the checkpoint ``source`` into the run at ``run_dir``, which continues it under its own settings.

    Raises:
        UsageError: when a setting changed that a checkpoint cannot follow.
        BadInput: when the checkpoint is damaged.
    """
    run_in_subprocess(
        "core.runs.child_processes.fork",
        {"source": str(source), "run_dir": str(run_dir)},
        environment=worker_environment(),
    )


def fork(question: dict[str, Any], _progress: Progress) -> int:
    """Do it here; return the step that the child continues from."""
    from core.training.checkpoints.fork import fork_checkpoint

    folder = RunFolder(Path(question["run_dir"]))
    record = folder.record()
    made = fork_checkpoint(Path(question["source"]), folder.path, record.config, parent_run=record.parent_run)
    return made.state.step


if __name__ == "__main__":
    sys.exit(serve(fork))

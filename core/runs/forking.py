"""Forks: runs that continue from another run's checkpoint under changed settings."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.domain.errors import NotFound
from core.domain.ids import new_uid
from core.domain.run_record import Charter
from core.durable import MANIFEST
from core.runs.child_processes.request import run_in_subprocess
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.hosting.hosts import worker_environment


def fork_run(
    parent: RunFolder,
    step: int | None,
    changes: Mapping[str, Any],
    *,
    path: Path | None = None,
    run_id: str = "",
    name: str = "",
    charter: Charter | None = None,
) -> RunFolder:
    """Create the fork, ready to start; when that fails, nothing is left behind.

    Args:
        parent: the run that is forked; it is not changed.
        step: of the checkpoint that the fork continues from; the newest when None.
        changes: settings that differ, by name.
        path: folder of the fork; None puts it beside its parent, named by its id.
        run_id: id of the fork; a new one when "".
        name: of the fork.
        charter: of the fork; the parent's when None.

    Raises:
        NotFound: when there is no such checkpoint.
        UsageError: when a setting changed that a checkpoint cannot follow, or the parent has settings that this
            version does not know.
        BadInput: when the checkpoint is damaged.
    """
    record = parent.record()
    record.require_known_settings()
    if step is None:
        step = next(iter(saved_steps(parent)), 0)
    source = parent.checkpoints / f"step-{step}"
    if not source.is_dir():
        raise NotFound(f"The run has no checkpoint of step {step}.", _about(saved_steps(parent)))
    new = NewRun(
        config=record.config.with_values(dict(changes)),
        model_dir=Path(record.model_dir),
        pairs=parent.pairs(),
        name=name or f"{record.name}-fork-{step}",
        dataset=record.dataset,
        charter=charter or record.charter,
        command_line=fork_command(parent, step, changes),
        tags=record.tags,
        parent_run=record.run_id,
        parent_step=step,
    )
    run_id = run_id or new_uid()
    fork = create_run(path or parent.path.parent / run_id, new, run_id=run_id)
    try:
        fork_in_child(source, fork.path)
    except BaseException:  # also Ctrl+C: a folder without the checkpoint would look like a run
        shutil.rmtree(fork.path, ignore_errors=True)
        raise
    return fork


def fork_in_child(source: Path, run_dir: Path) -> None:
    """Copy the checkpoint ``source`` into the run at ``run_dir``, in a child process, because that needs torch.

    Raises:
        UsageError: when a setting changed that a checkpoint cannot follow.
        BadInput: when the checkpoint is damaged.
    """
    request = {"source": str(source), "run_dir": str(run_dir)}
    run_in_subprocess("core.runs.child_processes.fork", request, environment=worker_environment())


def saved_steps(run: RunFolder) -> list[int]:
    """Return the steps that the run has checkpoints of, newest first."""
    found = [path.parent.name.removeprefix("step-") for path in run.checkpoints.glob(f"step-*/{MANIFEST}")]
    return sorted((int(step) for step in found if step.isdigit()), reverse=True)


def fork_command(parent: RunFolder, step: int, changes: Mapping[str, Any]) -> str:
    """Return the call that creates the same fork again."""
    words = ["pairwright", "runs", "fork", str(parent.path.resolve()), "--step", str(step)]
    for key, value in changes.items():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def _about(steps: list[int]) -> str:
    return f"It has checkpoints of the steps {', '.join(map(str, steps))}." if steps else "It has none yet."

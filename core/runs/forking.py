"""Child runs: a run folder of its own that goes on from another run's checkpoint under changed settings."""

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
from core.runs.child_processes.fork import fork_in_child
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder


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
    """Make the child run, ready to start; nothing is left behind when that fails.

    Args:
        parent: the run that is forked; it is not touched.
        step: of the checkpoint that the child continues from; the newest when None.
        changes: settings that differ, by name.
        path: folder of the child; beside its parent, named by its id, when None.
        run_id: id of the child; a new one when "".
        name: of the child.
        charter: of the child; the parent's when None.

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
    child = create_run(path or parent.path.parent / run_id, new, run_id=run_id)
    try:
        fork_in_child(source, child.path)
    except BaseException:  # also Ctrl+C, and an error of the program: half a child would look like a run
        shutil.rmtree(child.path, ignore_errors=True)
        raise
    return child


def saved_steps(run: RunFolder) -> list[int]:
    """Return the steps that the run has checkpoints of, newest first."""
    found = [path.parent.name.removeprefix("step-") for path in run.checkpoints.glob(f"step-*/{MANIFEST}")]
    return sorted((int(step) for step in found if step.isdigit()), reverse=True)


def fork_command(parent: RunFolder, step: int, changes: Mapping[str, Any]) -> str:
    """Return the call that makes the same child again."""
    words = ["pairwright", "runs", "fork", str(parent.path.resolve()), "--step", str(step)]
    for key, value in changes.items():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def _about(steps: list[int]) -> str:
    return f"There are those of steps {', '.join(map(str, steps))}." if steps else "It has none yet."

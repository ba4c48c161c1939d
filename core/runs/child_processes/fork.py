"""Child program: copy a parent's checkpoint into the folder of a fork. It needs torch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.runs.child_processes.request import Progress, serve
from core.runs.folder import RunFolder
from core.training.checkpoints.fork import fork_checkpoint


def fork(request: dict[str, Any], _progress: Progress) -> int:
    """Copy the checkpoint of the request ``{source, run_dir}``; return the step that the fork continues from."""
    folder = RunFolder(Path(request["run_dir"]))
    record = folder.record()
    forked = fork_checkpoint(Path(request["source"]), folder.path, record.config, parent_run=record.parent_run)
    return forked.state.step


if __name__ == "__main__":
    sys.exit(serve(fork))

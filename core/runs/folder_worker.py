"""The process that works on one folder of an evaluation or a generation: its arguments, priority and exit code."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from core.domain.errors import UserError
from core.domain.run_events import Failed, Finished
from core.runs.folder import WorkFolder
from core.runs.priority import lower_priority
from core.runs.worker import die_with_parent

WorkOn = Callable[[Path, tuple[int, ...], bool], Finished | Failed]
"""From folder, signals that mean cancel, and whether earlier requests are dropped, to the last event."""


def work_on_folder(module: str, work: WorkOn, arguments: list[str] | None = None) -> int:
    """Work on the folder that the command line names, at low priority.

    Args:
        module: the program, for its usage line.
        work: does the work.
        arguments: of the command line; None takes those of the process.

    Returns:
        0 when it finished or was cancelled, 1 when it failed, or a user error's code.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description="Work on a folder.")
    parser.add_argument("folder")
    parser.add_argument("--die-with-parent", action="store_true", help="cancel when the parent process ends")
    parser.add_argument("--keep-control", action="store_true", help="keep the requests in control.json")
    given = parser.parse_args(arguments)
    path = Path(given.folder)
    lower_priority()
    if given.die_with_parent:
        die_with_parent(WorkFolder(path).control)
    try:
        last = work(path, (signal.SIGTERM,), not given.keep_control)
    except UserError as error:
        print(f"{error.message} {error.hint}".rstrip(), file=sys.stderr, flush=True)
        return error.exit_code
    return 0 if isinstance(last, Finished) else 1

"""The worker process: ``python -m core.runs.worker RUN_DIR``.

It works on one run at low priority, so that a window stays smooth, and outlives the window that began it
unless told not to. SIGTERM means stop and save; a second one means stop now. Under ``torchrun`` the first
process works like this one and the others follow it (:mod:`core.runs.hosting.torchrun`); they ignore SIGTERM, which
torchrun sends to all, for the first needs them until it has saved.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

from core.domain.errors import UserError
from core.domain.run_events import Finished
from core.paths import cache_dir
from core.runs.control_file import request, requested
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive, named_engine
from core.runs.hosting.torchrun import follow, is_follower

NICENESS = 10


def main(arguments: list[str] | None = None) -> int:
    """Work on one run; return 0 when it ended as asked, 1 when it failed, and a user error's own code."""
    options = _parser().parse_args(arguments)
    run_dir = Path(options.run_dir)
    _lower_priority()
    if options.die_with_parent:
        _die_with_parent(RunFolder(run_dir).control)
    engine = named_engine(options.engine) if options.engine else None
    how = HostOptions(
        host="process",
        engine=engine,
        cache_dir=cache_dir(),
        signals=(signal.SIGTERM,),
        reset=not options.keep_control,
    )
    try:
        if is_follower():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            last = follow(run_dir, how)
        else:
            last = drive(run_dir, how)
    except UserError as error:
        print(f"{error.message} {error.hint}".rstrip(), file=sys.stderr, flush=True)
        return error.exit_code
    return 0 if isinstance(last, Finished) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.runs.worker", description="Work on one run folder.")
    parser.add_argument("run_dir")
    parser.add_argument("--die-with-parent", action="store_true", help="stop and save when the parent process ends")
    parser.add_argument("--keep-control", action="store_true", help="whoever starts this has asked the run to go on")
    parser.add_argument("--engine", default="", help="module:function instead of the real engine")
    return parser


def _lower_priority() -> None:
    """Let everything else go first; where that is not allowed the run just competes."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            os.nice(NICENESS)


def _die_with_parent(control: Path) -> None:
    """Stop and save when standard input ends: a pipe nobody writes to, which ends when the parent does.

    Linux could send a signal at the parent's death instead, but it watches the parent's *thread*, and a
    window starts workers from threads that come and go.
    """

    def watch() -> None:
        # The descriptor, not sys.stdin: Python aborts at exit while a thread waits in a buffered read.
        with contextlib.suppress(OSError):
            while os.read(0, 1):
                pass
        if requested(control) == "run":
            request(control, "stop_and_save")

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())

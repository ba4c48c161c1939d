"""The worker process: ``python -m core.runs.worker RUN_DIR``.

It works on one run at low priority, so that the window stays responsive, and continues after the window that started
it was closed, unless ``--die-with-parent`` is given. SIGTERM means stop and save; a second one means stop now. Under
``torchrun`` the first process works like a single one and the others follow it (:mod:`core.runs.hosting.torchrun`).
These ignore SIGTERM, which torchrun sends to all processes, because the first needs them until it has saved.
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
from core.runs.priority import lower_priority


def main(arguments: list[str] | None = None) -> int:
    """Work on one run; return 0 when it finished or stopped as asked, 1 when it failed, or the code of a user error."""
    given = _parser().parse_args(arguments)
    run_dir = Path(given.run_dir)
    lower_priority()
    if given.die_with_parent:
        die_with_parent(RunFolder(run_dir).control)
    engine = named_engine(given.engine) if given.engine else None
    options = HostOptions(
        host="process",
        engine=engine,
        cache_dir=cache_dir(),
        signals=(signal.SIGTERM,),
        reset=not given.keep_control,
    )
    try:
        if is_follower():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            last = follow(run_dir, options)
        else:
            last = drive(run_dir, options)
    except UserError as error:
        print(f"{error.message} {error.hint}".rstrip(), file=sys.stderr, flush=True)
        return error.exit_code
    return 0 if isinstance(last, Finished) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.runs.worker", description="Work on one run folder.")
    parser.add_argument("run_dir")
    parser.add_argument("--die-with-parent", action="store_true", help="stop and save when the parent process ends")
    parser.add_argument("--keep-control", action="store_true", help="keep the requests in control.json")
    parser.add_argument("--engine", default="", help="module:function instead of the real engine")
    return parser


def die_with_parent(control: Path) -> None:
    """Stop and save when standard input ends: a pipe that nobody writes to, and that closes when the parent ends.

    Linux can send a signal when the parent ends (PR_SET_PDEATHSIG), but it watches the parent's *thread*, and a
    window starts workers from short-lived threads.
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

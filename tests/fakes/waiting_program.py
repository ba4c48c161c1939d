"""A child program that holds a lock on a file, says so, and then works for ever."""

from __future__ import annotations

import fcntl
import sys
import threading
from pathlib import Path
from typing import Any

from core.runs.child_processes.request import Progress, serve


def work(request: dict[str, Any], progress: Progress) -> None:
    """Lock the file of the request and wait for what never comes."""
    with Path(request["file"]).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        progress(0, 1, "locked")
        threading.Event().wait()


if __name__ == "__main__":
    sys.exit(serve(work))

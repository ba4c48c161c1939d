"""The child process that trains a run again to compare it, so that the window's process never imports torch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.domain.run_events import RunEvent, StepDone
from core.model_files.offline import go_offline
from core.runs.child_processes.request import Progress, serve
from core.runs.event_lines import line_of
from core.runs.priority import lower_priority
from core.runs.reproduction import reproduce


def again(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Return what came of ``{folder, steps, total}``; ``steps`` 0 makes all, ``total`` is for the progress."""
    lower_priority()
    go_offline()
    done, total = 0, int(request["total"])

    def tell(event: RunEvent) -> None:
        nonlocal done
        if isinstance(event, StepDone):
            done = event.step
        progress(min(done, total), total, line_of(event) or "Training")

    progress(0, total, "Reading the run")
    return reproduce(Path(request["folder"]), steps=int(request["steps"]), on_event=tell).to_plain()


if __name__ == "__main__":
    sys.exit(serve(again))

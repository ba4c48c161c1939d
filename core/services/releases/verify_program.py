"""The child process that measures a release again, so that the window's process never imports torch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.domain.evaluation_events import EvaluationStarted
from core.model_files.offline import go_offline
from core.runs.child_processes.request import Progress, serve
from core.runs.evaluations.lines import evaluation_line
from core.runs.priority import lower_priority
from core.services.releases.verifying import verify_contract


def verify(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Return what came of the request ``{folder, run_dir}`` as plain values, with its sentence."""
    lower_priority()
    go_offline()
    done, total = 0, 0

    def tell(event: Any) -> None:
        nonlocal done, total
        if isinstance(event, EvaluationStarted):
            total = event.answers + event.pairs + event.kl_answers
        done += int(getattr(event, "count", 0))
        progress(done, total, evaluation_line(event) or "Measuring")

    progress(0, 0, "Checking the files")
    run_dir = Path(request["run_dir"]) if request["run_dir"] else None
    found = verify_contract(Path(request["folder"]), run_dir=run_dir, on_event=tell)
    told = [found.sentence(), *(found.costs.sentences() if found.costs.state else ())]
    return {"sentence": " ".join(told), **found.to_plain()}


if __name__ == "__main__":
    sys.exit(serve(verify))

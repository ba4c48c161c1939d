"""Work on an evaluation from its folder; the same code for a process of its own and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.domain.run_events import Failed, Finished
from core.model_files.offline import go_offline
from core.runs.control_file import ControlFile
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.hosting import SAFE, EvaluationHost
from core.runs.evaluations.ledger import EVALUATION_LAYOUT
from core.runs.evaluations.lines import evaluation_line
from core.runs.evaluations.status import require_evaluable
from core.runs.hosting.attempt import Work, attend


def evaluate(path: Path, options: EvaluationHost) -> Finished | Failed:
    """Work on the evaluation in ``path`` until its last event, and return that event.

    Raises:
        WorkspaceInUse: when another process works on it.
        UsageError: when it is finished.
        NotFound: when the folder holds no evaluation.
    """
    folder = EvaluationFolder(path)
    record = folder.record()

    def events(control: ControlFile, _: int) -> Iterator[Any]:
        folder.verify()
        # It imports torch, which a process that starts or watches evaluations must not load.
        from core.runs.evaluations.evaluator import Evaluator

        go_offline()
        more = {} if options.make_model is None else {"make_model": options.make_model}
        yield from Evaluator(folder, control, **more).run()

    return attend(
        folder,
        Work(
            host=options.host,
            owner=record.evaluation_id,
            require_startable=lambda: require_evaluable(folder),
            events=events,
            noun="evaluation",
            layout=EVALUATION_LAYOUT,
            line=evaluation_line,
            on_event=options.on_event,
            signals=options.signals,
            reset=options.reset,
            safe=SAFE,
        ),
    )

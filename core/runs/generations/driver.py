"""Work on a generation from its folder; the same code for a process of its own and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.domain.run_events import Failed, Finished
from core.model_files.offline import go_offline
from core.runs.control_file import ControlFile
from core.runs.evaluations.hosting import SAFE, EvaluationHost
from core.runs.evaluations.ledger import EVALUATION_LAYOUT
from core.runs.generations.control import require_unfinished
from core.runs.generations.folder import GenerationFolder
from core.runs.generations.lines import generation_line
from core.runs.hosting.attempt import Work, attend

GENERATION_LAYOUT = replace(EVALUATION_LAYOUT, owner="generation_id")
"""A generation stores what an evaluation stores: answers and log-probs of pairs."""


def generate(path: Path, options: EvaluationHost) -> Finished | Failed:
    """Work on the generation in ``path`` until its last event, and return that event.

    Raises:
        WorkspaceInUse: when another process works on it.
        UsageError: when it is finished.
        NotFound: when the folder holds no generation.
    """
    folder = GenerationFolder(path)
    record = folder.record()

    def events(control: ControlFile, _: int) -> Iterator[Any]:
        folder.verify()
        # It imports torch, which a process that starts or watches generations must not load.
        from core.runs.generations.pair_generator import PairGenerator

        go_offline()
        more = {} if options.make_model is None else {"open_model": options.make_model}
        yield from PairGenerator(folder, control, **more).run()

    return attend(
        folder,
        Work(
            host=options.host,
            owner=record.generation_id,
            require_startable=lambda: require_unfinished(folder),
            events=events,
            noun="generation",
            layout=GENERATION_LAYOUT,
            line=generation_line,
            on_event=options.on_event,
            signals=options.signals,
            reset=options.reset,
            safe=SAFE,
        ),
    )

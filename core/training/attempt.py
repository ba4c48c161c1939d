"""One attempt at a run: the arguments of ``train``, how far it has come, and its last event."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import Finished
from core.training.control_protocol import Control
from core.training.parallel.process_group import ProcessGroup
from core.training.probe import Probe


@dataclass(slots=True)
class Attempt:
    """The arguments of ``train``, and how far the attempt has come."""

    config: RunConfig
    pairs: Sequence[TrainingPair]
    model_dir: Path
    run_dir: Path
    control: Control
    probe: Probe | None
    resume: bool
    run_id: str
    cache_dir: Path | None
    processes: ProcessGroup
    inputs: Mapping[str, str] | None = None
    started: bool = False
    step: int = 0
    began: float = field(default_factory=time.monotonic)


def finished(job: Attempt, reason: Any, summary: dict[str, Any], step: int | None = None, path: str = "") -> Finished:
    """Return the last event of a run that did not fail; ``step`` defaults to that at which the attempt began."""
    seconds = time.monotonic() - job.began
    return Finished(reason, job.step if step is None else step, path, seconds, summary)

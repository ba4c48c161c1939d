"""What measures a run from outside while it trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from core.domain.look_plan import LooksPlanned
from core.domain.run_config import RunConfig
from core.domain.run_events import RunEvent
from core.training.steps.session import TrainSession


class Probe(Protocol):
    """Measures a run at step 0, whenever one of its cadences (``session.looks``) is due, and at the end."""

    def run(self, session: TrainSession, step: int, *, last: bool) -> Iterator[RunEvent]:
        """Measure and yield events. The engine reports an exception as a warning and continues."""
        ...


def is_due(looks: LooksPlanned, step: int) -> bool:
    """Return whether the probe is due after ``step``."""
    return step == 0 or any(every and step % every == 0 for every in looks.every.values())


def kl_is_watched(config: RunConfig, step: int) -> bool:
    """Return whether the KL measured after ``step`` decides if the run goes on."""
    return config.kl_budget > 0 and config.kl_every > 0 and step % config.kl_every == 0

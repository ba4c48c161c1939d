"""How the work on an evaluation or a generation is hosted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SAFE = "Every finished batch is safe."
Maker = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class EvaluationHost:
    """How an evaluation is hosted.

    Attributes:
        host: "process" or "terminal", as its status shows it.
        on_event: called with each event after it was stored.
        signals: signals that mean cancel while it is worked on; in the main thread only.
        reset: drop earlier requests. False where the starting process has dropped them.
        make_model: loads a local model; None takes the real one.
    """

    host: str = "process"
    on_event: Callable[[Any], None] | None = None
    signals: tuple[int, ...] = ()
    reset: bool = False
    make_model: Maker | None = None

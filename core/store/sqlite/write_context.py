"""When, in which opening of the workspace and by which program version a row was written."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What all rows of one write carry.

    Attributes:
        at_ms: wall clock in milliseconds UTC. mono_ms: monotonic clock in milliseconds.
        session: id of this opening of the workspace.
        app_version: version of the program.

    Order is never taken from the clocks, only from row ids: the wall clock may jump.
    """

    at_ms: int
    mono_ms: int
    session: str
    app_version: str


def mono_ms() -> int:
    """Return the monotonic clock in milliseconds, for durations that survive a change of the wall clock."""
    return time.monotonic_ns() // 1_000_000

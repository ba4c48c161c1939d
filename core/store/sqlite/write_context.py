"""When, in which opening and by which version a row was written; the same for all rows of one write."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WriteContext:
    """Attributes: wall clock and monotonic clock in ms, the opening's id, the program's version.

    Order is never taken from the clocks, only from row ids: the wall clock may jump.
    """

    at_ms: int
    mono_ms: int
    session: str
    app_version: str


def now_ms() -> int:
    """Return the wall clock in milliseconds UTC."""
    return time.time_ns() // 1_000_000


def mono_ms() -> int:
    """Return the monotonic clock in milliseconds, for durations that survive a change of the wall clock."""
    return time.monotonic_ns() // 1_000_000

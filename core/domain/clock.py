"""The time of day as everything stored carries it."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Return UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000

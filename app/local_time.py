"""Stored times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

DAY_AND_TIME = "%Y-%m-%d %H:%M"


def local_time(at_ms: float, pattern: str = DAY_AND_TIME) -> str:
    """Return a time in the zone of this computer.

    Args:
        at_ms: milliseconds since 1970, UTC.
        pattern: of ``strftime``.
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime(pattern)

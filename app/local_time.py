"""Stored times as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

DAY_AND_TIME = "%Y-%m-%d %H:%M"


def local_time(at_ms: float, pattern: str = DAY_AND_TIME) -> str:
    """Return a time in the zone of this computer.

    Args:
        at_ms: milliseconds since 1970, UTC.
        pattern: of ``strftime``.
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime(pattern)


def day_of(at_ms: float) -> tuple[int, int]:
    """Return the first millisecond of the local day that holds a time, and of the day after it."""
    day = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().date()
    return tuple(_midnight(one) for one in (day, day + timedelta(days=1)))  # type: ignore[return-value]


def last_days(now_ms: float, days: int) -> tuple[int, int]:
    """Return the local days up to the one that holds ``now_ms``, that one included, as (from, until) milliseconds."""
    day = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone().date()
    return _midnight(day - timedelta(days=days - 1)), _midnight(day + timedelta(days=1))


def _midnight(day: date) -> int:
    """Return the begin of a local day; a day of 23 or 25 hours has the offset of its own."""
    return round(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000)

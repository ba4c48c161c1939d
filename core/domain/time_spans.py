"""How long something takes, in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a time span in its two largest units.

    >>> duration(45), duration(384), duration(120), duration(7500), duration(7200)
    ('45 s', '6 min 24 s', '2 min', '2 h 05 min', '2 h')
    """
    total = max(0, round(seconds))
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return _two(total // 60, "min", total % 60, "s")
    return _two(total // 3600, "h", total % 3600 // 60, "min")


def rough(seconds: float) -> str:
    """Return a time span with one unit: what an estimate supports.

    >>> rough(100), rough(384), rough(9000)
    ('100 s', '6 min', '2 h')
    """
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds)} s"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large} {unit} {small:02d} {small_unit}" if small else f"{large} {unit}"

"""The priority of processes that work in the background, below that of the window."""

from __future__ import annotations

import contextlib
import os
import sys

import psutil

VARIABLE = "PAIRWRIGHT_NICENESS"
"""Environment variable with another niceness, 0 (as the window) to 19; for machines that only train."""

NICENESS = 10
_LEAST = 19


def lower_priority() -> None:
    """Lower the priority of this process where the system allows it."""
    niceness = _wanted()
    if not niceness:
        return
    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            os.nice(niceness)


def _wanted() -> int:
    text = os.environ.get(VARIABLE, "")
    return min(int(text), _LEAST) if text.isascii() and text.isdigit() else NICENESS

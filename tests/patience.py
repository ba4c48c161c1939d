"""How long a test waits for what must happen.

A wait ends as soon as it happens. The limits here only end a test that hangs, and are so long that no slow or busy
machine reaches them; no test sets a shorter one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from pytestqt.qtbot import QtBot

LIMIT_S = 480.0
_POLL_S = 0.005


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until ``condition`` holds, for what no event announces, such as the state of another process.

    The time limit of the test (``timeout`` in pyproject.toml) ends it when that never happens.
    """
    nothing = threading.Event()
    while not condition():
        nothing.wait(_POLL_S)


class PatientQtBot(QtBot):
    """The ``qtbot`` of pytest-qt whose waits all have the same long limit instead of five seconds."""

    def __init__(self, request: Any) -> None:
        super().__init__(request)
        for name in ("waitUntil", "waitSignal", "waitSignals", "waitActive", "waitExposed", "waitCallback"):
            setattr(self, name, partial(getattr(self, name), timeout=round(1000 * LIMIT_S)))

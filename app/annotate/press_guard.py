"""Tells a double press from an answer, so that one press never labels two pairs."""

from __future__ import annotations

from collections.abc import Callable


class DoublePressGuard:
    """Remembers which key sent the last pair away, and when.

    Args:
        clock: returns seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key, self._pressed_at = "", float("-inf")

    def note(self, key: str) -> None:
        """Note that ``key`` sent a pair away."""
        self._key, self._pressed_at = key, self._clock()

    def forget(self) -> None:
        """Note that another key was pressed in between: the next press is meant."""
        self._key = ""

    def repeats(self, key: str, within_s: float) -> bool:
        """Whether ``key`` sent the last pair away less than ``within_s`` seconds ago."""
        return key == self._key and self._clock() - self._pressed_at < within_s

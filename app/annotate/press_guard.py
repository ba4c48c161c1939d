"""Tells a double press from an answer, so that one press never labels two pairs."""

from __future__ import annotations

from collections.abc import Callable

ANY_KEY = "any key"


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

    def note_surprise(self) -> None:
        """Note that another pair was shown though no key asked for it: keys already under way mean the former one."""
        self._key, self._pressed_at = ANY_KEY, self._clock()

    @property
    def surprised(self) -> bool:
        """Whether the pair on the screen came unasked."""
        return self._key == ANY_KEY

    def forget(self) -> None:
        """Note that another key was pressed in between: the next press is meant."""
        self._key = ""

    def repeats(self, key: str, within_s: float) -> bool:
        """Whether ``key`` sent the last pair away, or a pair came unasked, less than ``within_s`` seconds ago."""
        return self._key in (key, ANY_KEY) and self._clock() - self._pressed_at < within_s

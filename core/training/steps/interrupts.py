"""Polls the control between pieces of work: pauses the run and records a request to stop."""

from __future__ import annotations

import time
from collections.abc import Iterator

from core.domain.run_events import RunEvent, StateChanged
from core.training.control_protocol import Command, Control

_WAIT_S = 1.0


class Interrupts:
    """The requests of the control.

    With several processes all must poll equally often, so only the polls between two steps count.

    Attributes:
        stop: "stop_and_save" or "stop_now" once either was asked for, else "".
        paused_s: seconds spent paused since :meth:`take_paused` was last called.
    """

    def __init__(self, control: Control, *, only_between_steps: bool = False) -> None:
        self._control = control
        self._only_between_steps = only_between_steps
        self.stop: Command | str = ""
        self.paused_s = 0.0

    def poll(self, step: int, *, between_steps: bool = False) -> Iterator[RunEvent]:
        """Follow the control: wait while paused, and set ``stop`` when the run is to end."""
        if self._only_between_steps and not between_steps:
            return
        command = self._control.command()
        if command == "pause":
            begun = time.monotonic()
            yield StateChanged("paused", step)
            while (command := self._control.command()) == "pause":
                self._control.wait(_WAIT_S)
            self.paused_s += time.monotonic() - begun
            if command == "run":
                yield StateChanged("running", step)
        if command in ("stop_and_save", "stop_now") and command != self.stop:
            if not self.stop:
                yield StateChanged("stopping", step)
            self.stop = command

    def checkpoint_wanted(self) -> bool:
        """Return True once for each request to save a checkpoint now."""
        return self._control.take_checkpoint_request()

    def take_paused(self) -> float:
        """Return the seconds paused since the last call."""
        paused, self.paused_s = self.paused_s, 0.0
        return paused

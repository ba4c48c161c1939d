"""The interface through which a run is asked to pause, stop or save. The engine polls it."""

from __future__ import annotations

from typing import Literal, Protocol

Command = Literal["run", "pause", "stop_and_save", "stop_now"]


class Control(Protocol):
    """Requests to a run. The engine polls between micro-batches: only ``wait`` may block."""

    def command(self) -> Command:
        """Return the request that holds now."""
        ...

    def take_checkpoint_request(self) -> bool:
        """Return True once for each request to save a checkpoint now."""
        ...

    def wait(self, seconds: float) -> None:
        """Sleep while paused, at most ``seconds``, returning early on a new command."""
        ...


class NoControl:
    """A control that never interrupts the run."""

    def command(self) -> Command:
        """Return "run"."""
        return "run"

    def take_checkpoint_request(self) -> bool:
        """Return False."""
        return False

    def wait(self, seconds: float) -> None:
        """Return at once."""

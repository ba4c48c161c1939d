"""How a run is asked to pause or stop. The engine polls; whoever asks knows nothing of the engine."""

from __future__ import annotations

from typing import Literal, Protocol

Command = Literal["run", "pause", "stop_and_save", "stop_now"]


class Control(Protocol):
    """Polled between micro-batches; must be cheap and never block except in ``wait``."""

    def command(self) -> Command:
        """Return what is wanted now."""
        ...

    def take_checkpoint_request(self) -> bool:
        """Return True once for each "checkpoint now"."""
        ...

    def wait(self, seconds: float) -> None:
        """Sleep while paused, at most ``seconds``, returning early on a new command."""
        ...


class NoControl:
    """A run nobody interrupts."""

    def command(self) -> Command:
        """Always run."""
        return "run"

    def take_checkpoint_request(self) -> bool:
        """Never asked for."""
        return False

    def wait(self, seconds: float) -> None:
        """Nothing to wait for."""

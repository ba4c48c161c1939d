"""``control.json``: how anyone who can write the run folder asks the run to pause, go on or stop."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from core import durable
from core.domain.errors import UserError
from core.training.control import Command

_POLL_S = 0.05
COMMANDS: tuple[str, ...] = get_args(Command)


def request(path: Path, command: Command) -> None:
    """Ask the run for ``command``; the file is replaced whole, so that no half of it is ever read."""
    durable.write_json(path, {"command": command, "checkpoint": _read(path)[1]})


def request_checkpoint(path: Path) -> None:
    """Ask for one checkpoint, whatever else is asked for."""
    command, count = _read(path)
    durable.write_json(path, {"command": command, "checkpoint": count + 1})


def requested(path: Path) -> Command:
    """Return what is asked for now."""
    return _read(path)[0]


@contextlib.contextmanager
def stop_on_signals(control: Path, signals: Sequence[int]) -> Iterator[None]:
    """Within the context the first signal means stop and save, the second stop now, and a third ends the process.

    Only who holds the run's lock may use it: what it writes stops whichever process works on the run.
    """

    def stop(number: int, _frame: Any) -> None:
        asked = requested(control)
        if asked == "stop_now":
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        with contextlib.suppress(UserError):
            request(control, "stop_now" if asked == "stop_and_save" else "stop_and_save")

    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ControlFile:
    """The engine's view of ``control.json``; keeps the contract of ``core.training.control.Control``.

    A poll is one ``stat`` and reads the file only when it was replaced. A damaged file changes nothing:
    the last readable command holds.
    """

    def __init__(self, path: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = path
        self._sleep = sleep
        self._mtime_key: tuple[int, int, int] | None = None
        self._command: Command = "run"
        self._count = 0
        self._refresh()
        self._taken = self._count

    def command(self) -> Command:
        """Return what is wanted now."""
        self._refresh()
        return self._command

    def take_checkpoint_request(self) -> bool:
        """Return True once for each request since the run began."""
        self._refresh()
        if self._count <= self._taken:
            return False
        self._taken += 1
        return True

    def wait(self, seconds: float) -> None:
        """Sleep at most ``seconds``; return early when the file changes."""
        before = self._mtime_key
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._refresh()
            if self._mtime_key != before:
                return
            self._sleep(min(_POLL_S, left))

    def _refresh(self) -> None:
        try:
            info = self._path.stat()
        except OSError:
            return
        mtime_key = (info.st_mtime_ns, info.st_ino, info.st_size)
        if mtime_key != self._mtime_key:
            self._mtime_key = mtime_key
            self._command, self._count = _read(self._path, self._command, self._count)


def _read(path: Path, command: Command = "run", count: int = 0) -> tuple[Command, int]:
    """Return command and checkpoint count; the given ones where the file is missing or unreadable."""
    try:
        plain = durable.read_json(path)
        if plain["command"] in COMMANDS:
            return plain["command"], int(plain["checkpoint"])
    except (UserError, OSError, KeyError, TypeError, ValueError):
        pass
    return command, count

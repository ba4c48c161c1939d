"""``control.json``: requests to a run to pause, continue, stop or save a checkpoint."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from core import durable
from core.domain.errors import UserError
from core.training.control_protocol import Command

_POLL_S = 0.05
COMMANDS: tuple[str, ...] = get_args(Command)


def request(path: Path, command: Command) -> None:
    """Request ``command``. The file is replaced as a whole, so that no reader sees a part of it."""
    durable.write_json(path, {"command": command, "checkpoint": _read(path)[1]})


def request_checkpoint(path: Path) -> None:
    """Request one checkpoint; the requested command stays as it is."""
    command, count = _read(path)
    durable.write_json(path, {"command": command, "checkpoint": count + 1})


def requested(path: Path) -> Command:
    """Return the command that is requested now."""
    return _read(path)[0]


@contextlib.contextmanager
def stop_on_signals(control: Path, signals: Sequence[int]) -> Iterator[None]:
    """Within the context, the first signal means stop and save, the second stop now, and the third ends the process.

    Only the process that holds the run's lock may use it, because the request stops the process that works on the run.
    """

    def stop(number: int, _frame: Any) -> None:
        current = requested(control)
        if current == "stop_now":
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        with contextlib.suppress(UserError):
            request(control, "stop_now" if current == "stop_and_save" else "stop_and_save")

    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ControlFile:
    """``control.json`` as the engine reads it; implements ``core.training.control_protocol.Control``.

    A poll is one ``stat``; the file is read only when it was replaced. While it is damaged, the last readable command
    stays valid.
    """

    def __init__(self, path: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = path
        self._sleep = sleep
        self._mtime_key: tuple[int, int, int] | None = None
        self._command: Command = "run"
        self._count = 0
        self._refresh()
        self._handled = self._count

    def command(self) -> Command:
        """Return the command that is requested now."""
        self._refresh()
        return self._command

    def take_checkpoint_request(self) -> bool:
        """Return True once for each checkpoint requested since the run started."""
        self._refresh()
        if self._count <= self._handled:
            return False
        self._handled += 1
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

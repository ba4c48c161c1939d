"""Detects blocking calls on the UI thread by hooks, not by a clock.

A slow or busy machine cannot make this guard fail: it reports that the program *called* something that can block
(a file, a database, a child process, a socket, a wait) while its code ran on the UI thread, not how long that took.
The stack decides whose call it is. The nearest frame of ``app`` or of ``tests`` made it; what a test calls itself
(a service, a file) is the test's own business. What Qt does in C++, such as saving the settings file, is not seen.
"""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any

from core.store.sqlite.database import Store

ROOT = Path(__file__).parents[2]
_APP, _TESTS = f"{ROOT / 'app'}/", f"{ROOT / 'tests'}/"
_NOT_JUDGED = ("<frozen importlib._bootstrap", "shibokensupport/", "/encodings/", "/logging/__init__.py")
"""Parts of source paths: the import of a module (PySide's own hook reads its source) and log messages. Imports read
the program itself, ahead of their use where they are large; a log message is one line in a local file."""

AUDITED = frozenset({
    "open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink",
    "os.truncate", "os.utime", "os.chmod", "shutil.copyfile", "shutil.copytree", "shutil.move", "shutil.rmtree",
    "fcntl.flock", "fcntl.lockf", "sqlite3.connect", "subprocess.Popen", "os.system", "os.posix_spawn", "os.fork",
    "os.exec", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "time.sleep",
})  # fmt: skip
"""Events of ``sys.audit`` that stand for something that can block."""

WRAPPED: tuple[tuple[Any, str], ...] = (
    (Store, "open"),
    (Store, "read"),
    (Store, "write"),
    (Store, "submit"),
    (Store, "backup"),
    (Store, "rescue"),
    (Store, "mark"),
    (Store, "place_problem"),
    (Store, "close"),
    (time, "sleep"),
    (threading.Thread, "join"),
    (threading.Event, "wait"),
    (threading.Condition, "wait"),
    (concurrent.futures.Future, "result"),
    (subprocess.Popen, "wait"),
    (subprocess.Popen, "communicate"),
)
"""Functions without an audit event. ``Store`` is the way of every service to the database."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A call that the UI thread may make.

    Attributes:
        source: end of the path of the source file whose function makes the call.
        function: name of that function.
        event: the audit event, or class and name of the wrapped function.
        reason: why it may.
    """

    source: str
    function: str
    event: str
    reason: str


_STARTING = "the settings and themes are read once, before there is a window"
_ICONS = "Qt's SVG engine reads a drawing from a file: each drawing is read, and each colour of it written, once"
_CLOSING = "the program ends: the window is closed, and what is queued must be stored before the process exits"
ALLOWED: tuple[Allowed, ...] = (
    Allowed("app/theme/theme.py", "__init__", "os.scandir", _STARTING),
    Allowed("app/theme/theme.py", "__init__", "open", _STARTING),
    Allowed("app/theme/theme_file.py", "load_tokens", "open", _STARTING),
    Allowed("app/settings/store.py", "_read", "open", _STARTING),
    Allowed("app/settings/store.py", "_write", "os.mkdir", "a changed setting is in its small file before it is told"),
    Allowed("app/background/watchdog.py", "queue_wait_s", "open", "a file in the kernel's memory, on no disk"),
    Allowed("app/theme/icons.py", "_drawing", "open", _ICONS),
    Allowed("app/theme/icons.py", "_written", "open", _ICONS),
    Allowed("app/bootstrap.py", "close", "Thread.join", _CLOSING),
    Allowed("app/bootstrap.py", "close", "Event.wait", _CLOSING),
    Allowed("app/bootstrap.py", "close", "Condition.wait", _CLOSING),
)
"""What the UI thread may do, each with its reason. Imports and log messages are allowed everywhere."""


@dataclass(frozen=True, slots=True)
class BlockingCall:
    """One call that can block: the event, what it was about, the functions of the program from the call outwards."""

    event: str
    about: str
    stack: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.event}({self.about}) at " + " < ".join(self.stack)


@dataclass
class Guard:
    """Collects the blocking calls of the program on the thread that makes the guard.

    ``program`` is what the paths of the program's source files begin with.
    """

    program: str = _APP
    calls: list[BlockingCall] = field(default_factory=list)
    allowed: tuple[Allowed, ...] = ALLOWED
    _ident: int = field(default_factory=threading.get_ident)
    _looking: bool = False

    def note(self, event: str, about: object) -> None:
        """Keep a call that the program made on the guarded thread, if it may not."""
        if self._looking or threading.get_ident() != self._ident:
            return
        self._looking = True
        try:
            frames = _frames_of(self.program, sys._getframe(1))
            if frames and not any(_permits(rule, event, frames[0]) for rule in self.allowed):
                stack = tuple(f"{_place(f)}:{f.f_lineno} {f.f_code.co_name}" for f in frames[:6])
                self.calls.append(BlockingCall(event, repr(about)[:200], stack))
        finally:
            self._looking = False


@contextmanager
def guarded(guard: Guard) -> Iterator[Guard]:
    """Let a guard see the calls of the program while the block runs."""
    _install_hook()
    originals = [(owner, name, owner.__dict__[name]) for owner, name in WRAPPED]
    for owner, name, original in originals:
        setattr(owner, name, _noting(guard, f"{owner.__name__}.{name}", original))
    _listening.append(guard)
    try:
        yield guard
    finally:
        _listening.remove(guard)
        for owner, name, original in originals:
            setattr(owner, name, original)


_listening: list[Guard] = []
"""Guards at work. The audit hook of a process cannot be taken off, so it is installed once and asks this list."""
_installed: list[bool] = []


def _install_hook() -> None:
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_hear)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if _listening and event in AUDITED:
        for guard in _listening:
            guard.note(event, args[0] if args else "")


def _noting(guard: Guard, event: str, original: Any) -> Any:
    """Return a function, or class method, that notes each call before it does what the original does."""
    if isinstance(original, classmethod):
        return classmethod(_noting(guard, event, original.__func__))
    call: Callable[..., Any] = original

    @wraps(call)
    def noted(*args: Any, **words: Any) -> Any:
        guard.note(event, "")
        return call(*args, **words)

    return noted


def _frames_of(program: str, frame: FrameType | None) -> list[FrameType]:
    """Return the program's frames, innermost first; none when a test, an import or a log message made the call."""
    found: list[FrameType] = []
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(program):
            found.append(frame)
        elif not found and path != __file__ and (path.startswith(_TESTS) or any(p in path for p in _NOT_JUDGED)):
            return []
        frame = frame.f_back
    return found


def _permits(rule: Allowed, event: str, frame: FrameType) -> bool:
    return (rule.source, rule.function, rule.event) == (_place(frame), frame.f_code.co_name, event)


def _place(frame: FrameType) -> str:
    return frame.f_code.co_filename.removeprefix(f"{ROOT}/")

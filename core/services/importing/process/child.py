"""The side of the program that asks a child process to look at a file or to parse it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from core.domain import errors
from core.domain.errors import UserError
from core.runs.child_processes.request import child_command
from core.runs.hosting.hosts import worker_environment
from core.services.importing.files.streams import check_file
from core.services.importing.files.unpack import packing_of
from core.services.importing.limits import Limits
from core.services.importing.process.batches import Batch, FileReading
from core.services.importing.process.frames import batch_from_plain, read_frame, write_frame
from core.services.importing.process.values import from_plain, to_plain
from core.services.importing.reading import Choices
from core.services.importing.report import Cancelled, ImportPreview

MEMORY = 4 << 30
"""Bytes of address space that the child may have; Python and Arrow take about 1.5 GiB of it before a file is read."""
_MODULE = "core.services.importing.process.worker"
_POLL_S = 0.1
_TAIL = 600


_LARGE = 16 << 20
_PACKED_LARGE = 1 << 20
_NATIVE = (b"PAR1", b"\x28\xb5\x2f\xfd")


def needs_child(path: Path, *, preview: bool = False) -> bool:
    """Say whether a file is parsed in a process of its own.

    Parquet and zstandard are, because a library in C++ reads them; large files are, because they take long and a cancel
    must end them at once. A small text is read sooner than a process starts, by readers whose memory is bounded.
    """
    try:
        if not path.is_file():
            return False  # the reader says what is wrong
        with path.open("rb") as file:
            head, size = file.read(8), path.stat().st_size
    except OSError:
        return False
    if head.startswith(_NATIVE):
        return True
    return not preview and size > (_PACKED_LARGE if packing_of(head) else _LARGE)


def preview_in_child(path: Path, choices: Choices, limits: Limits) -> ImportPreview:
    """Return the preview of a file that a child process made.

    Raises:
        UserError: the error of the child, or that it ended without an answer.
    """
    with _Child("preview", path, choices, limits, None) as child:
        return from_plain(ImportPreview, child.answer("preview"))


class ParsedInChild:
    """Parses a file in a child process; for :class:`~core.services.importing.process.batches.PairSource`."""

    def __init__(self, path: Path, choices: Choices, limits: Limits, cancelled: Cancelled | None = None) -> None:
        """Start the process. ``cancelled`` is polled; True kills it."""
        check_file(path, limits)
        self.size = path.stat().st_size
        self._child = _Child("parse", path, choices, limits, cancelled)
        self._remarks: tuple[str, ...] = ()

    def found(self) -> FileReading:
        """Wait for the look at the file; see :class:`PairSource`."""
        return from_plain(FileReading, self._child.answer("found"))

    def batches(self, rows: int, skip: int = 0) -> Iterator[Batch]:
        """Yield what the child sends; see :class:`PairSource`. Ends early when the child was cancelled."""
        self._child.ask({"rows": rows, "skip": skip})
        while not self._child.cancelled:
            frame = self._child.next()
            if frame is None:
                return
            if "batch" not in frame:
                self._remarks = tuple(frame["remarks"])
                return
            yield batch_from_plain(frame["batch"], frame.get("texts", ""))

    def remarks(self) -> tuple[str, ...]:
        """Return what the child counted; see :class:`PairSource`."""
        return self._remarks

    def was_cancelled(self) -> bool:
        """Say whether the child was killed because the user cancelled."""
        return self._child.cancelled

    def close(self) -> None:
        """Kill the process if it is still there."""
        self._child.close()


class _Child:
    """One child process and its pipes."""

    def __init__(self, task: str, path: Path, choices: Choices, limits: Limits, cancelled: Cancelled | None) -> None:
        self._path = path
        self.cancelled = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process writes to it
        self._process = subprocess.Popen(
            child_command(_MODULE),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=worker_environment(),
            start_new_session=True,
        )
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, args=(cancelled,), name="import-watch", daemon=True)
        self._watcher.start()
        request = {"task": task, "path": str(path.absolute()), "memory": MEMORY}
        self.ask({**request, "choices": to_plain(choices), "limits": to_plain(limits)})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, request: dict[str, Any]) -> None:
        """Send a message; a child that has ended is noticed when its answer is read."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            write_frame(self._process.stdin, request)

    def answer(self, key: str) -> Any:
        """Return the answer called ``key``.

        Raises:
            UserError: the error of the child, that it was cancelled, or that it ended.
        """
        frame = self.next()
        if frame is None:
            raise UserError("Cancelled; nothing was stored.")
        return frame[key]

    def next(self) -> dict[str, Any] | None:
        """Return the next message, or None when the child was killed because the user cancelled.

        Raises:
            UserError: the error of the child, or that it ended before its time.
        """
        assert self._process.stdout is not None
        try:
            frame = read_frame(self._process.stdout)
        except ValueError:
            frame = None
        if frame is None:
            if self.cancelled:
                return None
            raise self._ended()
        if "error" in frame:
            told = frame["error"]
            raise getattr(errors, told["kind"], UserError)(told["message"], told["hint"])
        return frame

    def close(self) -> None:
        """End the process and release the pipes; safe to call twice."""
        self._over.set()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._watcher.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._errors.close()

    def _watch(self, cancelled: Cancelled | None) -> None:
        while cancelled is not None and not self._over.wait(_POLL_S):
            if cancelled():
                self.cancelled = True
                self._process.kill()
                return

    def _ended(self) -> UserError:
        """Return the sentence for a child that ended before it had answered."""
        code = self._process.wait()
        self._errors.seek(0)
        output = self._errors.read().decode("utf-8", errors="replace").strip().splitlines()
        if code < 0:
            with contextlib.suppress(ValueError):
                output = [f"signal {signal.Signals(-code).name}"]
        detail = output[-1][:_TAIL] if output else f"code {code}"
        return UserError(
            f"The process that reads {self._path.name} ended before it was done ({detail}); reading stopped.",
            "The file may be damaged or made to do harm. Write it again as JSON Lines and import that.",
        )

"""The child process of a talk, seen from this one: it is started by the first request and again after it ended."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from core.domain import errors
from core.domain.errors import UserError
from core.domain.evaluation_record import Arm
from core.runs.child_processes.request import Cancelled, child_command
from core.runs.hosting.hosts import worker_environment

PROGRAM = "core.runs.talks.talk_program"
_TAIL_LINES = 20
OnMessage = Callable[[Mapping[str, Any]], None]


class TalkEnded(UserError):
    """The process that holds the models ended by itself."""


class AnsweringProcess(Protocol):
    """What a talk needs of its process."""

    def request(self, body: Mapping[str, Any], on_message: OnMessage) -> Any:
        """Send a request and return its result; every message before it is handed over."""
        ...

    def stop(self) -> None:
        """End the request that is being answered."""
        ...

    def close(self) -> None:
        """End the process."""
        ...


class TalkProcess:
    """Holds the models of some arms in a process of its own. One request at a time; any thread may call.

    Args:
        arms: who answers.
        device: where the models compute.
        threads: of torch; 0 chooses.
        program: the module that is run; tests run another one.
    """

    def __init__(self, arms: Sequence[Arm], *, device: str = "auto", threads: int = 0, program: str = PROGRAM) -> None:
        self._opening = {"arms": [asdict(arm) for arm in arms], "device": device, "threads": threads}
        self._program = program
        self._child: subprocess.Popen[str] | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._asking, self._writing = threading.Lock(), threading.Lock()
        self._number, self._is_ready, self._given_up = 0, False, False

    def request(self, body: Mapping[str, Any], on_message: OnMessage) -> Any:
        """Send a request, starting the process where none runs, and return its result.

        Args:
            body: plain values, ``op`` among them.
            on_message: called in this thread with each message before the result.

        Raises:
            TalkEnded: when the process ended before the result; the next request starts another one.
            Cancelled: when the request was stopped before the models were loaded, or this was closed.
            UserError: of the kind that the child raised.
        """
        with self._asking:
            self._number += 1
            number, child = self._number, self._running()
            assert child.stdout is not None
            with contextlib.suppress(OSError):  # a process that ended is noticed by the end of its output
                self._send(child, {**body, "id": number})
            for line in child.stdout:
                message = _message(line)
                if message is None or message.get("id", number) != number:
                    continue
                if "error" in message:
                    if "id" not in message:
                        child.wait()  # the models could not be loaded
                    raise _raised(message)
                if "result" in message:
                    return message["result"]
                self._is_ready |= "ready" in message
                on_message(message)
            raise self._why_ended(child)

    def stop(self) -> None:
        """End the request that is being answered where it is; one that waits for the models ends the process."""
        child = self._child
        if child is None:
            return
        if not self._is_ready:
            self._given_up = True
            child.kill()
            return
        with contextlib.suppress(OSError, ValueError):
            self._send(child, {"op": "stop", "id": self._number})

    def close(self) -> None:
        """End the process; a later request starts it again. Does not wait."""
        child = self._child
        if child is not None and child.poll() is None:
            self._given_up = True
            child.kill()

    def _running(self) -> subprocess.Popen[str]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._release()
        self._is_ready = self._given_up = False
        self._tail = deque(maxlen=_TAIL_LINES)
        child = subprocess.Popen(
            child_command(self._program),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=worker_environment(),
            start_new_session=True,
        )
        threading.Thread(target=_drain, args=(child, self._tail), daemon=True).start()
        self._child = child
        with contextlib.suppress(OSError):
            self._send(child, self._opening)
        return child

    def _release(self) -> None:
        """Close the pipes of a process that ended."""
        if self._child is not None:
            for pipe in (self._child.stdin, self._child.stdout):
                with contextlib.suppress(OSError):
                    if pipe is not None:
                        pipe.close()

    def _send(self, child: subprocess.Popen[str], message: Mapping[str, Any]) -> None:
        assert child.stdin is not None
        with self._writing:
            child.stdin.write(json.dumps(message) + "\n")
            child.stdin.flush()

    def _why_ended(self, child: subprocess.Popen[str]) -> UserError:
        code = child.wait()
        if self._given_up:
            return Cancelled("Stopped; the talk is as it was before.")
        said = self._tail[-1].strip() if self._tail else ""
        return TalkEnded(
            f"The process that holds the models {_end_words(code)}{f': {said}' if said else ''}. The talk is kept.",
            "Send again: a new process is started. If memory is short, close other programs first.",
        )


def _drain(child: subprocess.Popen[str], tail: deque[str]) -> None:
    """Read what a child prints on standard error, then collect its exit code."""
    assert child.stderr is not None
    tail.extend(line for line in child.stderr if line.strip())
    child.stderr.close()
    child.wait()


def _message(line: str) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None  # something a library printed
    return message if isinstance(message, dict) else None


def _raised(message: Mapping[str, Any]) -> UserError:
    kind = getattr(errors, str(message.get("kind")), UserError)
    return kind(message["error"], message.get("hint", ""))


def _end_words(code: int) -> str:
    if code == -signal.SIGKILL:
        return "was killed, as the system does when memory runs out"
    try:
        return f"ended by the signal {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    except ValueError:
        return f"ended by the signal {-code}"

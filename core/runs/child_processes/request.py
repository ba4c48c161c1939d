"""Run one request in a short-lived child process, so that the window's process never imports torch.

The child gets one JSON object, a line of standard input, and answers with JSON lines: ``{"progress": [done, total,
text]}`` any number of times, ``{"part": ...}`` for each part of a result that is known early, then ``{"result": ...}``
or ``{"error": ..., "hint": ..., "kind": ...}``. Standard input stays open until the answer is there: where it ends
sooner, the parent was killed, and the child ends too, for nobody waits for its answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from core.domain import errors
from core.domain.errors import UserError

Progress = Callable[[int, int, str], None]
Part = Callable[[Any], None]
_TAIL = 2000


class Cancelled(UserError):
    """The caller cancelled the request."""


def child_command(module: str) -> list[str]:
    """Return the command that runs a module of this program in a process of its own, installed or frozen."""
    frozen = getattr(sys, "frozen", False)
    return [sys.executable, "child", module] if frozen else [sys.executable, "-m", module]


def run_in_subprocess(
    module: str,
    request: dict[str, Any],
    *,
    environment: dict[str, str],
    on_progress: Progress | None = None,
    on_part: Part | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Any:
    """Run ``python -m module`` on ``request`` and return its result.

    Args:
        module: a program that calls :func:`serve`.
        request: plain values.
        environment: of the child process.
        on_progress: called with (done, total, text).
        on_part: called with each part of the result that is known before the whole.
        cancelled: polled; True kills the child.

    Raises:
        Cancelled: when ``cancelled`` returned True; the child has ended.
        UserError: of the kind that the child raised, or when it ended without an answer.
    """
    child = subprocess.Popen(
        child_command(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment,
        start_new_session=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    error_output: list[str] = []
    reader = threading.Thread(target=lambda: error_output.append(child.stderr.read()), daemon=True)  # type: ignore[union-attr]
    reader.start()
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(child, cancelled, stop), daemon=True)
    watcher.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
        answer = _read_answer(child.stdout, on_progress, on_part)
        child.wait()
    finally:
        stop.set()
        if child.poll() is None:
            child.kill()
            child.wait()
        reader.join()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        child.stdout.close()
        child.stderr.close()
    if answer is None and cancelled is not None and cancelled():
        raise Cancelled("Cancelled; nothing was changed.")
    return _unpack(answer, child.returncode, "".join(error_output))


def _watch(child: subprocess.Popen[str], cancelled: Callable[[], bool] | None, stop: threading.Event) -> None:
    while cancelled is not None and not stop.wait(0.1):
        if cancelled():
            child.kill()
            return


def _read_answer(lines: Any, on_progress: Progress | None, on_part: Part | None) -> dict[str, Any] | None:
    answer = None
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue  # something a library printed
        if isinstance(message, dict) and "progress" in message and on_progress is not None:
            on_progress(*message["progress"])
        elif isinstance(message, dict) and "part" in message and on_part is not None:
            on_part(message["part"])
        elif isinstance(message, dict) and ("result" in message or "error" in message):
            answer = message
    return answer


def _unpack(answer: dict[str, Any] | None, code: int, error_output: str) -> Any:
    if answer is None:
        raise UserError(
            f"A helper process ended without an answer (code {code}): {error_output[-_TAIL:].strip() or 'no message'}",
            "Nothing was changed. If memory is short, close other programs and try again.",
        )
    if "error" in answer:
        kind = getattr(errors, str(answer.get("kind")), UserError)
        raise kind(answer["error"], answer.get("hint", ""))
    return answer["result"]


def serve(work: Callable[[dict[str, Any], Progress], Any]) -> int:
    """In the child: read the request, do ``work``, print the answer and return the exit code."""
    return serve_parts(lambda request, progress, _part: work(request, progress))


def serve_parts(work: Callable[[dict[str, Any], Progress, Part], Any]) -> int:
    """Do what :func:`serve` does for work that hands out parts of its result (plain values) before the whole."""
    out = sys.stdout
    sys.stdout = sys.stderr  # keeps what libraries print apart from the answer

    def say(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=out, flush=True)

    def progress(done: int, total: int, text: str) -> None:
        say({"progress": [done, total, text]})

    try:
        request = json.loads(sys.stdin.readline())
        threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
        result = work(request, progress, lambda value: say({"part": value}))
    except UserError as error:
        say({"error": error.message, "hint": error.hint, "kind": type(error).__name__})
        return error.exit_code
    say({"result": result})
    return 0


def _end_with_parent() -> None:
    """End this process at once when standard input ends: like a cancelled one, it leaves only temporary files."""
    # The descriptor, not sys.stdin: Python aborts at exit while a thread waits in a buffered read.
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    os._exit(1)

"""Start a run in a process of its own (the default) or in a thread of this one; both behave the same."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from core.domain.clock import now_ms
from core.domain.errors import UserError, WorkspaceInUse
from core.domain.run_events import Finished
from core.paths import cache_dir
from core.private_files import follow_folder
from core.runs.control_file import request
from core.runs.folder import RunFolder, WorkFolder
from core.runs.heartbeat import read_worker
from core.runs.hosting.driver import Engine, HostOptions, drive, named_engine

HostKind = Literal["process", "thread"]
RUN_WORKER = "core.runs.worker"
_SOURCE_ROOT = Path(__file__).resolve().parents[3]


class Host(Protocol):
    """A run that this process started."""

    kind: HostKind

    def alive(self) -> bool:
        """Return whether the run is still worked on."""
        ...

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end and return the exit code; None when ``timeout`` seconds passed first."""
        ...


class ProcessHost:
    """A worker process in its own session, so that Ctrl+C in the window's terminal does not reach it.

    Args:
        run_dir: folder of the run, or of the evaluation.
        survive: continue when this process ends, so that the window can be closed and opened again.
        engine: "module:function" instead of the real engine.
        module: the program that works on such a folder.
    """

    kind: HostKind = "process"

    def __init__(self, run_dir: Path, *, survive: bool = True, engine: str = "", module: str = RUN_WORKER) -> None:
        folder = WorkFolder(run_dir)
        arguments = [*worker_command(module), str(Path(run_dir).resolve()), "--keep-control"]
        arguments += [] if survive else ["--die-with-parent"]
        arguments += ["--engine", engine] if engine else []
        with folder.worker_output.open("ab") as output:
            follow_folder(folder.worker_output)
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL if survive else subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=worker_environment(),
                start_new_session=True,
                close_fds=True,
            )
        self.pid = self._process.pid

    def alive(self) -> bool:
        """Return whether the process runs. Also frees the process-table entry of one that ended."""
        return self._process.poll() is None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the process to end."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """Kill the process; the run is then interrupted and can be resumed."""
        self._process.kill()
        self._process.wait()


class ThreadHost:
    """The run in a thread of this process, for debugging and where processes cannot be started."""

    kind: HostKind = "thread"

    def __init__(
        self, run_dir: Path, *, engine: Engine | None = None, on_error: Callable[[UserError], None] | None = None
    ) -> None:
        self._run_dir = Path(run_dir)
        self._options = HostOptions(host="thread", engine=engine, cache_dir=cache_dir())
        self._on_error = on_error
        self._code: int | None = None
        self._thread = threading.Thread(target=self._work, name=f"run-{self._run_dir.name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        code = 1
        try:
            code = 0 if isinstance(drive(self._run_dir, self._options), Finished) else 1
        except UserError as error:
            code = error.exit_code
            if self._on_error is not None:
                self._on_error(error)
        finally:
            self._code = code

    def alive(self) -> bool:
        """Return whether the thread runs."""
        return self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the thread to end."""
        self._thread.join(timeout)
        return self._code


def start(
    run_dir: Path,
    kind: HostKind = "process",
    *,
    survive: bool = True,
    engine: str | Engine | None = None,
) -> Host:
    """Start the run in ``run_dir``, or resume it from its newest checkpoint.

    Args:
        run_dir: the run folder.
        kind: a process of its own, or a thread of this one.
        survive: whether the process continues when this one ends.
        engine: "module:function" or, for a thread, the function itself; the real one when None.

    Raises:
        WorkspaceInUse: when a process works on it already.
    """
    folder = RunFolder(run_dir)
    folder.record()
    require_idle(folder, "run")
    request(folder.control, "run")
    if kind == "process":
        return ProcessHost(run_dir, survive=survive, engine=engine if isinstance(engine, str) else "")
    return ThreadHost(run_dir, engine=named_engine(engine) if isinstance(engine, str) else engine)


def require_idle(folder: WorkFolder, noun: str) -> None:
    """Raise where a process works on the folder.

    Raises:
        WorkspaceInUse: naming the process.
    """
    worker = read_worker(folder.worker)
    if worker is not None and worker.alive(now_ms()):
        raise WorkspaceInUse(f"Process {worker.pid} is already working on this {noun}.", "Watch it, or stop it first.")


def worker_command(module: str = RUN_WORKER) -> list[str]:
    """Return the command that starts a worker, from source or from a frozen application."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "worker"] if module == RUN_WORKER else [sys.executable, "child", module]
    return [sys.executable, "-m", module]


def worker_environment() -> dict[str, str]:
    """Return the worker's environment: offline, unbuffered, and able to import ``core`` from anywhere."""
    path = os.pathsep.join(filter(None, (str(_SOURCE_ROOT), os.environ.get("PYTHONPATH", ""))))
    return {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONSAFEPATH": "1",  # a folder named core in the current folder must not hide this one
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }

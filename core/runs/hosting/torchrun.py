"""A run in several processes, one for each GPU: how they are started, and what the processes after the first do.

``torchrun`` starts the worker N times. The first process holds the run's lock, writes ledger and checkpoints and reads
the control file, exactly as a single worker does; the others only compute. On several machines the same worker is
started by hand on each, with the run folder on a shared disk:

    torchrun --nnodes 2 --node-rank R --nproc-per-node 8 --master-addr HOST --master-port PORT -m core.runs.worker RUN
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from core.domain.errors import UsageError
from core.domain.run_events import Failed, Finished, RunEvent
from core.runs.control_file import request, stop_on_signals
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, real_engine, verified_inputs
from core.runs.hosting.hosts import worker_environment
from core.runs.hosting.run_lock import lock_run
from core.runs.run_reader import RunReader
from core.runs.status import require_startable
from core.training.control_protocol import NoControl

_POLL_S = 0.2


def is_follower() -> bool:
    """Return whether this is one of several processes of a run, but not the first."""
    return int(os.environ.get("RANK", "0")) > 0


def follow(run_dir: Path, options: HostOptions) -> Finished | Failed:
    """Compute with the first process until the run ends; write nothing but reference log-probs.

    Resumes from the newest checkpoint if there is one, as the first process does.

    Raises:
        BadInput, ModelRefused, NotFound: when an input was altered or is gone.
    """
    folder = RunFolder(run_dir)
    record = folder.record()
    engine = options.engine or real_engine()[0]
    inputs = verified_inputs(folder, record)
    last: RunEvent | None = None
    for event in engine(
        record.config,
        folder.pairs(),
        model_dir=Path(record.model_dir),
        run_dir=folder.path,
        control=NoControl(),
        probe=None,
        resume=True,
        run_id=record.run_id,
        cache_dir=options.cache_dir,
        inputs=inputs,
        created_ms=record.created_ms,
    ):
        last = event
    if not isinstance(last, Finished | Failed):
        last = Failed("error", "The engine ended without a last event.", "Please report this.")
    if isinstance(last, Failed):  # it may be that the first process never learns of it
        print(f"Process {os.environ.get('RANK')}: {last.message} {last.hint}", file=sys.stderr, flush=True)
    return last


def run_processes(
    run_dir: Path, count: int, on_event: Callable[[RunEvent], None], *, signals: Sequence[int] = ()
) -> Finished | Failed:
    """Start the run in ``count`` processes of this machine and report its events until it ends.

    Args:
        run_dir: the run folder.
        count: how many processes.
        on_event: called with each event.
        signals: signals that mean stop and save meanwhile; in the main thread only.

    Raises:
        UsageError: when the run cannot be started, and in a packaged program, which has no interpreter for torchrun.
        WorkspaceInUse: when another process works on it; that process is not affected.
        NotFound: when the folder holds no run; nothing is written there.
    """
    if getattr(sys, "frozen", False):
        raise UsageError("This build runs one process.", "Use --launch from a source checkout.")
    folder = RunFolder(run_dir)
    folder.record()
    require_startable(folder)
    with lock_run(folder):  # the first process takes it again, but nobody would see its refusal
        request(folder.control, "run")
    with stop_on_signals(folder.control, signals):
        return _until_the_end(folder, count, on_event)


def _until_the_end(folder: RunFolder, count: int, on_event: Callable[[RunEvent], None]) -> Finished | Failed:
    reader = RunReader(folder.path)
    reader.poll()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    command += ["-m", "core.runs.worker", str(folder.path.resolve()), "--keep-control"]
    with folder.worker_output.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=worker_environment(),
            start_new_session=True,
        )
    last: Finished | Failed | None = None
    while last is None:
        ended = process.poll() is not None
        for event in reader.poll():
            on_event(event)
            if isinstance(event, Finished | Failed):
                last = event
        if ended and last is None:
            return Failed(
                "error",
                f"The processes ended with code {process.returncode} before the run did.",
                f"See {folder.worker_output}. Everything up to the last checkpoint is safe.",
            )
        time.sleep(_POLL_S)
    process.wait()
    return last

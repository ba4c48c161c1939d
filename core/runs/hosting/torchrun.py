"""A run in several processes, one a GPU: how they are started, and what the ones that do not lead do.

``torchrun`` starts the worker N times. The first holds the run's lock, writes ledger and checkpoints and reads
the control file, exactly as a single worker does; the others only compute. On several machines the same
worker is started by hand on each, with the run folder on a shared disk:

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
from core.runs.hosting.driver import HostOptions, verified_inputs
from core.runs.hosting.hosts import worker_environment
from core.runs.hosting.run_lock import lock_run
from core.runs.reader import RunReader
from core.runs.status import require_startable
from core.training.control import NoControl

_POLL_S = 0.2


def is_follower() -> bool:
    """Return whether this is one of several processes of a run, and not the first."""
    return int(os.environ.get("RANK", "0")) > 0


def follow(run_dir: Path, how: HostOptions) -> Finished | Failed:
    """Compute with the first process until it is done; write nothing but reference log-probs.

    It takes the newest checkpoint if there is one, as the first process does.
    """
    folder = RunFolder(run_dir)
    record = folder.record()
    engine = how.engine
    if engine is None:
        from core.model_files.offline import go_offline
        from core.training.engine import train

        go_offline()
        engine = train
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
        cache_dir=how.cache_dir,
        inputs=inputs,
    ):
        last = event
    if not isinstance(last, Finished | Failed):
        last = Failed("error", "The engine ended without saying why.", "Please report this.")
    if isinstance(last, Failed):  # the first process may never hear of it
        print(f"Process {os.environ.get('RANK')}: {last.message} {last.hint}", file=sys.stderr, flush=True)
    return last


def run_processes(
    run_dir: Path, count: int, on_event: Callable[[RunEvent], None], *, signals: Sequence[int] = ()
) -> Finished | Failed:
    """Start the run in ``count`` processes of this machine and pass on its events until it ends.

    Args:
        run_dir: the run folder.
        count: how many processes.
        on_event: told each event.
        signals: those that mean stop and save meanwhile; from the main thread only.

    Raises:
        UsageError: when the run is finished, and in a packaged program, which has no interpreter that torchrun
            could start.
        WorkspaceInUse: when another process works on it; that one is left in peace.
        NotFound: when the folder holds no run; nothing is written there.
    """
    if getattr(sys, "frozen", False):
        raise UsageError("This build runs one process.", "Use --launch from a source checkout.")
    folder = RunFolder(run_dir)
    folder.record()
    require_startable(folder)
    with lock_run(folder):  # the first process takes it anew, but would be refused where nobody hears it
        request(folder.control, "run")
    with stop_on_signals(folder.control, signals):
        return _until_the_end(folder, count, on_event)


def _until_the_end(folder: RunFolder, count: int, on_event: Callable[[RunEvent], None]) -> Finished | Failed:
    reader = RunReader(folder.path)
    reader.poll()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    command += ["-m", "core.runs.worker", str(folder.path.resolve()), "--keep-control"]
    with open(folder.worker_output, "ab") as output:
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

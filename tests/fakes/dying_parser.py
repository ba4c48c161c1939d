"""A child process of the import that dies in the middle of its work, in the way its environment names."""

from __future__ import annotations

import os
import signal
import sys
from typing import IO, Any

from core.services.importing.process import worker

_real = worker.write_frame
_batches = 0


def dying(out: IO[bytes], value: Any, texts: str = "") -> None:
    """Write a message; after two batches, die."""
    global _batches
    _batches += "batch" in value
    if _batches > 2 and "batch" in value:
        if os.environ["PAIRWRIGHT_TEST_DEATH"] == "memory":
            raise MemoryError
        os.kill(os.getpid(), signal.SIGKILL)
    _real(out, value, texts)


if __name__ == "__main__":
    worker.write_frame = dying
    output = sys.stdout.buffer
    sys.stdout = sys.stderr
    sys.exit(worker.main(sys.stdin.buffer, output))

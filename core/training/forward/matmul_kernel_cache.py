"""Which matrix kernel was found faster on this machine, remembered between processes.

The measurement is short, and on a machine where both kernels are about level noise may decide it either way.
Two runs that are to be equal bit for bit, and a reference cache that is to be found again, need the same answer
every time: so the first answer is kept beside the caches, for as long as processor and torch stay the same.
"""

from __future__ import annotations

import contextlib
import os
import platform
from functools import cache
from pathlib import Path
from typing import Any

import torch

from core import durable
from core.domain.errors import UserError
from core.training.forward.matmul_kernels import ONEDNN, TORCH, choose_kernel

FILE = "linear_kernel.json"


def settled_kernel(cache_dir: Path | None) -> str:
    """Return the name of the float32 kernel that runs on this machine take, measuring it the first time.

    Args:
        cache_dir: folder of what can be computed again; None measures once a process and remembers nothing.
    """
    if cache_dir is None:
        return choose_kernel(torch.float32).name
    path = Path(cache_dir) / FILE
    if name := _recall(path):
        return name
    measured = choose_kernel(torch.float32).name
    with contextlib.suppress(UserError, OSError):
        _remember(path, measured)
    return _recall(path) or measured


def _remember(path: Path, kernel: str) -> None:
    """Write the answer unless another process has meanwhile: the first one holds, and both read it back.

    What is there and speaks of another machine, or is damaged, is cleared away first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{FILE}.{os.getpid()}")
    durable.write_json(fresh, {**machine(), "kernel": kernel})
    try:
        if not _recall(path):
            path.unlink(missing_ok=True)
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)


def _recall(path: Path) -> str:
    try:
        found = durable.read_json(path)
    except (UserError, OSError, ValueError):
        return ""
    if not isinstance(found, dict) or found.get("kernel") not in (TORCH, ONEDNN):
        return ""
    return found["kernel"] if {k: found.get(k) for k in machine()} == machine() else ""


@cache
def machine() -> dict[str, Any]:
    """Return what the answer depends on: processor, its vector instructions as torch sees them, and torch."""
    return {
        "processor": _processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    """Return the processor's name; Linux tells it in a file alone."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

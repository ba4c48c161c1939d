"""Stores which matrix kernel is faster on this machine, so that every process uses the same one.

The measurement is short, and where both kernels are about equally fast, noise decides it. Runs that must be bitwise
equal, and a reference cache that must be found again, need the same result every time. So the first result is stored
beside the caches and used as long as processor and torch stay the same.
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
from core.generation.matmul_kernels import ONEDNN, TORCH, choose_kernel

FILE = "linear_kernel.json"


def preferred_kernel(cache_dir: Path | None) -> str:
    """Return the name of the float32 kernel that runs on this machine use; measures it the first time.

    Args:
        cache_dir: folder of the caches; None measures once a process and stores nothing.
    """
    if cache_dir is None:
        return choose_kernel(torch.float32).name
    path = Path(cache_dir) / FILE
    if name := _stored(path):
        return name
    measured = choose_kernel(torch.float32).name
    with contextlib.suppress(UserError, OSError):
        _store(path, measured)
    return _stored(path) or measured


def _store(path: Path, kernel: str) -> None:
    """Write the result unless another process has written it meanwhile; both then read the first one.

    A file of another machine, or a damaged one, is deleted first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{FILE}.{os.getpid()}")
    durable.write_json(fresh, {**machine(), "kernel": kernel})
    try:
        if not _stored(path):
            path.unlink(missing_ok=True)
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)


def _stored(path: Path) -> str:
    try:
        found = durable.read_json(path)
    except (UserError, OSError, ValueError):
        return ""
    if not isinstance(found, dict) or found.get("kernel") not in (TORCH, ONEDNN):
        return ""
    return found["kernel"] if {k: found.get(k) for k in machine()} == machine() else ""


@cache
def machine() -> dict[str, Any]:
    """Return what the result depends on: processor, its vector instructions as torch uses them, and torch."""
    return {
        "processor": _processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    """Return the processor's name; on Linux only a file holds it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

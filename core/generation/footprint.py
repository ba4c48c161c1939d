"""Keep the memory of the process near what its tensors need, and tell how much it takes.

These settings change no result: they tell the C library and oneDNN what to do with memory that is not in use.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Any

import psutil
import torch

KEPT_PRIMITIVES = "64"
"""Compiled products that oneDNN keeps, each for one shape: more than a pair needs, and little memory."""
OWN_MAPPING = 4 << 20
"""Bytes from which a tensor gets a mapping of its own; in the heap, larger ones leave holes that stay unused."""
_M_MMAP_THRESHOLD = -3


def limit_caches() -> None:
    """Set all limits of this module; call it before the first product."""
    limit_primitive_caches()
    map_large_tensors()


def limit_primitive_caches() -> None:
    """Limit how many compiled products oneDNN keeps, unless the environment says how many.

    Every row length is a shape of its own, and a compiled product takes 0.3 MB twice, in oneDNN's cache and in
    torch's before it. Their limits of 1024 each would let a run over pairs of many lengths grow by 480 MB. Both
    limits are read once, at the first product.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, KEPT_PRIMITIVES)


def map_large_tensors() -> None:
    """Make glibc map large tensors one by one, so that freeing one returns its memory to the system.

    By default glibc takes tensors of up to 32 MB from the heap once one of them was freed. Activations of rows of
    different lengths then leave holes that others do not fit into: 3.5 GB instead of 2.5 GB at 1,300 tokens.
    """
    if libc := _libc():
        libc.mallopt(_M_MMAP_THRESHOLD, OWN_MAPPING)


def trim_heap() -> None:
    """Return freed memory to the system; does nothing where the C library is not glibc."""
    if libc := _libc():
        libc.malloc_trim(0)


def resident_bytes() -> int | None:
    """Return the memory that this process holds, in bytes; None where the system does not tell."""
    try:
        return int(psutil.Process().memory_info().rss)
    except (psutil.Error, OSError):
        return None


def cuda_peak_bytes(device: torch.device) -> int | None:
    """Return the most bytes that tensors have taken on a CUDA card so far; None for another device."""
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else None


@cache
def _libc() -> Any:
    """Return the C library where it is glibc, else None."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL(None)
        return libc if libc.malloc_trim and libc.mallopt else None
    except (OSError, AttributeError):
        return None

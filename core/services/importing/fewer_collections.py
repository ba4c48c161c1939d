"""Python's search for unreachable cycles, made rarer while a file is read.

It begins anew for each 700 objects that stay, and an import makes five a record that all end without a cycle: an eighth
of its processor time went into the search.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_USUAL = gc.get_threshold()
_RARE = (50_000, 20, 100)


def collect_rarely() -> None:
    """Search rarely from now on; for a process that only reads a file."""
    gc.set_threshold(*_RARE)


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Search rarely meanwhile. Of two that overlap, the first to end restores the usual."""
    collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL)

"""Whether a copy of a workspace database is sound: the same checks as *Check workspace*, on one closed file.

A small file is checked here. A large one is checked in a process of its own at low priority, because the checks hash
every text in Python and would make the window wait for its turn.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from core.store.sqlite.connect import connect, pragma
from core.store.sqlite.identity import SCHEMA, quick_check
from core.store.sqlite.integrity import check_database

IN_PROCESS_BELOW = 4 * 1024 * 1024
"""Bytes of a file that is checked in about 0.1 s."""
_NICE = 10


def problems(path: Path) -> list[str]:
    """Return what is wrong with the database file; empty when it is sound. No writer may have it open."""
    if path.stat().st_size >= IN_PROCESS_BELOW and (found := _in_own_process(path)) is not None:
        return found
    return problems_here(path)


def problems_here(path: Path) -> list[str]:
    """Check a file in this process. A file of an older format is checked for damage only."""
    try:
        with closing(connect(path, "ro")) as connection:
            if pragma(connection, "user_version") != SCHEMA:
                return quick_check(connection)
            return [finding.message for finding in check_database(connection) if finding.serious]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return [f"It cannot be read: {error}"]


def _in_own_process(path: Path) -> list[str] | None:
    """Return the problems, None where no process can be started or it gave no answer."""
    program = ["child", __name__] if getattr(sys, "frozen", False) else ["-m", __name__]
    try:
        done = subprocess.run(
            [sys.executable, *program, str(path)], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        found = json.loads(done.stdout)
    except (OSError, ValueError):
        return None
    return [str(line) for line in found] if isinstance(found, list) else None


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(_NICE)
    print(json.dumps(problems_here(Path(sys.argv[1]))))

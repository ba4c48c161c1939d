"""Runs that another process made while this one has the workspace open for writing.

A run is a folder of its own, which needs no lock to be made. Only the list of runs in the database does. A process that
may not write there leaves the id of its run in ``runs/.requests``; whoever opens the workspace for writing, or has it
open, adds the run and removes the request.
"""

from __future__ import annotations

from pathlib import Path

from core import durable
from core.domain.errors import UserError
from core.private_files import make_folders

REQUESTS = ".requests"
_NAME_CHARS = 64


def leave(place: Path, run_id: str) -> None:
    """Ask for the run in ``place/run_id`` to be added to the list of runs.

    Raises:
        StorageFull, UserError: when the request cannot be written.
    """
    folder = place / REQUESTS
    with durable.clear_errors(folder):
        make_folders(folder)
    durable.write_json(folder / f"{run_id}.json", {"run_id": run_id})


def pending(place: Path) -> list[str]:
    """Return the ids of the runs that are asked for, oldest first."""
    found = (path.stem for path in (place / REQUESTS).glob("*.json"))
    return sorted(name for name in found if name.isalnum() and len(name) <= _NAME_CHARS)


def done(place: Path, run_id: str) -> None:
    """Remove a request."""
    try:
        (place / REQUESTS / f"{run_id}.json").unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"The request of run {run_id} cannot be removed: {error.strerror}.") from error

"""Files that the window writes, which appear complete or not at all, and small ones that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core import bounded, durable
from core.domain.errors import BadInput

_SMALL = 4 << 20
KEPT = {"runs", "evaluations", "generations", "models", "backups", "sealed", ".lock"}
"""What a workspace keeps in its folder beside its database."""


def write_file(path: Path, data: bytes) -> None:
    """Write a file that the user chose in a dialog, which asks before one that is there is replaced.

    Raises:
        StorageFull, UserError: when it cannot be written; a file that was there is as it was.
    """
    durable.write_bytes(chosen_place(path, replace=True), data)


def chosen_place(path: Path, *read: Path, replace: bool = False) -> Path:
    """Return the absolute path of a file that the user wants written.

    Args:
        path: as the user named it.
        read: the files from which it is made.
        replace: the user said that a file that is there may be replaced.

    Raises:
        BadInput: it is a folder, one of the files that are read, or one that a workspace keeps; or it is there and
            must not be replaced.
    """
    path = Path(path).expanduser().absolute()
    if not path.exists():
        return path
    if path.is_dir():
        raise BadInput(f"{path} is a folder; nothing was written.", "Name a file in it.")
    if any(other.exists() and path.samefile(other) for other in read):
        raise BadInput(f"{path} is the file that is read; nothing was written.", "Choose another name.")
    real = path.resolve()
    folder = next((above for above in real.parents if (above / "workspace.db").is_file()), None)
    first = real.relative_to(folder).parts[0] if folder else ""
    if first in KEPT or first.startswith("workspace.db"):
        raise BadInput(
            f"{path} is a file of the workspace {folder}; nothing was written there.",
            "Choose another name, outside the folders that the workspace keeps.",
        )
    if not replace:
        raise BadInput(
            f"{path} exists already; nothing was written.",
            "Choose another name, or say that it may be replaced (--replace on the command line).",
        )
    return path


def read_object(path: Path) -> dict[str, Any]:
    """Return the object of a small JSON file.

    Raises:
        BadInput: when it is missing, no regular file, too large, nested too deeply, or holds something else.
    """
    return bounded.read_object(Path(path), _SMALL)

"""What was downloaded from the hub into a workspace: how much there is, and its removal once it is not needed.

An import copies the texts into the database, so a downloaded file is needed only until its import has ended. Nothing
removes it by itself: whoever downloaded 20 GB may want to import them another way tomorrow.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.durable import clear_errors
from core.services.importing.hub import DOWNLOADS, NOTE, origin_of

_PART = ".part"


@dataclass(frozen=True, slots=True)
class Download:
    """One file in the downloads folder.

    Attributes:
        path: where it lies.
        size: in bytes.
        address: hf://datasets/owner/name@commit/path, "" where the note of its origin is missing.
        whole: False for the beginning of a file whose download was cut off.
        needed: an import from it is not finished.
    """

    path: Path
    size: int
    address: str
    whole: bool
    needed: bool = False


def listed(workspace: Path, needed: Collection[Path] = ()) -> list[Download]:
    """Return the downloaded files of a workspace by path; ``needed`` are files of unfinished imports."""
    wanted = {path.absolute() for path in needed}
    return [
        Download(path, path.lstat().st_size, _address(path, workspace), not path.name.endswith(_PART), path in wanted)
        for path in sorted(_files(workspace))
    ]


def clear(workspace: Path, needed: Collection[Path] = (), *, parts: bool = False) -> list[Download]:
    """Remove the downloads that are whole and not needed, and return them; folders that become empty go too.

    Args:
        workspace: its folder.
        needed: files of unfinished imports, which stay.
        parts: remove beginnings of files as well, whose downloads then start anew.

    Raises:
        UserError: when one cannot be removed; those before it are gone.
    """
    gone = [one for one in listed(workspace, needed) if not one.needed and (one.whole or parts)]
    for one in gone:
        with clear_errors(one.path):
            one.path.unlink(missing_ok=True)
    _remove_empty(workspace.absolute() / DOWNLOADS)
    return gone


def _files(workspace: Path) -> Iterator[Path]:
    """Yield the files below the downloads folder, links to elsewhere included but not followed."""
    for folder, _, names in os.walk(workspace.absolute() / DOWNLOADS, followlinks=False):
        yield from (Path(folder, name) for name in names if name != NOTE)


def _address(path: Path, workspace: Path) -> str:
    shown = path.with_name(path.name.removeprefix(".").removesuffix(_PART)) if path.name.endswith(_PART) else path
    origin = origin_of(shown, workspace)
    return origin.address if origin is not None else ""


def _remove_empty(root: Path) -> None:
    """Remove folders without a file; a note of origin alone is none."""
    for folder, _, names in os.walk(root, topdown=False, followlinks=False):
        place = Path(folder)
        with suppress(OSError):
            if names == [NOTE] and not any(path.is_dir() for path in place.iterdir()):
                (place / NOTE).unlink()
            place.rmdir()

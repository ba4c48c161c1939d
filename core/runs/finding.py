"""Finding the folders of runs and of evaluations: what lies in a place, and which one a word names."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from core.domain.errors import NotFound, UsageError, UserError

_ID_PREFIX = 4
"""Characters of an id that are enough to name a folder."""


class _Recorded(Protocol):
    path: Path

    def exists(self) -> bool: ...

    def record(self) -> Any: ...


F = TypeVar("F", bound=_Recorded)


def readable(place: Path, make: Callable[[Path], F]) -> list[F]:
    """Return the readable folders directly below ``place``, newest first; damaged ones are left out."""
    found: list[tuple[int, str, F]] = []
    for path in place.iterdir() if place.is_dir() else ():
        folder = make(path)
        if not folder.exists():
            continue
        try:
            found.append((folder.record().created_ms, path.name, folder))
        except UserError:
            continue
    return [folder for _, _, folder in sorted(found, key=lambda one: one[:2], reverse=True)]


def left_out(place: Path, listed: Sequence[_Recorded], record: str) -> list[str]:
    """Return the names of the folders below ``place`` that hold a file ``record`` and are not ``listed``.

    :func:`readable` leaves them out, because they cannot be read; who lists folders names them.
    """
    known = {folder.path for folder in listed}
    found = place.iterdir() if place.is_dir() else ()
    return sorted(path.name for path in found if path not in known and os.path.lexists(path / record))


def inside(place: Path, name: str) -> Path:
    """Return the folder of this name in a workspace, or ``place`` itself where it is no workspace."""
    folder = place / name
    return folder if folder.is_dir() or (place / "workspace.db").exists() else place


def only_one(word: str, folders: Sequence[F], id_of: Callable[[Any], str], noun: str, hint: str) -> F:
    """Return the folder that a word names: by its id, how that begins, or its name.

    Args:
        word: that names it.
        folders: to look in.
        id_of: from a folder's record to its id.
        noun: "run" or "evaluation".
        hint: what helps where there is none.

    Raises:
        NotFound: when there is none.
        UsageError: when there are several.
    """
    found = []
    for folder in folders:
        record = folder.record()
        own = id_of(record)
        if word in (own, record.name) or (len(word) >= _ID_PREFIX and own.startswith(word)):
            found.append(folder)
    if len(found) > 1:
        raise UsageError(f"{len(found)} {noun}s are called {word!r}.", "Name one by its id or folder.")
    if not found:
        raise NotFound(f"There is no {noun} {word!r}.", hint)
    return found[0]

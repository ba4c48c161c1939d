"""Whether a file is still what it was when its reading began: another program may write to it meanwhile."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import BadInput
from core.durable import file_sha256


class Unchanged:
    """Notices that a file that is being read was written to or replaced; one that was deleted is read to its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state, self._sha256 = _state(path), ""

    def hashed(self, known: str = "") -> str:
        """Return the sha256 of the file; ``known`` where it is known.

        Raises:
            BadInput: the file has changed since its reading began.
        """
        self._sha256 = known or file_sha256(self._path)
        if _state(self._path) != self._state:
            raise self._changed()
        return self._sha256

    def check(self) -> None:
        """Raise unless all that was read until now is of the file that was hashed.

        Raises:
            BadInput: another program wrote other bytes to the file.
        """
        now = _state(self._path)
        if now is None or now == self._state:
            return
        if file_sha256(self._path) != self._sha256:
            raise self._changed()
        self._state = now

    def _changed(self) -> BadInput:
        words = f"{self._path.name} was written to while it was read; nothing that was read after that is stored."
        return BadInput(words, "Import it again once it is complete and no program writes to it.")


def _state(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is written to or replaced; None where there is none."""
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns

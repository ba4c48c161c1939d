"""Notice that the folder of a run or an evaluation was moved, deleted or replaced while a process works on it.

Otherwise open files would go on to be written where nobody looks for them, and a request to stop would never arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.domain.errors import NotFound


def while_it_stays(events: Iterator[Any], path: Path, noun: str) -> Iterator[Any]:
    """Yield ``events`` as long as ``path`` is the folder that it was before the first one.

    Raises:
        NotFound: where the folder is gone or another one after an event.
    """
    began = _identity(path)
    for event in events:
        if _identity(path) != began:
            raise NotFound(
                f"The folder of this {noun} was moved or deleted while a process worked on it: {path}.",
                f"Put it back and resume the {noun}: what was stored before is in it. If it is deleted, begin again.",
            )
        yield event


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        info = path.stat()
        return info.st_dev, info.st_ino
    return None

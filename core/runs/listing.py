"""All runs below a folder."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import UserError
from core.runs.folder import RunFolder


def list_folders(place: Path) -> list[RunFolder]:
    """Return the readable run folders directly below ``place``, newest first; damaged ones are passed over."""
    found: list[tuple[int, RunFolder]] = []
    for path in Path(place).iterdir() if Path(place).is_dir() else ():
        folder = RunFolder(path)
        if not folder.exists():
            continue
        try:
            found.append((folder.record().created_ms, folder))
        except UserError:
            continue
    return [folder for _, folder in sorted(found, key=lambda item: item[0], reverse=True)]

"""Which files are meant by several names: a folder stands for the data files in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from core.domain.errors import BadInput
from core.services.importing.files.side_car import SIDE_CAR

_ENDINGS = {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"}
_PACKED = {".gz", ".bz2", ".xz", ".zst"}


def data_files(names: Iterable[Path | str]) -> tuple[list[Path], list[Path]]:
    """Return the files to import in their order, and what was left out of the folders among the names.

    A file that is named is meant, whatever its ending. A folder stands for the data files in it and below, by name;
    hidden ones, manifests beside a table and other kinds of file are left out.

    Raises:
        BadInput: when a folder holds no data file.
    """
    found: dict[Path, None] = {}
    left: list[Path] = []
    for name in map(Path, names):
        if not name.is_dir():
            found[name] = None
            continue
        inside = sorted(path for path in name.rglob("*") if path.is_file() and not _is_hidden(path, name))
        data = [path for path in inside if is_data(path)]
        if not data:
            raise BadInput(f"{name} holds no data file.", f"Read are files that end in {', '.join(sorted(_ENDINGS))}.")
        found |= dict.fromkeys(data)
        left += [path for path in inside if not is_data(path)]
    return list(found), left


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def is_data(path: PurePath) -> bool:
    """Return whether a file of this name is one of the kinds that the import reads."""
    plain = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    return plain.suffix.lower() in _ENDINGS and not path.name.endswith(SIDE_CAR)

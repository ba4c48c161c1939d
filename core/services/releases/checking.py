"""Whether the folders of releases still hold what was released; *Check workspace* asks it too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core import durable
from core.domain.errors import UserError
from core.services.releases.names import CONTRACT


def release_problems(made: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each release whose folder is there and is not what was released.

    A folder that was moved or deleted is no problem: it belongs to the user.

    Args:
        made: details of the event log's entries of releases.
    """
    for row in made:
        name, folder = str(row["name"]), Path(str(row["folder"]))
        if not folder.is_dir():
            continue
        if not (folder / CONTRACT).is_file():
            yield f"Release {name}: {CONTRACT} is missing in {folder}."
            continue
        try:
            durable.verify_folder(folder)
            if durable.file_sha256(folder / durable.MANIFEST) != row["manifest_sha256"]:
                yield f"Release {name}: the folder {folder} holds another release."
        except UserError as error:
            yield f"Release {name}: {error.message}"

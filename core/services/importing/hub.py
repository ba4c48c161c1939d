"""Datasets of the Hugging Face hub as files to import: list them, download chosen ones, remember where they are from.

The files of one commit lie in ``downloads/owner--name/commit`` of the workspace, beside a note of their origin. An
import of a file there takes address and licence of its source from the note, by whichever way it was started.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from core import hub
from core.bounded import read_object
from core.domain.errors import BadInput, NotFound, StorageFull, UserError
from core.durable import clear_errors, write_json
from core.hub import HubFile
from core.private_files import make_private_folder
from core.runs.child_processes import request
from core.runs.child_processes.request import Progress, run_in_subprocess
from core.runs.hosting.hosts import worker_environment
from core.services.importing.files.kinds import plain_name
from core.services.importing.limits import Limits

DOWNLOADS = "downloads"
NOTE = ".origin.json"
IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class HubDataset:
    """What the hub says of a dataset at one commit.

    Attributes:
        repo: owner/name.
        commit: 40 hex digits; what is fetched is of this commit, whatever happens on the hub meanwhile.
        licence: of its card, empty where that names none.
        gated: its files are given only to those who accepted terms.
        files: all of them, by path.
        endpoint: address of the hub.
    """

    repo: str
    commit: str
    licence: str
    gated: bool
    files: tuple[HubFile, ...]
    endpoint: str

    @property
    def readable(self) -> tuple[HubFile, ...]:
        """The files that can be imported."""
        return tuple(file for file in self.files if file.readable)

    def chosen(self, paths: Sequence[str]) -> tuple[HubFile, ...]:
        """Return the files of these paths.

        Raises:
            NotFound: when the dataset has no such file.
            BadInput: when one cannot be imported.
        """
        known = {file.path: file for file in self.files}
        for path in paths:
            if path not in known:
                raise NotFound(f"{self.repo} has no file {path!r}.", "List its files.")
            if not known[path].readable:
                raise BadInput(f"{path} is no data file that the import reads; it was not fetched.", "List the files.")
        return tuple(known[path] for path in dict.fromkeys(paths))


@dataclass(frozen=True, slots=True)
class HubOrigin:
    """Where a downloaded file is from: its address with the commit, a name for its source, the card's licence."""

    address: str
    name: str
    licence: str


def hub_address() -> str:
    """Return the address of the hub that would be asked."""
    return hub.endpoint()


def list_dataset(repo: str, revision: str = "main", cancelled: IsCancelled | None = None) -> HubDataset:
    """Ask the hub for the files of a dataset. Call it only when a person named ``repo`` and asked.

    Args:
        repo: owner/name.
        revision: a branch, tag or commit.
        cancelled: polled; True ends the request.

    Raises:
        BadInput: when ``repo`` is not of the form owner/name.
        NotFound: when there is no such public dataset or revision.
        UserError: when the hub cannot be reached.
    """
    hub.check_repo(repo, "dataset")
    told = _in_child({"task": "list", "repo": repo, "revision": revision}, None, cancelled)
    files = tuple(HubFile(**file) for file in told["files"])
    return HubDataset(repo, told["commit"], told["licence"], told["gated"], files, hub.endpoint())


def fetch_files(
    dataset: HubDataset,
    paths: Sequence[str],
    workspace: Path,
    *,
    limits: Limits | None = None,
    on_progress: Progress | None = None,
    cancelled: IsCancelled | None = None,
) -> list[Path]:
    """Download files of a dataset into the workspace and return where they lie, in the order of ``paths``.

    A file that is there already is not fetched again; one that was cut off goes on.

    Args:
        dataset: see :func:`list_dataset`.
        paths: of the files.
        workspace: folder of the workspace.
        limits: what one file may hold.
        on_progress: gets (bytes that arrived, all bytes, path).
        cancelled: polled; True ends the download.

    Raises:
        NotFound, BadInput: for a path that is not there, not readable or too large.
        StorageFull: when the disk has no room.
        UserError: when the hub cannot be reached or the download is cut off.
    """
    limits = limits or Limits()
    files = dataset.chosen(paths)
    for file in files:
        if file.size > limits.file_bytes:
            raise BadInput(f"{file.path} has {file.size:,} bytes, more than the {limits.file_bytes:,} allowed.")
    folder = _folder(workspace, dataset)
    _check_room(workspace, sum(file.size for file in files if not (folder / file.path).is_file()))
    with clear_errors(folder):
        make_private_folder(workspace / DOWNLOADS)
        make_private_folder(folder)
    write_json(folder / NOTE, {"repo": dataset.repo, "commit": dataset.commit, "licence": dataset.licence})
    asked = {
        "task": "fetch",
        "repo": dataset.repo,
        "revision": dataset.commit,
        "files": [asdict(file) for file in files],
        "folder": str(folder),
    }
    try:
        return [Path(place) for place in _in_child(asked, on_progress, cancelled)]
    except request.Cancelled as error:
        raise request.Cancelled(
            "Cancelled. What has arrived is kept.", "The same download goes on from there."
        ) from error


def origin_of(path: Path, workspace: Path) -> HubOrigin | None:
    """Return where a file was downloaded from, None for one that lies elsewhere or has no readable note."""
    root = (workspace / DOWNLOADS).resolve()
    try:
        parts = path.resolve().relative_to(root).parts
    except ValueError:
        return None
    if len(parts) < 3:
        return None
    try:
        note = read_object(root / parts[0] / parts[1] / NOTE)
    except UserError:
        return None
    repo, commit, licence = (str(note.get(key, "")) for key in ("repo", "commit", "licence"))
    if parts[:2] != (repo.replace("/", "--"), commit):
        return None
    inner = PurePosixPath(*parts[2:])
    name = f"{repo} {inner.parent / plain_name(Path(inner.name))}"
    return HubOrigin(f"hf://datasets/{repo}@{commit}/{inner}", name, licence)


def _folder(workspace: Path, dataset: HubDataset) -> Path:
    return workspace.absolute() / DOWNLOADS / dataset.repo.replace("/", "--") / dataset.commit


def _check_room(workspace: Path, needed: int) -> None:
    free = shutil.disk_usage(workspace).free
    if free < needed:
        raise StorageFull(
            f"The download needs {needed / 2**20:,.1f} MiB and {free / 2**20:,.1f} MiB are free; nothing was fetched.",
            "Free some space and try again.",
        )


def _in_child(asked: dict[str, Any], on_progress: Progress | None, cancelled: IsCancelled | None) -> Any:
    return run_in_subprocess(
        "core.services.importing.hub_worker",
        asked,
        environment=hub.online(worker_environment()),
        on_progress=on_progress,
        cancelled=cancelled,
    )

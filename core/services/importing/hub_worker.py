"""The child process that lists a dataset of the Hugging Face hub and downloads its files: a window uses no network.

Files are received as bytes and checked by their hash. Nothing of a dataset is run, no script of its authors either.
"""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from core import hub
from core.domain.errors import BadInput
from core.hub import HubFile
from core.private_files import make_private_folder
from core.runs.child_processes.request import Progress, serve
from core.services.importing.several import is_data

MOST_FILES = 20_000
_ABOUT_DATA = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}
_UNSAFE = re.compile(r'[\\:*?"<>|\x00-\x1f]')
_COMMIT = re.compile(r"[0-9a-f]{40}")
_STEP = 1 << 20  # bytes between two reports of progress


def answer(request: dict[str, Any], progress: Progress) -> Any:
    """Do the task of the request: return the listing of a dataset, or the places of the files that were fetched."""
    repo, revision = request["repo"], request["revision"]
    hub.keep_to_own_hosts()
    try:
        if request["task"] == "list":
            return _listing(repo, revision)
        files = [HubFile(**file) for file in request["files"]]
        return _fetch_all(repo, revision, files, Path(request["folder"]), progress)
    except Exception as error:
        raise hub.failure(repo, error, "dataset", revision) from error


def _listing(repo: str, revision: str) -> dict[str, Any]:
    """Return commit, licence and files of a dataset."""
    from huggingface_hub import HfApi  # slow to import, and a test of the other functions needs no network

    api = HfApi(endpoint=hub.endpoint(), token=False)
    info = api.dataset_info(repo, revision=revision, timeout=hub.TIMEOUT_S)
    commit = str(info.sha)
    if not _COMMIT.fullmatch(commit):
        raise BadInput(f"The hub names no commit of {repo}; nothing was fetched.", "Check the address of the hub.")
    tree = api.list_repo_tree(repo, recursive=True, revision=commit, repo_type="dataset")
    entries = list(islice((entry for entry in tree if hasattr(entry, "blob_id")), MOST_FILES + 1))
    if len(entries) > MOST_FILES:
        raise BadInput(
            f"{repo} holds more than {MOST_FILES:,} files, too many to list.",
            "Download what you need by another program and import the files.",
        )
    files = [_file(entry) for entry in entries]
    return {
        "commit": commit,
        "licence": _licence(info),
        "gated": bool(info.gated),
        "files": [asdict(file) for file in sorted(files, key=lambda file: file.path)],
    }


def _file(entry: Any) -> HubFile:
    path, large = str(entry.path), entry.lfs
    sha256 = str(large.sha256) if large is not None else ""
    return HubFile(path, int(entry.size), sha256, str(entry.blob_id), is_readable(path))


def is_readable(path: str) -> bool:
    """Return whether a file of a dataset can be imported by its name, and written here under that name.

    >>> is_readable("data/train-00000-of-00001.parquet"), is_readable("../train.jsonl"), is_readable("load.py")
    (True, False, False)
    """
    parts = path.split("/")
    if _UNSAFE.search(path) or any(not part or part.startswith(".") for part in parts) or len(path) > 400:
        return False
    return is_data(PurePosixPath(path)) and parts[-1] not in _ABOUT_DATA


def _licence(info: Any) -> str:
    """Return the licence that the card of a dataset names, empty where it names none."""
    card = info.card_data
    named = getattr(card, "license", None) if card is not None else None
    if not named:
        prefix = "license:"
        named = [tag.removeprefix(prefix) for tag in info.tags or () if str(tag).startswith(prefix)]
    return ", ".join(map(str, named)) if isinstance(named, list) else str(named or "")


def _fetch_all(repo: str, commit: str, files: list[HubFile], folder: Path, progress: Progress) -> list[str]:
    """Download the files that are not there yet; what an earlier try left is continued."""
    from huggingface_hub import hf_hub_url  # slow to import, and a test of the other functions needs no network

    total, before, places = sum(file.size for file in files), 0, []
    for file in files:
        target = folder / file.path
        make_private_folder(target.parent)
        if not hub.is_fetched(target, file):
            url = hf_hub_url(repo, file.path, repo_type="dataset", revision=commit, endpoint=hub.endpoint())
            hub.fetch(url, file, target, _in_steps(progress, before, total, file.path))
        before += file.size
        progress(before, total, file.path)
        places.append(str(target))
    return places


def _in_steps(progress: Progress, before: int, total: int, path: str) -> Any:
    """Return a function that reports the bytes of one file, not more often than about once a MiB."""
    told = -1

    def on_bytes(have: int) -> None:
        nonlocal told
        if have // _STEP != told:
            told = have // _STEP
            progress(before + have, total, path)

    return on_bytes


if __name__ == "__main__":
    sys.exit(serve(answer))

"""Fetch a model from the Hugging Face hub, only when a person asks for it.

Only safetensors weights, configs, tokenizer and text files are fetched, at one commit that the manifest records. The
fetched folder is checked like any other before it appears.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from core import hub
from core.domain.errors import BadInput
from core.durable import publish_folder
from core.model_files.folder_check import check_model
from core.model_files.gguf_import import Progress, no_progress
from core.private_files import make_folders

PATTERNS: tuple[str, ...] = (
    "*.safetensors",
    "model.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "README.md",
    "LICENSE*",
)


def download_model(repo: str, target: Path, *, revision: str = "main", on_progress: Progress = no_progress) -> Path:
    """Fetch ``repo`` into the folder ``target`` (must not exist) and return it.

    Raises:
        BadInput: when the name is not of the form owner/name, or ``target`` exists.
        UserError: when the hub cannot be reached, or has no such model for this user.
        ModelRefused: when the fetched model is not safe to load.
    """
    from huggingface_hub import HfApi, snapshot_download  # slow to import, and most runs of the program never fetch

    hub.check_repo(repo, "model")
    target = Path(target)
    if target.exists():
        raise BadInput(f"{target} exists already; nothing was fetched.", "Use it, or choose another name.")
    make_folders(target.parent)
    on_progress(0, 3, f"Looking up {repo}")
    try:
        commit = str(HfApi().model_info(repo, revision=revision).sha)
    except Exception as error:
        raise hub.failure(repo, error, "model", revision) from error

    def fill(folder: Path) -> None:
        on_progress(1, 3, f"Fetching {repo}")
        try:
            snapshot_download(repo, revision=commit, local_dir=folder, allow_patterns=list(PATTERNS))
        except Exception as error:
            raise hub.failure(repo, error, "model", revision) from error
        shutil.rmtree(folder / ".cache", ignore_errors=True)
        on_progress(2, 3, "Checking the files")
        check_model(folder)

    publish_folder(target, fill, identity={"kind": "model", "origin": repo, "revision": commit})
    on_progress(3, 3, "Ready")
    return target

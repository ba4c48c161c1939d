"""Fetching a model from the Hugging Face hub: the one place that goes online, and only when a person asks.

Only weights in safetensors, configs, tokenizer and texts are fetched, at one exact commit that the manifest
records. What arrived is checked like any other folder before it appears.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from core.domain.errors import BadInput, UserError
from core.durable import publish_folder
from core.model_files.folder_check import check_model
from core.model_files.gguf_import import Progress, no_progress

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
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def check_repo(repo: str) -> str:
    """Return the repository name.

    Raises:
        BadInput: when it is not of the form owner/name.
    """
    if not _REPO.fullmatch(repo) or ".." in repo:
        raise BadInput(f"{repo!r} is no model on the hub.", "Name it as owner/name, for example Qwen/Qwen2.5-0.5B.")
    return repo


def download_model(repo: str, target: Path, *, revision: str = "main", on_progress: Progress = no_progress) -> Path:
    """Fetch ``repo`` into the folder ``target`` (must not exist) and return it.

    Raises:
        BadInput: when the name is none.
        UserError: when the hub cannot be reached, or has no such model for this user.
        ModelRefused: when what arrived is not safe to load.
    """
    from huggingface_hub import HfApi, snapshot_download

    check_repo(repo)
    target = Path(target)
    if target.exists():
        raise BadInput(f"{target} exists already; nothing was fetched.", "Use it, or choose another name.")
    target.parent.mkdir(parents=True, exist_ok=True)
    on_progress(0, 3, f"Looking up {repo}")
    try:
        commit = str(HfApi().model_info(repo, revision=revision).sha)
    except Exception as error:
        raise _unreachable(repo, error) from error

    def fill(folder: Path) -> None:
        on_progress(1, 3, f"Fetching {repo}")
        try:
            snapshot_download(repo, revision=commit, local_dir=folder, allow_patterns=list(PATTERNS))
        except Exception as error:
            raise _unreachable(repo, error) from error
        shutil.rmtree(folder / ".cache", ignore_errors=True)
        on_progress(2, 3, "Checking the files")
        check_model(folder)

    publish_folder(target, fill, identity={"kind": "model", "origin": repo, "revision": commit})
    on_progress(3, 3, "Ready")
    return target


def _unreachable(repo: str, error: Exception) -> UserError:
    kind: Any = type(error).__name__
    return UserError(
        f"{repo} could not be fetched ({kind}); nothing was kept.",
        "Check the name, the network, and whether the model asks for a licence to be accepted on its page.",
    )

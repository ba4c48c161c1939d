"""The child process that converts and fetches models: it needs torch or the network, and a window loads neither."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.model_files.download import download_model
from core.model_files.gguf_import import convert_gguf
from core.model_files.starter import ensure_starter
from core.runs.child_processes.request import Progress, serve


def make(request: dict[str, Any], progress: Progress) -> str:
    """Do the task of the request and return the folder that it made."""
    match request["task"]:
        case "starter":
            made = ensure_starter(on_progress=progress)
        case "gguf":
            made = convert_gguf(Path(request["path"]), Path(request["target"]), on_progress=progress)
        case "download":
            target, revision = Path(request["target"]), request["revision"]
            made = download_model(request["repo"], target, revision=revision, on_progress=progress)
        case task:
            raise ValueError(task)
    return str(made)


if __name__ == "__main__":
    sys.exit(serve(make))

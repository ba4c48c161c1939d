"""Where a model comes from: a folder, a GGUF file, the starter model, or the hub when a person names one there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from app.context import AppContext

SOURCES = ("A Hugging Face folder", "A GGUF file", "The starter model", "A model of the Hugging Face hub…")


def add_model(context: AppContext, done: Callable[[str], None], owner: QObject) -> None:
    """Ask where from, add it as a job with Cancel, and call ``done`` with its folder."""
    dialogs, service = context.dialogs, context.services.models

    def job(title: str, work: Callable[..., Any]) -> None:
        context.ops.job(
            title,
            lambda control: work(on_progress=control.progress, cancelled=lambda: control.cancelled),
            lambda outcome: done(str(outcome.value.path)),
            owner=owner,
        )

    kind = dialogs.choose("Add a model", "From", SOURCES)
    if kind == 0 and (folder := dialogs.open_folder("Model folder")):
        job(f"Adding {folder.name}", lambda **_: service.add_folder(folder))
    elif kind == 1 and (path := dialogs.open_file("GGUF file", "GGUF (*.gguf)")):
        job(f"Converting {path.name}", lambda **words: service.add_gguf(path, path.stem, **words))
    elif kind == 2:
        job("Starter model", service.ensure_starter)
    elif kind == 3 and (repo := dialogs.text("Download a model", "Its name on the hub, as owner/model")):
        text = f"{repo} will be fetched from huggingface.co into this workspace: weights as safetensors, no code."
        if dialogs.ask("Download a model", text, ("Download", "Cancel")) == "Download":
            job(f"Downloading {repo}", lambda **words: service.download(repo, **words))

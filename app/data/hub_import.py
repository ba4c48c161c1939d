"""A dataset of the Hugging Face Hub, from its name to files that the import page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.background.task import BackgroundTask
from app.context import AppContext
from core.domain.counting import counted, size_words
from core.services.importing.hub import hub_address

if TYPE_CHECKING:
    from core.services.importing.hub import HubDataset

TITLE = "From the Hugging Face Hub"
MOST_LISTED = 500


class HubImport(QObject):
    """Asks for a dataset, lists its files, and downloads the chosen ones after *Download* was pressed.

    ``started(BackgroundTask)`` fires with each job, ``fetched(list[Path])`` with the files.
    """

    started = Signal(object)
    fetched = Signal(object)

    def __init__(self, context: AppContext, parent: QWidget) -> None:
        """Args: parent: owner of the background work."""
        super().__init__(parent)
        self._context = context

    def ask(self) -> None:
        """Ask for the name of a dataset, and the hub for its files."""
        address = hub_address()
        label = f"The dataset, as owner/name or owner/name@revision. {address} is asked which files it has."
        named = (self._context.dialogs.text(TITLE, label, accept="List the files", needed=True) or "").strip()
        if not named:
            return
        repo, _, revision = named.partition("@")
        service = self._context.services.imports
        job = self._context.tasks.job(
            f"List the files of {repo}",
            lambda control: service.hub_dataset(repo, revision or "main", lambda: control.cancelled),
            self._choose,
            owner=self,
        )
        self.started.emit(job)

    def _choose(self, dataset: HubDataset) -> None:
        """Ask which files, say what will be fetched from where, and fetch it."""
        files = dataset.readable
        if not files:
            hint = "JSONL, JSON, CSV, TSV and Parquet are read; code of a dataset is never run."
            self._context.notices.post(f"{dataset.repo} holds no file that can be imported.", "warn", hint=hint)
            return
        choices = [[file] for file in files[:MOST_LISTED]] + ([list(files)] if len(files) > 1 else [])
        items = [f"{file.path}   {size_words(file.size)}" for file in files[:MOST_LISTED]]
        if len(files) > 1:
            items.append(f"All {counted(len(files), 'file')}   {size_words(sum(file.size for file in files))}")
        label = f"File of {dataset.repo} to import"
        place = self._context.dialogs.choose(TITLE, label, items) if len(items) > 1 else 0
        if place is None:
            return
        chosen = choices[place]
        size = size_words(sum(file.size for file in chosen))
        what = chosen[0].path if len(chosen) == 1 else counted(len(chosen), "file")
        text = (
            f"{what} ({size}) of {dataset.repo} will be fetched from {dataset.endpoint} into this workspace. "
            f"Licence: {dataset.licence or 'its card names none'}. Only data is fetched, no code."
        )
        if dataset.gated:
            text += " The dataset is gated: the hub gives its files only to those who accepted its terms."
        if self._context.dialogs.ask(TITLE, text, ("Download", "Cancel")) == "Download":
            self._download(dataset, [file.path for file in chosen])

    def _download(self, dataset: HubDataset, paths: list[str]) -> None:
        service = self._context.services.imports
        job: BackgroundTask = self._context.tasks.job(
            f"Download {dataset.repo}",
            lambda control: service.download(
                dataset, paths, on_progress=control.progress, cancelled=lambda: control.cancelled
            ),
            self.fetched.emit,
            owner=self,
        )
        job.unit = "bytes"
        self.started.emit(job)

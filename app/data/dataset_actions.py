"""What can be done with dataset versions: freeze the next one, export one, compare two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.data.datasets_tab import DatasetsTab
from app.data.freeze_dialog import FreezeDialog
from app.data.freeze_form import FreezeForm
from core.domain.changes import Outcome
from core.domain.dataset import DatasetVersion
from core.domain.judgement import Reviewer
from core.domain.pair_table import SourceInfo
from core.domain.rubric import RubricVersion
from core.domain.sign_off import SignOff

FIRST_NAME = "preferences"
EXPORTS: tuple[tuple[Literal["jsonl", "parquet"], str, str], ...] = (
    ("jsonl", "trl", "JSONL in TRL's format"),
    ("parquet", "trl", "Parquet in TRL's format"),
    ("jsonl", "ultrafeedback", "JSONL in UltraFeedback style"),
    ("jsonl", "argilla", "Argilla records"),
    ("jsonl", "soft", "Soft labels: how the labels of each pair are spread"),
)
"""Format of the files, form of the lines, and the words for both."""
Choices = tuple[list[RubricVersion], list[SourceInfo], list[Reviewer], SignOff, dict[str, int], Sequence[str]]


class DatasetActions(QObject):
    """Works on the version that the tab has chosen; ``frozen(id)`` fires once a new version is stored."""

    frozen = Signal(int)

    def __init__(self, context: AppContext, tab: Callable[[], DatasetsTab], parent: QWidget) -> None:
        """Args: tab: returns it. parent: owner of the background work and parent of the dialog."""
        super().__init__(parent)
        self._context, self._tab, self._parent = context, tab, parent

    def freeze(self) -> None:
        """Ask for a policy and freeze the labels under it as a job."""
        services = self._context.services

        def read() -> Choices:
            versions, sources = services.rubrics.published(imported=True), services.pairs.sources()
            datasets, tags = services.datasets, services.pairs.tags.counts()
            return versions, sources, services.reviewers.list(), datasets.sign_off(), tags, datasets.licences()

        self._context.tasks.query(read, self._ask_policy, owner=self)

    def export(self) -> None:
        """Ask for a format and a folder and write the chosen version in the background."""
        version, dialogs = self._tab().current, self._context.dialogs
        if version is None:
            self._context.notices.post("Choose a dataset version first.")
            return
        place = dialogs.choose("Export", "As", [words for _, _, words in EXPORTS])
        folder = dialogs.open_folder("Export to a new folder in") if place is not None else None
        if place is None or folder is None:
            return
        (fmt, form, _), service = EXPORTS[place], self._context.services.datasets
        kind = fmt if form == "trl" else form
        target = folder / f"{version.name}-v{version.number}-{kind}".replace(" ", "-")
        self._context.tasks.query(
            lambda: service.export(version.id, target, fmt, form=form), partial(self._report_export, target), owner=self
        )

    def compare(self) -> None:
        """Ask for another version and show the difference to the chosen one in the tab."""
        new = self._tab().current
        others = [version for version in self._tab().versions if new is not None and version.id != new.id]
        if new is None or not others:
            self._context.notices.post("There is no other dataset version to compare with.")
            return
        titles = [version.title for version in others]
        place = self._context.dialogs.choose("Compare", f"Compare {new.title} with", titles)
        if place is not None:
            old, new = sorted((others[place], new), key=lambda version: version.id)
            service = self._context.services.datasets
            self._context.tasks.query(lambda: service.diff(old.id, new.id), self._tab().show_difference, owner=self)

    def _ask_policy(self, choices: Choices) -> None:
        name = self._tab().versions[0].name if self._tab().versions else FIRST_NAME
        dialog = FreezeDialog(self._parent, self._context, FreezeForm(self._context.theme, name, *choices))
        if self._context.dialogs.run(dialog):
            form, service = dialog.form, self._context.services.datasets
            name, policy, signer = form.name.text().strip(), form.policy(), form.signer
            self._context.ops.job(
                f"Freeze {name}",
                lambda _: service.freeze(name, policy, signed_off_by=signer),
                self._report_freeze,
                owner=self,
            )
        dialog.deleteLater()

    def _report_freeze(self, outcome: Outcome[DatasetVersion]) -> None:
        version = outcome.value
        self._context.notices.post(f"{version.title} is frozen: {version.root_sha256[:12]}…", "ok")
        self.frozen.emit(version.id)

    def _report_export(self, target: Path, _result: object) -> None:
        self._context.notices.post(f"Written to {target}", "ok")

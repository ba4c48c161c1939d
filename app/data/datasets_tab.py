"""Dataset versions: the list, the manifest of one, the difference to another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from app.context import AppContext
from app.widgets.buttons import action_button
from core.domain.dataset import DatasetVersion

_ID = Qt.ItemDataRole.UserRole


class DatasetsTab(QWidget):
    """Frozen dataset versions of the workspace."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._versions: list[DatasetVersion] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        split = QSplitter()
        self.list = QListWidget()
        self.list.setAccessibleName("Dataset versions")
        self.manifest = QPlainTextEdit()
        self.manifest.setReadOnly(True)
        self.manifest.setAccessibleName("Manifest of the dataset version")
        self.manifest.setFont(context.theme.font(12, mono=True))
        split.addWidget(self.list)
        split.addWidget(self.manifest)
        split.setSizes([320, 700])
        column.addWidget(split, 1)
        row = QHBoxLayout()
        for action_id in ("data.export", "data.diff"):
            row.addWidget(action_button(context.actions, action_id, theme=context.theme))
        row.addStretch(1)
        column.addLayout(row)
        self.list.currentRowChanged.connect(self._show)

    @property
    def current(self) -> DatasetVersion | None:
        """The chosen version, or None."""
        place = self.list.currentRow()
        return self._versions[place] if 0 <= place < len(self._versions) else None

    @property
    def versions(self) -> list[DatasetVersion]:
        """All versions, newest first."""
        return self._versions

    def set_versions(self, versions: Sequence[DatasetVersion]) -> None:
        """Show the versions, newest first."""
        chosen = self.current.id if self.current else None
        self._versions = sorted(versions, key=lambda v: -v.id)
        self.list.clear()
        for version in self._versions:
            counts = " · ".join(f"{name} {version.counts.get(name, 0)}" for name in ("train", "dev", "test"))
            item = QListWidgetItem(f"{version.title}\n{counts}", self.list)
            item.setData(_ID, version.id)
        place = next((i for i, v in enumerate(self._versions) if v.id == chosen), 0)
        self.list.setCurrentRow(place if self._versions else -1)

    def choose(self, dataset_id: int) -> None:
        """Choose a version by its id."""
        place = next((i for i, v in enumerate(self._versions) if v.id == dataset_id), -1)
        self.list.setCurrentRow(place)

    def show_text(self, text: str) -> None:
        """Show a text in place of the manifest, such as a difference."""
        self.manifest.setPlainText(text)

    def _show(self, _place: int) -> None:
        self.manifest.setPlainText(manifest_text(self.current) if self.current else "")


def manifest_text(version: DatasetVersion) -> str:
    """Return everything a frozen version says of itself."""
    made = datetime.fromtimestamp(version.created_ms / 1000).strftime("%Y-%m-%d %H:%M")
    lines = [
        version.title,
        f"root sha256  {version.root_sha256}",
        f"frozen       {made} {version.created_by}".rstrip(),
        "",
    ]
    lines += [f"{count:>8,}  {name}" for name, count in version.counts.items()]
    lines += ["", "Rubric versions", *(f"  {title}" for title in version.rubric_titles)]
    lines += ["", "Policy", *(f"  {key} = {value}" for key, value in version.policy.to_plain().items())]
    lines += ["", "Left out", *(f"{entry.count:>8,}  {entry.reason}" for entry in version.left_out)]
    return "\n".join(lines)


def diff_text(diff: Any, old: DatasetVersion, new: DatasetVersion) -> str:
    """Return the difference of two versions: what came, what went, what changed."""
    lines = [f"{old.title}  →  {new.title}", ""]
    for name in ("added", "removed", "changed", "moved"):
        ids = list(getattr(diff, name, ()))
        if ids or hasattr(diff, name):
            shown = ", ".join(str(getattr(i, "pair_id", i)) for i in ids[:40])
            lines.append(f"{len(ids):>8,}  {name}   {shown}{' …' if len(ids) > 40 else ''}")
    return "\n".join(lines)

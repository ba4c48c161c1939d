"""The rubrics of the workspace as a tree: under each its versions, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem

from app.rubrics.presenter import version_line
from core.domain.rubric import RubricVersion

if TYPE_CHECKING:
    from core.services.rubrics.service import RubricSummary

_VERSION = Qt.ItemDataRole.UserRole


class VersionTree(QTreeWidget):
    """Lists versions; ``chosen(RubricSummary, RubricVersion)`` fires when another one is current, or was read again."""

    chosen = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._summaries: Sequence[RubricSummary] = ()
        self.setHeaderHidden(True)
        self.setAccessibleName("Rubrics and their versions")
        self.setIndentation(14)
        self.currentItemChanged.connect(self._report)

    def show_summaries(self, summaries: Sequence[RubricSummary], wanted: int | None) -> None:
        """List all versions and choose the one with the id ``wanted``; without an id the newest of the first rubric."""
        self._summaries = summaries
        self.blockSignals(True)
        self.clear()
        target: QTreeWidgetItem | None = None
        for summary in summaries:
            top = QTreeWidgetItem(self, [summary.name])
            top.setFlags(Qt.ItemFlag.ItemIsEnabled)
            for version in reversed(summary.versions):
                item = QTreeWidgetItem(top, [version_line(version, summary.labels.get(version.id, 0))])
                item.setData(0, _VERSION, version.id)
                if version.id == wanted or (target is None and wanted is None):
                    target = item
            top.setExpanded(not summary.imported)
        self.blockSignals(False)
        if target is not None:
            self.setCurrentItem(target)

    def others(self, version: RubricVersion) -> list[RubricVersion]:
        """Return the other versions of the same rubric, oldest first."""
        return [
            other
            for summary in self._summaries
            for other in summary.versions
            if other.rubric_id == version.rubric_id and other.id != version.id
        ]

    def _report(self, item: QTreeWidgetItem | None, _before: QTreeWidgetItem | None) -> None:
        key = item.data(0, _VERSION) if item is not None else None
        for summary in self._summaries:
            for version in summary.versions:
                if version.id == key:
                    self.chosen.emit(summary, version)

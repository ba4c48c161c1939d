"""Dataset versions: the list, the manifest of one, the difference to another."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.context import AppContext
from app.data.freeze_plan import counts_text
from app.local_time import local_time
from app.widgets.buttons import action_button
from app.widgets.messages import EmptyState
from core.domain.dataset import DatasetDiff, DatasetVersion, LeftOut

_ID = Qt.ItemDataRole.UserRole
MOST_SHOWN = 40
"""Pair numbers listed of each kind of difference."""


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
        self.manifest.setTabChangesFocus(True)
        self.manifest.setAccessibleName("Manifest of the dataset version")
        self.manifest.setFont(context.theme.font(12, mono=True))
        split.addWidget(self.list)
        split.addWidget(self.manifest)
        split.setSizes([320, 700])
        empty = EmptyState(
            context.theme,
            "snow",
            "No dataset version yet",
            "Freeze labels into a version that never changes; runs train on it.",
            main=("Freeze a dataset version…", lambda: context.actions.run("data.freeze")),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(split)
        column.addWidget(self._stack, 1)
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
        self._stack.setCurrentIndex(1 if versions else 0)
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
    """Return the manifest of a frozen version as text."""
    lines = [
        version.title,
        f"root sha256  {version.root_sha256}",
        f"frozen       {local_time(version.created_ms)} {version.created_by}".rstrip(),
        "",
    ]
    counts = version.counts
    lines.append(counts_text(counts))
    lines.append(
        f"{counts.get('prompts', 0):,} prompts, {counts.get('reviewers', 0):,} reviewers; of "
        f"{counts.get('several', 0):,} items with several labels all agree on {counts.get('agree', 0):,}."
    )
    lines += ["", "Rubric versions", *(f"  {title}" for title in version.rubric_titles)]
    lines += ["", "Policy", *(f"  {key} = {_plain(value)}" for key, value in version.policy.to_plain().items())]
    lines += ["", "Left out", *(left_out_line(entry) for entry in version.left_out)]
    return "\n".join(lines)


def _plain(value: object) -> str:
    """Return a setting of the policy as text."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def left_out_line(entry: LeftOut) -> str:
    """Return a reason with its count and the numbers of some of its pairs."""
    some = ", ".join(f"#{i}" for i in entry.pair_ids[:6])
    return f"{entry.count:>8,}  {entry.reason}{f'   ({some})' if some else ''}"


def diff_text(diff: DatasetDiff) -> str:
    """Return the difference of two versions: items added, removed and changed, policy, rubric versions."""
    lines = [f"{diff.old}  →  {diff.new}", ""]
    for words, ids in (
        ("added", diff.added),
        ("removed", diff.removed),
        ("have another winner", diff.flipped),
        ("have another strength, weight or target", diff.restrengthened),
    ):
        lines.append(_counted(words, [f"#{i}" for i in ids]))
    lines.append(_counted("moved between splits", [f"#{i} {old} → {new}" for i, old, new in diff.moved]))
    lines.append(f"{diff.same:>8}  are the same")
    if diff.policy_changes:
        lines += ["", "Policy", *(f"  {key}: {old} → {new}" for key, old, new in diff.policy_changes)]
    if diff.rubrics_added or diff.rubrics_removed:
        lines += ["", "Rubric versions"]
        lines += [f"  + {title}" for title in diff.rubrics_added]
        lines += [f"  - {title}" for title in diff.rubrics_removed]
    return "\n".join(lines)


def _counted(words: str, shown: Sequence[str]) -> str:
    more = f", and {len(shown) - MOST_SHOWN} more" if len(shown) > MOST_SHOWN else ""
    tail = f":  {', '.join(shown[:MOST_SHOWN])}{more}" if shown else ""
    return f"{len(shown):>8}  {words}{tail}"

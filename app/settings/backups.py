"""Settings > Backups: the copies of the open workspace with their counts, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.backup_words import count_words, date_words, reason_words
from app.context import AppContext
from app.widgets.buttons import action_button, push_button
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.table import TableColumn, VirtualTable
from core.domain.counting import size_words

if TYPE_CHECKING:
    from core.services.workspace.service import BackupFile, Loss

_ROWS_SHOWN = 8


def summary_words(found: Sequence[BackupFile], now: datetime) -> str:
    """Return how many copies there are, how old the newest is, and how much room they take."""
    good = [backup for backup in found if not backup.problem]
    if not good:
        return "No backup yet. One is made as soon as something is stored and some time has passed."
    total = size_words(sum(backup.size for backup in found))
    noun = "backup" if len(found) == 1 else "backups"
    return f"{len(found)} {noun}, {total} in all. The newest is of {date_words(good[0].made, now)}."


def _columns() -> tuple[TableColumn, ...]:
    def problem(backup: BackupFile) -> str:
        return "bad" if backup.problem else ""

    return (
        TableColumn("made", "Made", lambda b: date_words(b.made, datetime.now()), 136, tip=lambda b: str(b.path)),  # noqa: DTZ005 - backups carry local time
        TableColumn("why", "Why", lambda b: b.problem or reason_words(b.why), 0, colour=problem),
        TableColumn("pairs", "Pairs", lambda b: count_words(b, "pairs"), 72, right=True),
        TableColumn("judgements", "Judgements", lambda b: count_words(b, "judgements"), 96, right=True),
        TableColumn("size", "Size", lambda b: size_words(b.size), 80, right=True),
    )


class BackupsPanel(QWidget):
    """The list, and the buttons under it."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._found: list[BackupFile] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(8)
        self.summary = text_label("", "muted", wrap=True)
        self.missing = action_button(context.actions, "global.missing_work", theme=context.theme)
        self.missing.hide()
        column.addWidget(self.summary)
        column.addWidget(self.missing, 0, Qt.AlignmentFlag.AlignLeft)
        self.table = VirtualTable(context.tasks, context.theme, _columns(), name="Backups", multi=False)
        self._fit_table()
        context.theme.follow(self._fit_table)
        self.table.current_changed.connect(lambda _: self._enable())
        self.table.opened.connect(lambda _: self.restore())
        column.addWidget(self.table)
        row = FlowLayout()
        row.addWidget(action_button(context.actions, "global.backup", text="Back up now"))
        self.restore_button = push_button("Restore to a new folder…")
        self.restore_button.clicked.connect(self.restore)
        self.folder_button = push_button("Show in file manager")
        self.folder_button.clicked.connect(self._show_folder)
        row.addWidget(self.restore_button)
        row.addWidget(self.folder_button)
        row.add_gap()
        column.addLayout(row)
        note = (
            "A backup is one checked copy of workspace.db; run folders and models are not in it. All of the last two "
            "days are kept, then one a day, a week and a month; never fewer than the last three."
        )
        column.addWidget(text_label(note, "hint", wrap=True))
        self._enable()

    def _fit_table(self) -> None:
        self.table.setFixedHeight(self._context.theme.px(26 * (_ROWS_SHOWN + 1) + 6))

    def read(self) -> None:
        """Read the list again, in the background."""
        if self._context.has_workspace:
            workspace = self._context.services.workspace
            self._context.tasks.query(workspace.backups, self.show_backups, owner=self, key="backups")
            self._context.tasks.query(workspace.losses, self._show_losses, owner=self, key="losses")
        else:
            self.summary.setText("Open a workspace to see its backups.")

    def show_backups(self, found: list[BackupFile]) -> None:
        """Show these copies."""
        self._found = found
        self.summary.setText(summary_words(found, datetime.now()))  # noqa: DTZ005 - backups carry local time
        self.table.show_ids(list(range(len(found))), lambda ids: [found[i] for i in ids])
        if found and self.table.current_id is None:
            self.table.go_to(0)
        self._enable()

    def _show_losses(self, losses: Sequence[Loss]) -> None:
        """Offer to read what is missing, where anything is."""
        self.missing.setVisible(bool(losses))

    def restore(self) -> None:
        """Ask for a new folder and make a workspace in it from the chosen copy; this workspace stays as it is."""
        backup = self._chosen()
        if backup is None:
            return
        name = f"{self._context.services.folder.name} of {backup.made:%Y-%m-%d %H-%M}"
        folder = self._context.dialogs.save_file("Restore to a new folder", name, "")
        if folder is not None:
            services = self._context.services
            work = services.workspace.restore_backup
            self._context.tasks.job("Restore", lambda _: work(backup.path, folder), self._restored)

    def _restored(self, folder: Path) -> None:
        self._context.notices.post(
            f"Restored to {folder.name}.",
            "ok",
            hint=str(folder),
            action="Open it",
            run=lambda: self._context.open_workspace(folder),
        )
        self.read()

    def _chosen(self) -> BackupFile | None:
        place = self.table.current_id
        backup = self._found[place] if place is not None and place < len(self._found) else None
        return None if backup is None or backup.problem else backup

    def _enable(self) -> None:
        self.restore_button.setEnabled(self._chosen() is not None)
        self.folder_button.setEnabled(bool(self._found))

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._found[0].path.parent)))

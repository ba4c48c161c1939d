"""The releases at the left: what was released, of what the gate said, and what was withdrawn with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.labels import plain_tip, text_label
from app.widgets.row_lines import RowLines

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.releases.views import ReleaseInfo


class ReleaseList(QWidget):
    """Lists releases, newest first."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: tuple[ReleaseInfo, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.none = text_label("No release yet: one is made of an evaluation whose gate passes.", "hint", wrap=True)
        self.list = QListWidget()
        self.list.setAccessibleName("Releases")
        self.list.setIconSize(QSize(18, 18))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lines = RowLines(theme, lines=2)
        self.list.setItemDelegate(self._lines)
        column.addWidget(text_label("Releases", "section"))
        column.addWidget(self.none)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        self.list.hide()

    def show_releases(self, releases: Sequence[ReleaseInfo]) -> None:
        """Show other releases."""
        if tuple(releases) == self._shown:
            return
        self._shown = tuple(releases)
        self.list.clear()
        for release in self._shown:
            item = QListWidgetItem(self.list)
            line = f"withdrawn: {release.withdrawn}" if release.withdrawn else f"{release.outcome}, {release.approver}"
            item.setText(f"{release.name}\n{line}")
            icon, colour = ("close", "bad") if release.withdrawn else ("gate", "ok")
            item.setIcon(self._theme.icons.icon(icon, colour, colour))
            item.setToolTip(plain_tip("\n".join(f"{key}: {value}" for key, value in release.tuple_.items())))
        self.list.setVisible(bool(self._shown))
        self.none.setVisible(not self._shown)

"""The releases at the left: what was released, of what the gate said, and what was withdrawn with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.labels import plain_tip, text_label
from app.widgets.row_lines import RowLines

if TYPE_CHECKING:  # it loads the model exports, which the window does not wait for
    from core.services.releases.views import ReleaseInfo


class ReleaseList(QWidget):
    """Lists releases, newest first.

    Signals:
        opened(object): a release was opened, by Enter or a double click.
    """

    opened = Signal(object)

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
        self.list.itemActivated.connect(lambda _: self.current and self.opened.emit(self.current))
        column.addWidget(text_label("Releases", "section"))
        column.addWidget(self.none)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        self.list.hide()

    @property
    def current(self) -> ReleaseInfo | None:
        """The chosen release, else the newest one; None where there is none."""
        row = max(0, self.list.currentRow())
        return self._shown[row] if row < len(self._shown) else None

    def show_releases(self, releases: Sequence[ReleaseInfo]) -> None:
        """Show other releases; the current one stays current."""
        if tuple(releases) == self._shown:
            return
        before = self.current.release_id if self.current is not None and self.list.currentRow() >= 0 else ""
        self._shown = tuple(releases)
        self.list.clear()
        for place, release in enumerate(self._shown):
            self._add(release, is_newest=place == 0)
        ids = [release.release_id for release in self._shown]
        self.list.setCurrentRow(ids.index(before) if before in ids else -1)
        self.list.setVisible(bool(self._shown))
        self.none.setVisible(not self._shown)

    def _add(self, release: ReleaseInfo, *, is_newest: bool) -> None:
        item = QListWidgetItem(self.list)
        line = f"withdrawn: {release.withdrawn}" if release.withdrawn else f"{release.outcome}, {release.approver}"
        item.setText(f"{release.name}\n{line}")
        icon, colour = ("close", "bad") if release.withdrawn else ("gate", "ok" if is_newest else "text3")
        if release.despite and not release.withdrawn:
            icon, colour = "warn", "warn"
        item.setIcon(self._theme.icons.icon(icon, colour, colour))
        facts = [*release.tuple_.items(), ("despite the gate", release.despite), ("measured again", release.verified)]
        item.setToolTip(plain_tip("\n".join(f"{key}: {value}" for key, value in facts if value)))

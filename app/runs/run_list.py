"""The list of runs at the left: state, name, and how far or how well."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStyleOptionViewItem

from app.runs import presenter
from app.theme.theme import Theme
from app.widgets.row_lines import RowLines
from core.services.runs.views import RunInfo

_RUN = Qt.ItemDataRole.UserRole
_STATE = Qt.ItemDataRole.UserRole + 1


class RunList(QListWidget):
    """Runs, newest first; ``chosen(str)`` fires with the run's id."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName("Runs")
        self.setIconSize(QSize(18, 18))
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._lines = RowLines(theme)
        self.setItemDelegate(self._lines)
        self.currentItemChanged.connect(self._emit_chosen)
        theme.changed.connect(self._recolour)

    @property
    def current_id(self) -> str:
        """The chosen run, or an empty text."""
        item = self.currentItem()
        return str(item.data(_RUN)) if item else ""

    def set_runs(self, runs: Sequence[RunInfo]) -> None:
        """Show the runs; the chosen one stays chosen, and items are only touched when they changed."""
        ids = [info.run_id for info in runs]
        if [self.item(i).data(_RUN) for i in range(self.count())] != ids:
            chosen = self.current_id
            self.blockSignals(True)
            self.clear()
            for run_id in ids:
                item = QListWidgetItem(self)
                item.setData(_RUN, run_id)
            self.blockSignals(False)
            self.choose(chosen if chosen in ids else (ids[0] if ids else ""))
        for place, info in enumerate(runs):
            item = self.item(place)
            icon, colour = presenter.STATE_ICON.get(info.status.state, ("circle", "text3"))
            lines = f"{info.name}\n{presenter.list_line(info)}"
            if item.text() == lines and item.data(_STATE) == info.status.state:
                continue
            item.setText(lines)
            item.setData(_STATE, info.status.state)
            item.setIcon(self._theme.icons.icon(icon, colour, colour))
            words = presenter.STATE_TEXT.get(info.status.state, ("", ""))[0]
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole,
                f"{info.name}, {words}, {presenter.list_line(info)}".replace("\n", ", "),
            )

    def _recolour(self) -> None:
        """Make every row take a new icon when the runs are shown next."""
        for place in range(self.count()):
            self.item(place).setData(_STATE, None)
        self.scheduleDelayedItemsLayout()
        self.updateGeometry()

    def choose(self, run_id: str) -> bool:
        """Choose a run by its id; False when it is not in the list."""
        for place in range(self.count()):
            if self.item(place).data(_RUN) == run_id:
                self.setCurrentRow(place)
                return True
        return False

    def minimumSizeHint(self) -> QSize:
        """Ask for the height of one whole run with the list's padding."""
        row = self._lines.sizeHint(QStyleOptionViewItem(), QModelIndex()).height()
        return QSize(super().minimumSizeHint().width(), row + self._theme.px(8))

    def _emit_chosen(self, item: QListWidgetItem | None, _before: object) -> None:
        if item is not None:
            self.chosen.emit(str(item.data(_RUN)))

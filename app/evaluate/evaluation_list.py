"""The list of evaluations at the left: state as icon and word, name, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from app.evaluate import presenter
from app.theme.theme import Theme
from app.widgets.row_lines import RowLines
from core.services.evaluations.views import EvaluationInfo

_ID = Qt.ItemDataRole.UserRole
_STATE = Qt.ItemDataRole.UserRole + 1


class EvaluationList(QListWidget):
    """Evaluations, newest first; ``chosen(str)`` fires with the id."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName("Evaluations")
        self.setIconSize(QSize(18, 18))
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lines = RowLines(theme, lines=2)
        self.setItemDelegate(self._lines)
        self.currentItemChanged.connect(self._emit_chosen)
        theme.changed.connect(self._recolour)

    @property
    def current_id(self) -> str:
        """The chosen evaluation, or an empty text."""
        item = self.currentItem()
        return str(item.data(_ID)) if item else ""

    def set_infos(self, infos: Sequence[EvaluationInfo], chosen: str) -> None:
        """Show the evaluations with one of them chosen; items are only touched when they changed."""
        ids = [info.evaluation_id for info in infos]
        self.blockSignals(True)
        if [self.item(place).data(_ID) for place in range(self.count())] != ids:
            self.clear()
            for id_ in ids:
                QListWidgetItem(self).setData(_ID, id_)
        for place, info in enumerate(infos):
            self._show(self.item(place), info)
        if chosen in ids and self.current_id != chosen:
            self.setCurrentRow(ids.index(chosen))
        self.blockSignals(False)

    def _show(self, item: QListWidgetItem, info: EvaluationInfo) -> None:
        line = presenter.list_line(info)
        if item.text() == f"{info.name}\n{line}" and item.data(_STATE) == info.state:
            return
        item.setText(f"{info.name}\n{line}")
        item.setData(_STATE, info.state)
        icon, colour = presenter.STATE_ICON.get(info.state, ("circle", "text3"))
        item.setIcon(self._theme.icons.icon(icon, colour, colour))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{info.name}, {line}")

    def _recolour(self) -> None:
        """Make every row take a new icon when the evaluations are shown next."""
        for place in range(self.count()):
            self.item(place).setData(_STATE, None)
        self.scheduleDelayedItemsLayout()

    def _emit_chosen(self, item: QListWidgetItem | None, _before: object) -> None:
        if item is not None:
            self.chosen.emit(str(item.data(_ID)))

"""The list of runs at the left: state, name, and how far or how well."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.runs import presenter
from app.theme.theme import Theme
from core.services.runs.views import RunInfo

_RUN = Qt.ItemDataRole.UserRole
_STATE = Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex


class _RunLines(QStyledItemDelegate):
    """Draws a run as three lines: its name, and under it, paler, how far or how well."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt passes it
        """Be three lines high at every text size."""
        return QSize(0, self._theme.px(58))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row of the style without words, then icon and lines."""
        theme, rect = self._theme, QRect(option.rect)  # type: ignore[attr-defined]
        self.initStyleOption(option, index)
        option.text, option.icon = "", QIcon()  # type: ignore[attr-defined]
        style = option.widget.style()  # type: ignore[attr-defined]
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)  # type: ignore[attr-defined]
        side = theme.px(18)
        icon: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
        icon.paint(painter, QRect(rect.x() + theme.px(8), rect.y() + (rect.height() - side) // 2, side, side))
        name, _, about = str(index.data()).partition("\n")
        words = [(name, 13, "text"), *((line, 12, "text2") for line in about.split("\n") if line)]
        height = (rect.height() - theme.px(8)) // 3
        start = theme.px(4) + (3 - len(words)) * height // 2
        for place, (text, size, colour) in enumerate(words):
            top, low = start + place * height, start + (place + 1) * height
            room = QRect(rect.x() + theme.px(34), rect.y() + top, rect.width() - theme.px(40), low - top)
            painter.setFont(theme.font(size))
            painter.setPen(theme.tokens.colour(colour))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)


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
        self._lines = _RunLines(theme)
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

    def choose(self, run_id: str) -> bool:
        """Choose a run by its id; False when it is not in the list."""
        for place in range(self.count()):
            if self.item(place).data(_RUN) == run_id:
                self.setCurrentRow(place)
                return True
        return False

    def _emit_chosen(self, item: QListWidgetItem | None, _before: object) -> None:
        if item is not None:
            self.chosen.emit(str(item.data(_RUN)))

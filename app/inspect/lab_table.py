"""The answers of the objective lab: log-probs, rewards, and the share of each before and after as bars."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from app.inspect.lab_presenter import LabRow, share_text
from app.theme.theme import Theme
from app.widgets.column_fit import fit_columns
from app.widgets.labels import plain_tip
from core.domain.number_text import format_value

HEADS = ("", "Answer", "Tok.", "log π ref", "h, nats", "r = β₀h", "π ref → π*(β)")
_ANSWER, _TOKENS, _REWARD, _SHARES = 1, 2, 5, 6
_WITH_TOKENS = 560
"""Design pixels from which there is room for the column of tokens."""
_ROW_LINES, _BAR_PX = 2.6, 9
_ROLES = {"w": " ▲", "l": " ▼"}
_ROLE_TIPS = {"w": "y_w, the better answer of 5.3 and 5.5", "l": "y_l, the worse answer of 5.3 and 5.5"}
_BARS = Qt.ItemDataRole.UserRole


class ShareBars(QStyledItemDelegate):
    """Two bars: the share of the reference in grey, that of the optimum under it, each with its number."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the background of the cell and the bars."""
        super().paint(painter, option, index)
        found = index.data(_BARS)
        if not isinstance(found, tuple):
            return
        painter.save()
        room = QRectF(option.rect).adjusted(8, 4, -8, -4)  # type: ignore[attr-defined]
        rows = ((found[0], "text3", QFont.Weight.Normal), (found[1], "plot_margin", QFont.Weight.DemiBold))
        for place, (share, token, weight) in enumerate(rows):
            self._bar(painter, room, place, float(share), token, weight)
        painter.restore()

    def _bar(self, painter: QPainter, room: QRectF, place: int, share: float, token: str, weight: QFont.Weight) -> None:
        painter.setFont(self._theme.font(11, weight=weight))
        metrics, words = QFontMetricsF(painter.font()), share_text(share)
        width = metrics.horizontalAdvance("<0.0000") + 8
        longest = max(0.0, room.width() - width)
        middle = room.center().y() + (place - 0.5) * min(metrics.height(), room.height() / 2)
        bar = QRectF(
            room.left(), middle - self._theme.px(_BAR_PX) / 2, max(1.0, share * longest), self._theme.px(_BAR_PX)
        )
        painter.fillRect(bar, self._theme.tokens.colour(token))
        painter.setPen(self._theme.tokens.colour("text" if place else "text2"))
        at = QRectF(bar.right() + 5, middle - metrics.height() / 2, room.right() - bar.right(), metrics.height())
        painter.drawText(at, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), words)


class LabTable(QTableWidget):
    """One row an answer; ``chosen(int)`` fires when another one is current."""

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(0, len(HEADS))
        self._theme = theme
        self._rows: tuple[LabRow, ...] = ()
        self.setHorizontalHeaderLabels(list(HEADS))
        self.setAccessibleName("Answers and the optimum")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setItemDelegateForColumn(_SHARES, ShareBars(theme, self))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.currentCellChanged.connect(self._choose)
        theme.changed.connect(self._restyle)

    def _choose(self, row: int, _column: int, before: int, _: int) -> None:
        if row != before and row >= 0:
            self.chosen.emit(row)

    def show_rows(self, rows: Sequence[LabRow], current: int) -> None:
        """Show the answers; with as many rows as before only the cells change."""
        self.blockSignals(True)
        again, self._rows = self.rowCount() == len(rows), tuple(rows)
        self.setRowCount(len(rows))
        for place, row in enumerate(rows):
            self._set_row(place, row)
        if rows and self.currentRow() != current:
            self.setCurrentCell(current, _ANSWER)
        self.blockSignals(False)
        if not again:
            self._fit()
        self.viewport().update()

    def _set_row(self, place: int, row: LabRow) -> None:
        cells = (f"{row.name}{_ROLES.get(row.role, '')}", row.text, row.tokens, row.reference, row.h, row.reward, "")
        tips = {
            0: _ROLE_TIPS.get(row.role, ""),
            _TOKENS: "cut at the limit of tokens" if row.tokens.endswith("+") else "",
            _ANSWER: plain_tip(f"{row.origin}\n{row.text}"),
            _SHARES: f"share of the reference {format_value(row.before)}, of the optimum {format_value(row.after)}",
        }
        for column, text in enumerate(cells):
            item = self.item(place, column)
            if item is None:
                item = QTableWidgetItem()
                self.setItem(place, column, item)
                if _ANSWER < column < _SHARES:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setText(text)
            item.setToolTip(tips.get(column, ""))
            self._colour(item, column, row)

    def _colour(self, item: QTableWidgetItem, column: int, row: LabRow) -> None:
        if _ANSWER < column < _SHARES:
            item.setFont(self._theme.font(12, mono=True))
        if column == 0:
            item.setFont(self._theme.font(13, weight=QFont.Weight.DemiBold))
        if column == _REWARD:
            token = "bad" if row.reward_value < 0 else "text"
            item.setForeground(QColor(self._theme.tokens.colour(token)))
        if column == _SHARES:
            item.setData(_BARS, (row.before, row.after))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{format_value(row.before)} to {format_value(row.after)}")

    def _restyle(self) -> None:
        """Give the cells the colours and fonts of the theme as it is now."""
        for place, row in enumerate(self._rows):
            for column in range(len(HEADS)):
                if (item := self.item(place, column)) is not None:
                    self._colour(item, column, row)
        self._fit()

    @property
    def _row_px(self) -> int:
        return round(_ROW_LINES * QFontMetricsF(self._theme.font(13)).height())

    def _fit(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self._row_px)
        for row in range(self.rowCount()):
            self.setRowHeight(row, self._row_px)
        self._fit_columns()
        self.updateGeometry()

    def _fit_columns(self) -> None:
        metrics = QFontMetricsF(self._theme.font(12, mono=True))
        self.setColumnHidden(_TOKENS, self.viewport().width() < self._theme.px(_WITH_TOKENS))
        for column, letters in ((0, 5), (2, 4), (3, 6), (4, 6), (5, 7)):
            self.setColumnWidth(column, round(metrics.horizontalAdvance("0") * letters + 14))
        self.setColumnWidth(_SHARES, max(self._theme.px(150), round(0.28 * self.viewport().width())))
        fit_columns(self, {_ANSWER}, self._theme.px(130))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the answers what the other columns leave."""
        super().resizeEvent(event)
        self._fit_columns()

    def sizeHint(self) -> QSize:
        """Return the height of all rows, at most twelve."""
        shown = max(1, min(12, self.rowCount()))
        height = self.horizontalHeader().sizeHint().height() + shown * self._row_px
        return QSize(self._theme.px(520), height + self.horizontalScrollBar().sizeHint().height() + 4)

    def minimumSizeHint(self) -> QSize:
        """Return the height of all rows; a narrow table scrolls sideways."""
        return QSize(self._theme.px(240), self.sizeHint().height())

"""The checks of the gate as a table: state, what was measured, the limit, what decides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QSizePolicy, QTableWidget, QTableWidgetItem

from app.theme.theme import Theme
from app.widgets.column_fit import fit_columns
from app.widgets.labels import plain_tip
from core.domain.counting import counted
from core.domain.release_gate import GATE_GROUPS, STATE_WORDS, GateState

if TYPE_CHECKING:
    from core.domain.release_gate import GateCheck

GROUP_WORDS: Mapping[str, tuple[str, str]] = {
    "evidence": ("Evidence", "Is there enough to judge?"),
    "vetoes": ("Vetoes", "What forbids a release? Tested together (Holm)."),
    "gain": ("Gain", "Are the answers better to people?"),
    "health": ("Health", "Side effects of the objective."),
    "people": ("People", "Has somebody looked?"),
}
ICONS: Mapping[GateState, tuple[str, str]] = {
    "passed": ("check_circle", "ok"),
    "failed": ("error", "bad"),
    "insufficient": ("circle", "warn"),
}
_HEADS = ("Check", "Measured [95 %] n", "Limit", "What decides it")
_ROW_PX, _LEAST_PX, _MOST_PX = 27, 78, 240
_NARROW_PX = 110
"""Design pixels that a column keeps when it gives way to others."""


def shared_most(widths: Sequence[int], room: int, least: int) -> int:
    """Return the largest width, but no less than ``least``, with which columns of at most that width fit into a room.

    >>> shared_most([240, 200, 60], 400, 100), shared_most([240, 200, 60], 900, 100), shared_most([240, 200], 90, 100)
    (170, 240, 100)
    """
    most, wide = max(widths, default=least), sorted(widths)
    for narrow in range(len(wide)):
        share = (room - sum(wide[:narrow])) // (len(wide) - narrow)
        if share < wide[narrow]:
            return max(least, share)
    return max(least, most)


class GateTable(QTableWidget):
    """Lists the checks by group.

    Signals:
        opened(object): a check was opened by Enter or a double click.
        moved(object): another check is current.
    """

    opened = Signal(object)
    moved = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(0, len(_HEADS))
        self._theme = theme
        self._checks: list[GateCheck | None] = []
        self.setHorizontalHeaderLabels(list(_HEADS))
        self.setAccessibleName("Checks of the gate")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.currentCellChanged.connect(lambda row, *_: self._tell(row, self.moved))
        self.activated.connect(lambda index: self._tell(index.row(), self.opened))
        theme.changed.connect(self._rebuild)

    @property
    def current(self) -> GateCheck | None:
        """The check that is selected."""
        row = self.currentRow()
        return self._checks[row] if 0 <= row < len(self._checks) else None

    def show_checks(self, checks: Sequence[GateCheck]) -> None:
        """Show other checks; the current one stays current, else the first that is not decided."""
        before = self.current.key if self.current else ""
        if not checks:
            return
        self.blockSignals(True)
        self.clearSpans()
        self.setRowCount(0)
        self._checks = []
        for number, group in enumerate(GATE_GROUPS, 1):
            own = [check for check in checks if check.group == group]
            if own:
                self._add_group(number, group, own)
                for check in own:
                    self._add_check(check)
        self._fit()
        keys = [check.key if check else "" for check in self._checks]
        open_ = [n for n, check in enumerate(self._checks) if check and check.state != "passed"]
        row = keys.index(before) if before and before in keys else open_[0] if open_ else 1
        self.blockSignals(False)
        self.setCurrentCell(row, 0)
        self._tell(row, self.moved)

    def choose(self, check: GateCheck) -> None:
        """Make a check the current one."""
        keys = [one.key if one else "" for one in self._checks]
        if check.key in keys:
            self.setCurrentCell(keys.index(check.key), 0)

    def _add_group(self, number: int, group: str, checks: Sequence[GateCheck]) -> None:
        title, about = GROUP_WORDS[group]
        holds = sum(check.state == "passed" for check in checks)
        row = self._new_row(None)
        item = QTableWidgetItem(f"{number}  {title}   {about}")
        font = QFont(self.font())
        font.setBold(True)
        item.setFont(font)
        self._put(row, 0, item, header=True)
        self.setSpan(row, 0, 1, 3)
        words = QTableWidgetItem(f"{holds} of {len(checks)} hold")
        words.setData(Qt.ItemDataRole.AccessibleTextRole, f"{holds} of {counted(len(checks), 'check')} hold")
        self._put(row, 3, words, header=True)

    def _add_check(self, check: GateCheck) -> None:
        row = self._new_row(check)
        icon, colour = ICONS[check.state]
        first = QTableWidgetItem(self._theme.icons.icon(icon, colour, colour), check.title)
        first.setData(Qt.ItemDataRole.AccessibleTextRole, f"{check.title}: {STATE_WORDS[check.state]}. {check.reason}")
        first.setToolTip(plain_tip(f"{check.reason} {check.needed}".strip()))
        cells = (first, *(QTableWidgetItem(text) for text in (check.measured, check.limit, check.decides)))
        for column, item in enumerate(cells):
            if column:
                item.setToolTip(plain_tip(item.text()))
            self._put(row, column, item)

    def _new_row(self, check: GateCheck | None) -> int:
        row = self.rowCount()
        self.insertRow(row)
        self._checks.append(check)
        return row

    def _put(self, row: int, column: int, item: QTableWidgetItem, *, header: bool = False) -> None:
        if header:
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            item.setBackground(self._theme.tokens.colour("sunken"))
        self.setItem(row, column, item)

    def _tell(self, row: int, signal: SignalInstance) -> None:
        if 0 <= row < len(self._checks) and (check := self._checks[row]) is not None:
            signal.emit(check)

    def _fit(self) -> None:
        self.setIconSize(QSize(self._theme.px(16), self._theme.px(16)))
        self.verticalHeader().setDefaultSectionSize(self._theme.px(_ROW_PX))
        for row in range(self.rowCount()):
            self.setRowHeight(row, self._theme.px(_ROW_PX))
        self._fit_columns()
        self.setFixedHeight(self.sizeHint().height())

    def _width_of(self, column: int) -> int:
        """Return the width of the longest text of a column; the heads of groups span several."""
        rows = [row for row, check in enumerate(self._checks) if check is not None]
        items = [item for row in rows if (item := self.item(row, column)) is not None]
        widest = max((self.fontMetrics().horizontalAdvance(item.text()) for item in items), default=0)
        return min(self._theme.px(_MOST_PX), widest + self._theme.px(34 if column == 0 else 12))

    def _rebuild(self) -> None:
        """Take icons and colours of another theme."""
        self.show_checks([check for check in self._checks if check is not None])

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        height = self.horizontalHeader().sizeHint().height() + self._theme.px(_ROW_PX) * max(1, self.rowCount())
        return QSize(self._theme.px(480), height + self.horizontalScrollBar().sizeHint().height() + 4)

    def minimumSizeHint(self) -> QSize:
        """Return the same height; a narrow table scrolls sideways."""
        return QSize(self._theme.px(200), self.sizeHint().height())

    def current_area(self) -> QRect:
        """Return where the current row is drawn."""
        return self.visualRect(self.model().index(max(0, self.currentRow()), 0)).translated(self.viewport().pos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the last column what is left."""
        super().resizeEvent(event)
        self._fit_columns()

    def _fit_columns(self) -> None:
        """Give every column its texts; where they do not fit, the widest of the first three give way.

        A table that is narrower still scrolls sideways.
        """
        own = self._width_of(3), self.horizontalHeader().sectionSizeHint(3)
        last = max(self._theme.px(_LEAST_PX), *own)
        widths = [self._width_of(column) for column in range(3)]
        most = shared_most(widths, self.viewport().width() - last, self._theme.px(_NARROW_PX))
        for column, width in enumerate(widths):
            self.setColumnWidth(column, min(width, most))
        fit_columns(self, {3}, last)

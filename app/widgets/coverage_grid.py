"""Clauses by slices: how many items each clause decided, as a grid of buttons that open their pairs."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.containers import clear_layout
from app.widgets.labels import ElideLabel, plain_tip, text_label
from core.domain.counting import counted
from core.domain.dataset_view import Coverage

THIN = 10
"""Fewer items than this are marked as few."""
MOST_SLICES = 8


class CoverageGrid(QWidget):
    """Shows a :class:`Coverage`; ``opened(clause key, slice key)`` fires for a cell, with "" for all slices."""

    opened = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2)
        self._grid.setVerticalSpacing(2)
        self._note = text_label("", "hint", wrap=True)
        column.addLayout(self._grid)
        row = QHBoxLayout()
        row.addWidget(self._note, 1)
        column.addLayout(row)
        column.addStretch(1)

    def set_coverage(self, coverage: Coverage) -> None:
        """Show other counts; of more than ``MOST_SLICES`` slices the largest."""
        clear_layout(self._grid)
        slices = sorted(coverage.slices, key=lambda one: -coverage.sizes.get(one[0], 0))[:MOST_SLICES]
        for place, (_, name) in enumerate(slices, 1):
            self._grid.addWidget(ElideLabel(name, kind="caption", outside=True), 0, place, Qt.AlignmentFlag.AlignBottom)
        self._grid.addWidget(text_label("All", "caption"), 0, len(slices) + 1, Qt.AlignmentFlag.AlignRight)
        most = max(coverage.cells.values(), default=1) or 1
        empty = thin = 0
        for row, (clause, words) in enumerate(coverage.clauses, 1):
            self._grid.addWidget(ElideLabel(words, outside=True), row, 0)
            for place, (key, name) in enumerate(slices, 1):
                count = coverage.cells.get((clause, key), 0)
                decided = bool(clause)
                empty += decided and not count
                thin += decided and 0 < count < THIN
                self._grid.addWidget(self._cell(clause, key, words, name, count, count / most), row, place)
            self._grid.addWidget(self._cell(clause, "", words, "all", coverage.all_of.get(clause, 0), None), row, 99)
        self._grid.setColumnStretch(0, 2)
        for place in range(1, len(slices) + 1):
            self._grid.setColumnStretch(place, 1)
        self._note.setText(_note(empty, thin, len(coverage.slices) - len(slices), bool(coverage.clauses)))

    def _cell(self, clause: str, key: str, words: str, name: str, count: int, share: float | None) -> CellButton:
        """Return the button of a cell."""
        button = CellButton(self._theme, count, share, marked=bool(clause))
        button.setAccessibleName(f"{words}, {name}: {counted(count, 'pair')}")
        button.setToolTip(plain_tip(f"{words}, {name}: {counted(count, 'pair')}"))
        button.setEnabled(count > 0)
        button.clicked.connect(partial(self.opened.emit, clause, key))
        return button


class CellButton(QAbstractButton):
    """A count on a surface that is the stronger the larger it is; an empty cell has a sign and a frame.

    Args:
        theme: colours, asked for at each painting.
        count: the number.
        share: 0..1 of the largest count; None for a sum, which has no surface.
        marked: whether an empty or a small count is marked.
    """

    def __init__(self, theme: Theme, count: int, share: float | None, *, marked: bool) -> None:
        super().__init__()
        self._theme, self._share = theme, share
        self._empty = marked and share is not None and not count
        self._thin = marked and share is not None and 0 < count < THIN
        self.setText(f"{'⚠ ' if self._empty else ''}{count:,}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return room for the number."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + 16, max(self._theme.px(24), metrics.height() + 6))

    def minimumSizeHint(self) -> QSize:
        """Return room for the number."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw surface, frame and number."""
        painter, tokens = QPainter(self), self._theme.tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        surface, ink, frame = self._colours()
        active = self.isEnabled() and (self.hasFocus() or self.underMouse())
        painter.setBrush(surface)
        painter.setPen(QPen(tokens.colour("focus"), 2) if active else QPen(frame, 1))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 2, 2)
        font = self.font()
        font.setBold(self._share is None or self._empty or self._thin)
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())

    def _colours(self) -> tuple[QColor, QColor, QColor]:
        """Return surface, ink and frame."""
        colour, nothing = self._theme.tokens.colour, QColor(0, 0, 0, 0)
        if self._empty:
            return colour("bad_soft"), colour("bad"), colour("bad")
        if self._thin:
            return colour("warn_soft"), colour("warn"), nothing
        if self._share:
            surface = QColor(colour("plot_chosen"))
            surface.setAlphaF(0.10 + 0.35 * self._share)
            return surface, colour("text"), nothing
        return nothing, colour("text"), nothing


def _note(empty: int, thin: int, hidden: int, any_clause: bool) -> str:
    """Return what the marks mean."""
    parts = []
    if not any_clause:
        return "No label behind this version answers a clause of a rubric."
    if empty:
        parts.append(f"⚠ {empty} empty")
    if thin:
        parts.append(f"{thin} with fewer than {THIN}")
    if hidden:
        parts.append(f"{hidden} smaller slices are not shown")
    return " · ".join(parts)

"""The accounting: what became of all pairs for each reviewer and rubric version, as bars that add up."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.annotate.team_figures import PairsPlace
from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from core.domain.counting import counted, number

_CELL_PX, _HIGH_PX, _GAP_PX = 200, 34, 18
MOST = 12
"""Bars that are shown, the newest versions first; the table has all."""


class AccountBars(PaintedChart):
    """A bar a reviewer and rubric version: labelled, skipped, open."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Accounting by reviewer and rubric version")
        self.bars: tuple[tuple[str, int, int, int, PairsPlace | None], ...] = ()

    def show_bars(self, bars: Sequence[tuple[str, int, int, int, PairsPlace | None]]) -> None:
        """Show (name, labelled, skipped, all pairs, what it opens) of each."""
        self.bars = tuple(bars[:MOST])
        told = "; ".join(f"{name}: {labelled} of {total}" for name, labelled, _, total, _ in self.bars)
        self.setAccessibleDescription(told)
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Say that a narrow chart is higher."""
        return True

    def heightForWidth(self, width: int) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - Qt names it arg
        """Return the height of the rows of bars at a width."""
        across = self._across(width)
        return max(1, -(-len(self.bars) // across)) * self.theme.px(_HIGH_PX)

    def sizeHint(self) -> QSize:
        """Return the size for the present width."""
        return QSize(self.theme.px(_CELL_PX), self.heightForWidth(max(self.width(), 1)))

    def minimumSizeHint(self) -> QSize:
        """Return room for one bar."""
        return QSize(self.theme.px(_CELL_PX), self.theme.px(_HIGH_PX))

    def _across(self, width: int) -> int:
        most = max(1, width // self.theme.px(_CELL_PX))
        rows = -(-len(self.bars) // most) or 1
        return max(1, -(-len(self.bars) // rows))

    def paint(self, painter: QPainter) -> None:
        """Draw name, count and bar of each."""
        across, high = self._across(self.width()), self.theme.px(_HIGH_PX)
        wide = self.width() / across
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        for place, (name, labelled, skipped, total, opens) in enumerate(self.bars):
            cell = QRectF(place % across * wide, place // across * high, wide - self.theme.px(_GAP_PX), high - 4)
            line = QRectF(cell.left(), cell.top(), cell.width(), metrics.height() + 2)
            count = f"{number(labelled)} / {number(total)}"
            self.write(painter, line, count, "text2", Qt.AlignmentFlag.AlignRight)
            room = cell.width() - metrics.horizontalAdvance(count) - 8
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
            self.write(painter, line, shown, "text", Qt.AlignmentFlag.AlignLeft)
            bar = QRectF(cell.left(), line.bottom() + 3, cell.width(), self.theme.px(6))
            painter.fillRect(bar, self.colour("sunken"))
            left = bar.left()
            for part, token in ((labelled, "accent"), (skipped, "text3")):
                size = bar.width() * part / (total or 1)
                painter.fillRect(QRectF(left, bar.top(), size, bar.height()), self.colour(token))
                left += size
            open_ = number(total - labelled - skipped)
            parts = f"{number(labelled)} labelled + {number(skipped)} skipped + {open_} open"
            words = f"{name}: {counted(total, 'pair')} = {parts}"
            self.spots.append(Spot(cell, opens, words))

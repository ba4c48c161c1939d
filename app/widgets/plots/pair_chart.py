"""What the painted plots of all pairs of a run share: the plane with both axes, and the look that is shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QFontMetricsF, QPainter

from app.theme.theme import Theme
from app.widgets.plots.along_x import AlongX
from app.widgets.plots.curves import Curve, exact_text
from app.widgets.plots.painted_chart import PaintedChart
from app.widgets.plots.pairs_asked import PairsAsked
from core.services.runs.run_plots import PairPlots

Place = Callable[[float, float], QPointF]


class PairChart(PaintedChart):
    """Base of these plots; the subclass draws and says what its marks lead to."""

    has_looks = True
    """Whether it shows one look at a time, chosen by a slider."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name)
        self.plots, self.along = PairPlots(), AlongX()
        self.step = -1

    def take(self, plots: PairPlots) -> None:
        """Take other values."""
        self.plots = plots
        self.update()

    def set_along(self, along: AlongX) -> None:
        """Have something else along x, where the chart goes over the steps."""
        self.along = along
        self.update()

    def show_look(self, step: int) -> None:
        """Show the look at a step."""
        self.step = step
        self.update()

    @property
    def looks(self) -> list[int]:
        """The steps that can be shown."""
        return []

    @property
    def empty(self) -> str:
        """Why there is nothing to see; "" where there is."""
        raise NotImplementedError

    def about(self) -> list[str]:
        """Return what stands in the head, the longest first."""
        raise NotImplementedError

    def asked(self, key: object) -> PairsAsked | None:
        """Return the pairs behind a mark; None where it has none of its own."""
        raise NotImplementedError

    def rows(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Return heads and rows of the values, for a file."""
        raise NotImplementedError

    def table_curves(self) -> dict[str, Curve]:
        """Return what the table of all plots shows of it, by name."""
        return {}

    def to_csv(self, run: str) -> str:
        """Return the values with the run in the first column."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        heads, rows = self.rows()
        writer.writerow(["run", *heads])
        writer.writerows([run, *(exact_text(v) if isinstance(v, float) else v for v in row)] for row in rows)
        return out.getvalue()

    def sizeHint(self) -> QSize:
        """Return a size in which marks can be told apart."""
        return QSize(self.theme.px(280), self.theme.px(150))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the axes can be read."""
        return QSize(self.theme.px(150), self.theme.px(96))

    def plane(
        self, painter: QPainter, xs: tuple[float, float], ys: tuple[float, float], titles: tuple[str, str]
    ) -> tuple[QRectF, Place]:
        """Draw both axes with their titles; returns the area and what maps values to places in it."""
        painter.setFont(self.theme.font(11))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        area = QRectF(metrics.horizontalAdvance("−0.00") + 8, 1.5 * line + 4, 0, 0)
        area.setRight(self.width() - 4 - metrics.horizontalAdvance("100") / 2)
        area.setBottom(max(area.top() + 8, self.height() - 2 * line - 6))
        digits = 0 if xs[1] - xs[0] >= 4 else 1
        self.x_axis(painter, area, *xs, titles[0], digits=digits)
        self.y_axis(painter, area, *ys, titles[1])

        def place(x: float, y: float) -> QPointF:
            return QPointF(
                area.left() + (x - xs[0]) / (xs[1] - xs[0]) * area.width(),
                area.bottom() - (y - ys[0]) / (ys[1] - ys[0]) * area.height(),
            )

        return area, place

"""Accuracy of each slice over the steps: small plots on one scale, the worst first, each with interval and n."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.curves import Curve
from app.widgets.plots.painted_chart import Spot
from app.widgets.plots.pair_chart import PairChart
from app.widgets.plots.pairs_asked import PairsAsked
from core.domain.counting import counted
from core.domain.estimate import TOO_SMALL
from core.domain.number_text import estimate_text, format_value
from core.services.runs.run_plots import SliceCurve

_LEAST_EMS, _LINES = 9.0, 4.8
"""Least width and height of a panel, in heights of a line."""


class SlicePanels(PairChart):
    """A panel for each slice; what has no room is counted in the head and stands in the table."""

    has_looks = False

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Accuracy by slice")
        self._shown = 0

    @property
    def empty(self) -> str:
        """Why there is nothing to see."""
        if self.plots.slices:
            return ""
        return "The pairs are all of one slice." if self.plots.pairs.pair_ids else "No pair was measured yet."

    def about(self) -> list[str]:
        """Return of which pairs it is, and the worst slice."""
        slices = self.plots.slices
        if not slices:
            return ["–"]
        worst, hidden = slices[0], len(slices) - self._panels()[0]
        rest = f" · {counted(hidden, 'slice')} not shown" if hidden > 0 else ""
        few = "" if worst.enough else f", {TOO_SMALL}"
        whole = f"{self.plots.of} · worst {worst.name} {estimate_text(worst.newest)}{few}{rest}"
        return [whole, f"{worst.name} {format_value(worst.newest.value)}{rest}", f"{self.plots.of}{rest}"]

    def _panels(self) -> tuple[int, int, int]:
        """Return how many panels there is room for, and in how many columns and rows they stand."""
        line = QFontMetricsF(self.theme.font(11)).height()
        n = len(self.plots.slices)
        columns = max(1, min(n, 3, int(self.width() / (_LEAST_EMS * line))))
        rows = max(1, min(math.ceil(n / columns), int(self.height() / (_LINES * line))))
        return min(n, columns * rows), columns, rows

    def paint(self, painter: QPainter) -> None:
        """Draw the panels that have room."""
        painter.setFont(self.theme.font(11))
        shown, columns, rows = self._panels()
        low = min((e.low for c in self.plots.slices for e in c.accuracy), default=0.0)
        floor = 0.0 if low < 0.25 else 0.25 if low < 0.45 else 0.4
        last = max((c.steps[-1] for c in self.plots.slices), default=1)
        width, height = self.width() / columns, self.height() / max(1, rows)
        for number, curve in enumerate(self.plots.slices[:shown]):
            row, column = divmod(number, columns)
            room = QRectF(column * width, row * height, width - 8, height - 4)
            self._panel(painter, room, curve, floor, max(1, last))

    def _panel(self, painter: QPainter, room: QRectF, curve: SliceCurve, floor: float, last: int) -> None:
        line = QFontMetricsF(painter.font()).height()
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        end = f"{format_value(curve.newest.value, 3)} n {curve.newest.n}"
        wide = QFontMetricsF(painter.font()).horizontalAdvance(end)
        head = QRectF(room.left(), room.top(), room.width(), line)
        named = QFontMetricsF(painter.font()).elidedText(
            curve.name, Qt.TextElideMode.ElideRight, room.width() - wide - 8
        )
        self.write(painter, head, named, "text" if curve.enough else "text3", left)
        self.write(painter, head, end, "text2", right)
        axis = QFontMetricsF(painter.font()).horizontalAdvance("0.5") + 6
        top = 1.5 * line + 2  # a tick stands half above the area
        area = QRectF(room.left() + axis, room.top() + top, room.width() - axis, room.height() - top - line - 2)
        for level in (0.5, 1.0):
            y = area.bottom() - (level - floor) / (1.0 - floor) * area.height()
            painter.setPen(self.pen("grid", 1, Qt.PenStyle.DashLine if level == 0.5 else Qt.PenStyle.SolidLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            self.write(painter, QRectF(room.left(), y - line / 2, axis - 4, line), f"{level:g}", "text3", right)
        painter.setPen(self.pen("border_strong"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        below = QRectF(area.left(), area.bottom() + 1, area.width(), line)
        self.write(painter, below, "0", "text3", left)
        self.write(painter, below, self.along.words(last) or str(last), "text3", right)
        self._curve(painter, area, curve, floor, last)

    def _curve(self, painter: QPainter, area: QRectF, curve: SliceCurve, floor: float, last: int) -> None:
        end = self.along.place(last)

        def place(step: int, value: float) -> QPointF:
            share = min(1.0, max(0.0, (value - floor) / (1.0 - floor)))
            x = area.left() + self.along.place(step) / end * area.width()
            return QPointF(x, area.bottom() - share * area.height())

        looks = list(zip(curve.steps, curve.accuracy, strict=True))
        painter.setPen(Qt.PenStyle.NoPen)
        token = "plot_held_out" if curve.enough else "text3"
        painter.setBrush(self.colour(token, 0.22))
        upper, lower = [place(s, e.high) for s, e in looks], [place(s, e.low) for s, e in looks]
        painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
        painter.setPen(self.pen(token, 2))
        painter.drawPolyline(QPolygonF([place(s, e.value) for s, e in looks]))
        for step, share in looks:
            at = place(step, share.value)
            box = QRectF(at.x() - 2, at.y() - 2, 4, 4)
            few = "" if curve.enough else f" ({TOO_SMALL} to decide anything)"
            seen = f" ({there})" if (there := self.along.words(step)) else ""
            words = f"{curve.name}, step {step}{seen}: {estimate_text(share)}{few}"
            self.spots.append(Spot(box, (curve.name, step), words))

    def asked(self, key: object) -> PairsAsked | None:
        """Return the pairs of a slice at a look."""
        for curve in self.plots.slices:
            for step in curve.steps:
                if (curve.name, step) == key:
                    visits = frozenset((step, pair_id) for pair_id in curve.pair_ids)
                    title = f"{curve.name}, {self.plots.of}, step {step}: {counted(len(visits), 'pair')}"
                    return PairsAsked(title, self.plots.kind, step, step, visits)
        return None

    def rows(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Return every slice at every look."""
        heads = ("slice", "step", "accuracy", "accuracy_low", "accuracy_high", "n")
        return heads, [
            (curve.name, step, share.value, share.low, share.high, share.n)
            for curve in self.plots.slices
            for step, share in zip(curve.steps, curve.accuracy, strict=True)
        ]

    def table_curves(self) -> dict[str, Curve]:
        """Return the accuracy of every slice by step."""
        found: dict[str, Curve] = {}
        for curve in self.plots.slices:
            value, low, high = (
                np.array([getattr(e, k) for e in curve.accuracy], dtype=float) for k in ("value", "low", "high")
            )
            n = np.array([float(e.n) for e in curve.accuracy])
            found[f"accuracy, {curve.name}"] = Curve(np.asarray(curve.steps, dtype=float), value, low, high, n)
        return found

    def minimumSizeHint(self) -> QSize:
        """Return room for one panel."""
        return QSize(self.theme.px(150), self.theme.px(96))

"""One dot a pair: how far chosen moved against how far rejected moved, at one look; both-down is shaded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.theme.theme import Theme
from app.widgets.plots.curves import Curve
from app.widgets.plots.painted_chart import Spot, bounds
from app.widgets.plots.pair_chart import PairChart, Place
from app.widgets.plots.pairs_asked import PairsAsked
from core.domain.number_text import format_value

_X, _Y = "rejected: log π − log π_ref, nats →", "↑ chosen, nats"
_DOT = 3.0


class DisplacementScatter(PairChart):
    """Chosen upwards, rejected to the right: above the diagonal h is positive."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Displacement of chosen against rejected")

    @property
    def looks(self) -> list[int]:
        """The steps at which pairs were measured."""
        return self.plots.pairs.looks

    @property
    def empty(self) -> str:
        """Why there is nothing to see."""
        return "" if self.plots.pairs.pair_ids else "No pair was measured yet."

    def _look(self) -> list[tuple[str, float, float]]:
        """Return pair, chosen and rejected of the look; those that are not finite are left out."""
        pairs = self.plots.pairs
        part = pairs.at(self.step)
        rows = zip(pairs.pair_ids[part], pairs.chosen[part].tolist(), pairs.rejected[part].tolist(), strict=True)
        return [row for row in rows if math.isfinite(row[1]) and math.isfinite(row[2])]

    def about(self) -> list[str]:
        """Return how many pairs went down on both sides."""
        down, n = self.plots.both_down(self.step)
        words = f"both down {down} of {n}"
        return [f"{words} · {self.plots.of} · step {self.step}", f"{words} · step {self.step}", words, f"{down} down"]

    def paint(self, painter: QPainter) -> None:
        """Draw the plane, the region where both fell, the diagonal h = 0 and the dots."""
        pairs = self.plots.pairs  # all looks share the axes, so that the slider shows motion
        xs, ys = (bounds([0.0, *_range(values)], least=1.0) for values in (pairs.rejected, pairs.chosen))
        xs, ys = _with_zero(xs), _with_zero(ys)
        area, place = self.plane(painter, xs, ys, (_X, _Y))
        zero = place(0.0, 0.0)
        down = QRectF(area.left(), zero.y(), zero.x() - area.left(), area.bottom() - zero.y()).intersected(area)
        painter.fillRect(down, self.colour("warn", 0.13))
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), zero.y()), QPointF(area.right(), zero.y()))
        painter.drawLine(QPointF(zero.x(), area.top()), QPointF(zero.x(), area.bottom()))
        painter.save()
        painter.setClipRect(area)
        low, high = max(xs[0], ys[0]), min(xs[1], ys[1])
        painter.drawLine(place(low, low), place(high, high))
        self._dots(painter, place)
        painter.restore()
        self._names(painter, area)

    def _dots(self, painter: QPainter, place: Place) -> None:
        half = self.theme.px(_DOT)
        painter.setPen(self.pen("surface", 0.5))
        for pair_id, chosen, rejected in self._look():
            at = place(rejected, chosen)
            box = QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half)
            painter.setBrush(self.colour("plot_chosen" if chosen > rejected else "plot_rejected"))
            painter.drawEllipse(box)
            moved = f"chosen {format_value(chosen)}, rejected {format_value(rejected)} nats"
            self.spots.append(Spot(box, pair_id, f"pair {pair_id}: {moved}, h {format_value(chosen - rejected)}"))

    def _names(self, painter: QPainter, area: QRectF) -> None:
        """Name the quadrants that have room for it."""
        high = QFontMetricsF(painter.font()).height()
        if area.height() < 6 * high or area.width() < 14 * high:
            return
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        inner = area.adjusted(4, 2, -4, -2)
        for words, side, y in (
            ("chosen up, rejected down", left, inner.top()),
            ("both up", right, inner.top()),
            ("both down", left, inner.bottom() - high),
            ("inverted", right, inner.bottom() - high),
        ):
            self.write(painter, QRectF(inner.left(), y, inner.width(), high), words, "text3", side)

    def asked(self, key: object) -> PairsAsked | None:
        """Return the pair of a dot."""
        visit = (self.step, str(key))
        title = f"Pair {key} at step {self.step}"
        return PairsAsked(title, self.plots.pairs.kind, self.step, self.step, frozenset([visit]), single=True)

    def rows(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Return every pair at every look."""
        pairs = self.plots.pairs
        columns = (pairs.steps.tolist(), pairs.pair_ids, pairs.chosen.tolist(), pairs.rejected.tolist())
        return ("step", "pair", "chosen (nats)", "rejected (nats)"), zip(*columns, strict=True)

    def table_curves(self) -> dict[str, Curve]:
        """Return how many pairs went down on both sides, by step."""
        pairs = self.plots.pairs
        down = (pairs.chosen < 0) & (pairs.rejected < 0)
        looks = pairs.looks
        counts = [float(np.count_nonzero(down[pairs.at(step)])) for step in looks]
        return {"pairs, both down": Curve(np.asarray(looks, dtype=float), np.asarray(counts))} if looks else {}


def _range(values: np.ndarray) -> list[float]:
    finite = values[np.isfinite(values)]
    return [float(finite.min()), float(finite.max())] if finite.size else []


def _with_zero(ends: tuple[float, float]) -> tuple[float, float]:
    """Return a range with some room below 0, where both-down is."""
    low, high = ends
    room = 0.1 * (high - low)
    return min(low, -room), max(high, room)

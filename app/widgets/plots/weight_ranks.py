"""Gradient weights by rank at one look, beside those of the first look: how many pairs still pull."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.curves import Curve, Floats
from app.widgets.plots.painted_chart import Spot
from app.widgets.plots.pair_chart import PairChart, Place
from app.widgets.plots.pairs_asked import PairsAsked
from core.domain.number_text import format_value
from core.services.runs.run_plots import WeightSpectrum, spectrum_at

_X, _Y = "rank of the pair, % →", "↑ gradient weight"
_LEARNED, _WRONG = 0.05, 0.5


class WeightRanks(PairChart):
    """Weights fall from left to right; one above one half is of a pair that is ranked wrongly."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Gradient weights by rank")

    @property
    def looks(self) -> list[int]:
        """The steps at which pairs were measured."""
        return self.plots.weights.looks

    @property
    def empty(self) -> str:
        """Why there is nothing to see."""
        return "" if self.plots.weights.pair_ids else "No pair was measured yet."

    def about(self) -> list[str]:
        """Return the effective pairs of the look."""
        found = spectrum_at(self.plots.weights, self.step)
        n, learned = found.weights.size, int(found.saturated.count)
        words = f"{format_value(found.effective)} effective of n {n}"
        return [f"{words} · {learned} below 0.05 · step {self.step}", f"{words} · step {self.step}", words, f"n {n}"]

    def paint(self, painter: QPainter) -> None:
        """Draw the levels, the first look and the chosen one."""
        found = spectrum_at(self.plots.weights, self.step)
        looks = self.looks
        first = spectrum_at(self.plots.weights, looks[0]) if looks else found
        tops = [float(part.weights[0]) for part in (found, first) if part.weights.size]
        area, place = self.plane(painter, (0.0, 100.0), (0.0, max([1.0, *(1.05 * top for top in tops)])), (_X, _Y))
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        for level in (_LEARNED, _WRONG):
            painter.drawLine(place(0.0, level), place(100.0, level))
        painter.save()
        painter.setClipRect(area.adjusted(-2, -2, 2, 2))
        if looks and looks[0] != self.step:
            painter.setPen(self.pen("text3", 1.5))
            painter.drawPolyline(_line(first.weights, place))
        painter.setPen(self.pen("plot_margin", 2))
        painter.drawPolyline(_line(found.weights, place))
        painter.restore()
        self._spots(found, place)
        if looks and looks[0] != self.step and area.height() > 60:
            room = QRectF(area.left(), area.top() + 1, area.width() - 4, QFontMetricsF(painter.font()).height())
            words = f"step {self.step}, grey: step {looks[0]}"
            self.write(painter, room, words, "text2", Qt.AlignmentFlag.AlignRight)

    def _spots(self, found: WeightSpectrum, place: Place) -> None:
        ids = self.plots.weights.pair_ids[self.plots.weights.at(self.step)]
        for rank, (at, weight) in enumerate(zip(found.order, found.weights, strict=True)):
            where = place(_rank(rank, found.weights.size), float(weight))
            box = QRectF(where.x() - 2, where.y() - 2, 4, 4)
            pair_id = ids[int(at)]
            words = f"pair {pair_id}: rank {rank + 1} of {found.weights.size}, weight {format_value(float(weight))}"
            self.spots.append(Spot(box, pair_id, words))

    def asked(self, key: object) -> PairsAsked | None:
        """Return the pair at a rank."""
        visit = (self.step, str(key))
        title = f"Pair {key} at step {self.step}"
        return PairsAsked(title, self.plots.weights.kind, self.step, self.step, frozenset([visit]), single=True)

    def rows(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Return every pair at every look."""
        pairs = self.plots.weights
        columns = (pairs.steps.tolist(), pairs.pair_ids, pairs.weight.tolist())
        return ("step", "pair", "gradient weight"), zip(*columns, strict=True)

    def table_curves(self) -> dict[str, Curve]:
        """Return effective pairs and the share of learned ones by step."""
        looks = self.looks
        if not looks:
            return {}
        found = [spectrum_at(self.plots.weights, step) for step in looks]
        steps, n = np.asarray(looks, dtype=float), np.array([float(part.weights.size) for part in found])
        learned = [part.saturated for part in found]
        value, low, high = (np.array([getattr(share, name) for share in learned]) for name in ("value", "low", "high"))
        none = np.full(steps.size, np.nan)
        return {
            "effective pairs": Curve(steps, np.array([part.effective for part in found]), none, none, n),
            "weight below 0.05": Curve(steps, value, low, high, n),
        }


def _rank(rank: int, n: int) -> float:
    return 100.0 * (rank + 0.5) / n


def _line(weights: Floats, place: Place) -> QPolygonF:
    points: list[QPointF] = [place(_rank(rank, weights.size), float(w)) for rank, w in enumerate(weights)]
    return QPolygonF(points)

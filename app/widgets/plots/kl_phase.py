"""The path of a run in the plane of KL and margin: what each nat of distance bought, with the intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import Spot, bounds
from app.widgets.plots.pair_chart import PairChart
from app.widgets.plots.pairs_asked import PairsAsked
from core.domain.estimate import Estimate
from core.domain.number_text import estimate_text

_X, _Y = "√KL to reference, √nats →", "↑ mean h, held-out, nats"


class KlPhase(PairChart):
    """Root of the KL to the right, mean h upwards; one point a KL look, joined in the order of the steps."""

    has_looks = False

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "KL against margin")

    @property
    def empty(self) -> str:
        """Why there is nothing to see."""
        return "" if self.plots.phase else "No KL was measured yet: the setting kl_every asks for it."

    def about(self) -> list[str]:
        """Return the newest point."""
        if not self.plots.phase:
            return ["–"]
        last = self.plots.phase[-1]
        return [f"h {estimate_text(last.h)} · step {last.step}", f"step {last.step}"]

    def paint(self, painter: QPainter) -> None:
        """Draw rays of equal h per √nat, the path, and crosses of the intervals."""
        points = self.plots.phase
        kls = [_root(_ends(p.kl)) for p in points]
        hs = [_ends(p.h) for p in points]
        xs = bounds([0.0, *(v for part in kls for v in part)], least=0.5)
        ys = bounds([0.0, *(v for part in hs for v in part)], least=0.5)
        area, place = self.plane(painter, xs, ys, (_X, _Y))
        painter.save()
        painter.setClipRect(area)
        if points and kls[-1][0] > 0:
            painter.setPen(self.pen("grid", 1, Qt.PenStyle.DashLine))
            for part in (0.5, 1.0, 2.0):  # the newest point's efficiency, half and twice of it
                slope = part * hs[-1][0] / kls[-1][0]
                painter.drawLine(place(0.0, 0.0), place(xs[1], slope * xs[1]))
        spots = [place(kl[0], h[0]) for kl, h in zip(kls, hs, strict=True)]
        painter.setPen(self.pen("plot_kl", 1.5))
        for (_, left, right), (_, low, high), kl, h in zip(kls, hs, kls, hs, strict=True):
            painter.drawLine(place(left, h[0]), place(right, h[0]))
            painter.drawLine(place(kl[0], low), place(kl[0], high))
        painter.setPen(self.pen("plot_kl", 2))
        painter.drawPolyline(spots)
        painter.restore()
        self._marks(painter, area, spots)

    def _marks(self, painter: QPainter, area: QRectF, spots: Sequence[QPointF]) -> None:
        """Draw the points, and the steps beside those that leave room for the words."""
        metrics, half = QFontMetricsF(painter.font()), self.theme.px(4)
        taken = list[QRectF]()
        for point, at in reversed(list(zip(self.plots.phase, spots, strict=True))):
            box = QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half)
            painter.setPen(self.pen("plot_kl", 1.5))
            painter.setBrush(self.colour("surface"))
            painter.drawEllipse(box)
            words = f"step {point.step}: KL {estimate_text(point.kl)}; h {estimate_text(point.h)}"
            self.spots.append(Spot(box, point.step, words))
            name = str(point.step)
            size = QSizeF(metrics.horizontalAdvance(name), metrics.height())
            room = QRectF(QPointF(box.left() - size.width() - 2, box.top() - size.height() + 2), size)
            if room.left() > area.left() and not any(room.intersects(other) for other in taken):
                taken.append(room)
                self.write(painter, room, name, "text2", Qt.AlignmentFlag.AlignLeft)

    def asked(self, key: object) -> PairsAsked | None:
        """Return the pairs of the look before a KL."""
        point = next((p for p in self.plots.phase if p.step == key), None)
        if point is None:
            return None
        title = f"Held-out pairs at step {point.h_step}"
        return PairsAsked(title, "dev", point.h_step, point.h_step, frozenset())

    def rows(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Return every point with its intervals."""
        heads = ("step", "KL (nats)", "KL_low", "KL_high", "KL_n", "h (nats)", "h_low", "h_high", "h_n")
        return heads, [
            (p.step, p.kl.value, p.kl.low, p.kl.high, p.kl.n, p.h.value, p.h.low, p.h.high, p.h.n)
            for p in self.plots.phase
        ]


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    """Return value and ends of the interval; both are the value where there is none."""
    low, high = (end if math.isfinite(end) else estimate.value for end in (estimate.low, estimate.high))
    return estimate.value, low, high


def _root(parts: tuple[float, float, float]) -> tuple[float, float, float]:
    value, low, high = (math.sqrt(max(0.0, part)) for part in parts)
    return value, low, high

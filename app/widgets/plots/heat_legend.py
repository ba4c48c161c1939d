"""Colours of shares on a logarithmic scale, and the bar that explains them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.theme import Theme

_LEAST, _PALEST = 0.01, 0.16
"""Shares up to this have the palest colour; how much of the full colour that keeps."""
_TICKS = (1, 3, 10, 30, 100)
_STEPS = 64


def depth(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how deep the colour of a share is: 0 at 1 % and below, 1 at 100 %, even in the logarithm.

    >>> depth(np.array([0.001, 0.01, 0.1, 1.0])).tolist()
    [0.0, 0.0, 0.5, 1.0]
    """
    return np.clip(1 + np.log10(np.maximum(shares, _LEAST)) / -math.log10(_LEAST), 0.0, 1.0)


def coloured(theme: Theme, token: str, shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the colours (..., 4) of shares (...), 0 to 1; a share of 0 is transparent."""
    full, empty = (np.array(theme.tokens.colour(name).getRgb(), dtype=np.float64) for name in (token, "surface"))
    scale = _PALEST + (1 - _PALEST) * np.arange(_STEPS) / (_STEPS - 1)
    table = np.rint(empty + (full - empty) * scale[:, None]).astype(np.uint8)
    colours = table[np.rint(depth(shares) * (_STEPS - 1)).astype(np.intp)]
    colours[..., 3] = np.where(shares > 0, 255, 0)
    return colours


class HeatLegend(QWidget):
    """The colours of a heat map with the shares that they stand for."""

    def __init__(self, theme: Theme, token: str) -> None:
        super().__init__()
        self._theme, self._token = theme, token
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Colours: share of the pairs of a step in a bin, 1 to 100 per cent, logarithmic")
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Return room for the bar and its numbers."""
        return QSize(self._theme.px(40), self._theme.px(60))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw the title, the bar and the ticks that have room."""
        painter, tokens = QPainter(self), self._theme.tokens
        painter.setFont(self._theme.font(11))
        high = QFontMetricsF(painter.font()).height()
        painter.setPen(tokens.colour("text2"))
        painter.drawText(QRectF(0, 0, self.width(), high), int(Qt.AlignmentFlag.AlignLeft), "% pairs")
        bar = QRectF(2, high + 6, self._theme.px(10), max(8.0, self.height() - 2.4 * high - 8))
        gradient = QLinearGradient(bar.bottomLeft(), bar.topLeft())
        shares = np.linspace(0.0, 1.0, 9)
        for place, colour in zip(
            shares, coloured(self._theme, self._token, 10 ** (2 * shares - 2)).tolist(), strict=True
        ):
            gradient.setColorAt(float(place), QColor(*colour))
        painter.fillRect(bar, gradient)
        free = math.inf
        for tick in _TICKS:
            y = bar.bottom() - bar.height() * float(depth(np.array([tick / 100]))[0])
            if free - y < high * 0.95:
                continue
            free = y
            painter.drawLine(QPointF(bar.right(), y), QPointF(bar.right() + 3, y))
            room = QRectF(bar.right() + 5, y - high / 2, self.width() - bar.right() - 5, high)
            painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), str(tick))
        painter.end()

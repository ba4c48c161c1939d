"""The shapes of a picture of streams: a node, and a stream between two nodes."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPainterPath

NODE = 10
"""Pixels that a node is wide."""
_ALPHA = 0.32


def draw_node(painter: QPainter, colour: QColor, x: float, y: float, high: float) -> None:
    """Draw a node, ``high`` pixels high and never too low to be seen."""
    painter.fillRect(QRectF(x, y, NODE, max(2.0, high)), colour)


def draw_stream(
    painter: QPainter, colour: QColor, start: tuple[float, float], end: tuple[float, float], high: float
) -> None:
    """Draw a stream of one height from the right edge of a node to the left edge of another."""
    high = max(1.0, high)
    (left, y0), (right, y1) = start, end
    middle = (left + right) / 2
    path = QPainterPath(QPointF(left, y0))
    path.cubicTo(middle, y0, middle, y1, right, y1)
    path.lineTo(right, y1 + high)
    path.cubicTo(middle, y1 + high, middle, y0 + high, left, y0 + high)
    faint = QColor(colour)
    faint.setAlphaF(_ALPHA)
    painter.fillPath(path, faint)

"""Levels across a plot: a budget to keep below, the loss at the start, the reference's own ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pyqtgraph as pg

from app.theme.theme import Theme
from app.widgets.plots.canvas import PlotCanvas
from app.widgets.plots.curve_items import Axes, dashed

_OPAQUE = 0.8
"""How much of a curve the ground of the words covers."""
_EDGE = 0.02
"""Share of the width between the words and the edge."""


@dataclass(slots=True)
class _Level:
    line: pg.InfiniteLine
    value: float
    tone: str
    right: bool = False


class Levels:
    """The dashed lines of one plot, each with its words."""

    def __init__(self, plot: PlotCanvas) -> None:
        self._plot = plot
        self._levels: dict[str, _Level] = {}
        self._theme: Theme | None = None
        self._scale, self._axes = 1.0, Axes()

    def set(self, key: str, value: float, words: str, tone: str = "text3", *, right: bool = False) -> None:
        """Draw a level with its words, if any, in a colour token; a value that is not finite takes it away.

        The words stand at the left, or at the ``right`` where the curves are lower.
        """
        level = self._levels.get(key)
        if level is None:
            if not math.isfinite(value):
                return
            side = 1 if right else 0
            labelled = {"position": 1 - _EDGE if right else _EDGE, "anchors": [(side, 0), (side, 1)]}
            line = pg.InfiniteLine(0.0, angle=0, label="", labelOpts=labelled)
            level = self._levels[key] = _Level(line, value, tone, right)
            self._plot.add(level.line, fitted=False)
        level.value, level.tone = value, tone
        level.line.label.setFormat(words)
        level.line.label.setVisible(bool(words))
        self._draw(level)

    def clear(self) -> None:
        """Draw none."""
        for level in self._levels.values():
            level.value = math.nan
            level.line.setVisible(False)

    def place(self, axes: Axes) -> None:
        """Put the levels where the axes have them now."""
        self._axes = axes
        for level in self._levels.values():
            self._draw(level)

    def restyle(self, theme: Theme, scale: float) -> None:
        """Take the theme's colours."""
        self._theme, self._scale = theme, scale
        for level in self._levels.values():
            self._draw(level)

    def room_beside(self, words: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
        """Return between which values words at the ends of curves stand clear of the words of the levels.

        Args:
            words: how wide each is in pixels, and where it begins: its place along x, its value.
        """
        bottom, top = self._plot.view.viewRange()[1]
        across = self._plot.view.viewPixelSize()[0] if words else 0.0
        for left, low, high in self._words_at_right():
            beside = [y for wide, x, y in words if x + wide * across > left]
            if beside and sum(beside) / len(beside) <= low:
                top = min(top, low)
            elif beside:
                bottom = max(bottom, high)
        return bottom, top

    def _words_at_right(self) -> list[tuple[float, float, float]]:
        """Put the words at the right above their lines where they fit; return their left, lower and upper edges."""
        view = self._plot.view
        (_, right), (_, top) = view.viewRange()
        across, up = view.viewPixelSize()
        found: list[tuple[float, float, float]] = []
        for level in self._levels.values():
            label = level.line.label
            if not level.right or not level.line.isVisible() or not label.format:
                continue
            y, height = self._axes.place(1.0, level.value)[1], label.boundingRect().height() * up
            above = y + height <= top
            label.anchors = [(1, int(above)), (1, int(above))]
            label.updatePosition()
            left = right - across * (_EDGE * view.width() + label.boundingRect().width())
            found.append((left, y, y + height) if above else (left, y - height, y))
        return found

    def words(self) -> list[str]:
        """Return what the levels that are drawn say."""
        found = (level.line.label.format for level in self._levels.values() if level.line.isVisible())
        return [words for words in found if words]

    def _draw(self, level: _Level) -> None:
        y = self._axes.place(1.0, level.value)[1]
        level.line.setVisible(math.isfinite(y))
        if math.isfinite(y):
            level.line.setPos(y)
        if self._theme is not None:
            tokens = self._theme.tokens
            level.line.setPen(dashed(tokens[level.tone], self._scale))
            level.line.label.setColor(tokens["text2" if level.tone == "text3" else level.tone])
            level.line.label.setFont(self._theme.font(11))
            level.line.label.fill = pg.mkBrush(tokens.colour("surface", _OPAQUE))  # curves may run behind the words

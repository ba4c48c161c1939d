"""Levels across a plot: a budget to keep below, the loss at the start, the reference's own ranking."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pyqtgraph as pg

from app.theme.theme import Theme
from app.widgets.plots.canvas import PlotCanvas
from app.widgets.plots.curve_items import Axes, dashed

_OPAQUE = 0.8
"""How much of a curve the ground of the words covers."""


@dataclass(slots=True)
class _Level:
    line: pg.InfiniteLine
    value: float
    tone: str


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
            labelled = {"position": 0.98 if right else 0.02, "anchors": [(side, 0), (side, 1)]}
            level = self._levels[key] = _Level(pg.InfiniteLine(0.0, angle=0, label="", labelOpts=labelled), value, tone)
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

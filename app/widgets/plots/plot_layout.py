"""Which plots are shown, in which order and columns. Pure values, so that a workspace can keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.widgets.plots.run_plots import BY_NAME

MOST_COLUMNS = 3
SHOWN = ("margins", "accuracy", "margin", "rewards", "kl", "loss")
"""What a workspace shows before anybody chose."""


@dataclass(frozen=True, slots=True)
class PlotLayout:
    """The plots by key, in the order in which they stand; ``columns`` at most beside each other."""

    shown: tuple[str, ...] = SHOWN
    columns: int = MOST_COLUMNS

    def to_texts(self) -> list[str]:
        """Return what is kept: the columns, then the plots."""
        return [str(self.columns), *self.shown]

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> PlotLayout:
        """Return the layout that was kept; what this version does not know is left out, and nothing is the default.

        >>> PlotLayout.from_texts(["2", "kl", "gone", "kl"])
        PlotLayout(shown=('kl',), columns=2)
        >>> PlotLayout.from_texts([]) == PlotLayout.from_texts(["many", "gone"]) == PlotLayout()
        True
        """
        head, *keys = texts or [""]
        known = tuple(dict.fromkeys(key for key in keys if key in BY_NAME))
        columns = int(head) if head.isdigit() else MOST_COLUMNS
        return cls(known or SHOWN, min(MOST_COLUMNS, max(1, columns)))

    def switched(self, key: str, on: bool) -> PlotLayout:
        """Return the layout with a plot at the end, or without it; the last one stays."""
        rest = tuple(other for other in self.shown if other != key)
        if on:
            return self if key in self.shown else replace(self, shown=(*rest, key))
        return replace(self, shown=rest) if rest else self

    def moved(self, key: str, by: int) -> PlotLayout:
        """Return the layout with a plot some places earlier (below 0) or later.

        >>> PlotLayout(("a", "b", "c")).moved("c", -1).shown
        ('a', 'c', 'b')
        """
        if key not in self.shown:
            return self
        place = self.shown.index(key)
        return self.placed(key, min(len(self.shown) - 1, max(0, place + by)))

    def placed(self, key: str, place: int) -> PlotLayout:
        """Return the layout with a plot at a place.

        >>> PlotLayout(("a", "b", "c")).placed("a", 2).shown
        ('b', 'c', 'a')
        """
        rest = [other for other in self.shown if other != key]
        return replace(self, shown=(*rest[:place], key, *rest[place:]))

"""One number that branches into several, drawn as streams: what becomes of the rows of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.data.flow_shapes import NODE, draw_node, draw_stream
from app.theme.theme import Theme

GAP_PX, LEAST_PX = 10, 90


@dataclass(frozen=True, slots=True)
class Branch:
    """A part of the whole: its words, its count and the token of its colour."""

    words: str
    count: int
    token: str


class BranchPicture(QWidget):
    """Draws a whole at the left and its branches at the right, each with its words and its count."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._whole = Branch("", 0, "plot_chosen")
        self._branches: tuple[Branch, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The branches that are shown."""
        return self._branches

    def set_branches(self, whole: Branch, branches: Sequence[Branch]) -> None:
        """Show another number; branches without any are left out, the counts of the others add up to the whole."""
        self._whole, self._branches = whole, tuple(branch for branch in branches if branch.count)
        parts = ", ".join(_said(branch) for branch in self._branches)
        self.setAccessibleName(f"{_said(whole)}: {parts}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for the words of every branch."""
        metrics = self.fontMetrics()
        words = max((metrics.horizontalAdvance(_said(one)) for one in (self._whole, *self._branches)), default=0)
        high = max(self._theme.px(LEAST_PX), (len(self._branches) + 1) * (metrics.height() + 4) + GAP_PX)
        return QSize(2 * words + 80, high)

    def minimumSizeHint(self) -> QSize:
        """Return room for the words of a branch beside a stream."""
        hint = self.sizeHint()
        return QSize(hint.width() // 2 + 40, hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw streams, nodes and words."""
        if not self._whole.count:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        top = line + 4
        right = max(self.fontMetrics().horizontalAdvance(_said(one)) for one in self._branches) + NODE + 8
        gaps = GAP_PX * (len(self._branches) - 1)
        scale = max(1, self.height() - top - 4 - gaps) / self._whole.count
        x = self.width() - right
        self._say(painter, 0, 0, _said(self._whole))
        here, there, middles = float(top), float(top), []
        for branch in self._branches:
            high = branch.count * scale
            draw_stream(painter, self._colour(branch), (NODE, here), (x, there), high)
            draw_node(painter, self._colour(branch), x, there, high)
            middles.append(there + high / 2 - line / 2)
            here += high
            there += high + GAP_PX
        draw_node(painter, self._colour(self._whole), 0, top, here - top)
        for y, branch in zip(spread(middles, line, self.height() - line), self._branches, strict=True):
            self._say(painter, x + NODE + 6, y, _said(branch))

    def _colour(self, branch: Branch) -> QColor:
        return self._theme.tokens.colour(branch.token)

    def _say(self, painter: QPainter, x: float, y: float, words: str) -> None:
        painter.setPen(self._theme.tokens.colour("text"))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        painter.drawText(QRectF(x, y, self.width(), self.height()), int(flags), words)


def spread(places: Sequence[float], least: float, end: float) -> list[float]:
    """Return places moved so that each is at least so far behind the one before, and the last one not behind the end.

    >>> spread([0, 50, 52, 54], 10, 60)
    [0, 40, 50, 60]
    """
    found = [min(place, end - least * (len(places) - 1 - at)) for at, place in enumerate(places)]
    for at in range(1, len(found)):
        found[at] = max(found[at], found[at - 1] + least)
    return found


def _said(branch: Branch) -> str:
    return f"{branch.words} {branch.count:,}"

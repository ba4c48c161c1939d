"""The way of the pairs from import to a frozen version as a picture of streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.data.flow_shapes import NODE, draw_node, draw_stream
from app.theme.theme import Theme
from core.domain.aggregation import NOT_LABELLED
from core.domain.counting import counted
from core.domain.dataset import DatasetVersion

GAP, HEIGHT_PX = 0.10, 210
SPLITS = (("train", "Train", "accent"), ("dev", "Dev", "plot_accuracy"), ("test", "Sealed test", "plot_margin"))
"""The splits, their words and the token of their colour."""


@dataclass(frozen=True, slots=True)
class Way:
    """How many pairs were imported, labelled, and frozen or left out."""

    imported: int
    unlabelled: int
    splits: tuple[int, int, int]

    @property
    def labelled(self) -> int:
        """Pairs with a label."""
        return self.imported - self.unlabelled

    @property
    def frozen(self) -> int:
        """Items of the version."""
        return sum(self.splits)

    @property
    def dropped(self) -> int:
        """Labelled pairs that were left out."""
        return self.labelled - self.frozen

    @classmethod
    def of(cls, version: DatasetVersion) -> Way:
        """Read it from a version."""
        counts = version.counts
        unlabelled = sum(entry.count for entry in version.left_out if entry.reason == NOT_LABELLED)
        return cls(counts.get("pairs", 0), unlabelled, tuple(counts.get(key, 0) for key, _, _ in SPLITS))  # type: ignore[arg-type]

    def sentence(self) -> str:
        """Return the way in one sentence."""
        return (
            f"{counted(self.imported, 'pair')} imported = {self.frozen:,} frozen + "
            f"{self.imported - self.frozen:,} left out"
        )


class FlowPicture(QWidget):
    """Draws a :class:`Way`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._way = Way(0, 0, (0, 0, 0))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    def set_way(self, way: Way) -> None:
        """Draw another one."""
        self._way = way
        self.setAccessibleName(f"From import to freeze: {way.sentence()}")
        self.updateGeometry()
        self.update()

    def minimumSizeHint(self) -> QSize:
        """Return room for the captions beside each other."""
        metrics = self.fontMetrics()
        words = (*self._tops(), *(text for text, _ in self._ends()))
        return QSize(sum(metrics.horizontalAdvance(text) for text in words[:3]) + 60, self._theme.px(HEIGHT_PX))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw streams, then nodes, then captions."""
        if not self._way.imported:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        ends = self._ends()
        right = max(self.fontMetrics().horizontalAdvance(words) for words, _ in ends) + 12
        area = QRectF(0, line + 6, max(60, self.width() - right), self.height() - 2 * line - 12)
        _Drawing(painter, self._theme, self._way, area, ends, self._tops()).draw(self.fontMetrics().height())

    def _tops(self) -> tuple[str, str, str]:
        way = self._way
        return (
            f"Imported {way.imported:,}",
            f"Labelled {way.labelled:,}",
            f"Not labelled {way.unlabelled:,}",
        )

    def _ends(self) -> list[tuple[str, str]]:
        """Return words and colour of the nodes at the right edge, those that hold pairs only."""
        shown = [
            (f"{words} {count:,}", token)
            for (_, words, token), count in zip(SPLITS, self._way.splits, strict=True)
            if count
        ]
        left_out = self._way.imported - self._way.frozen
        return [*shown, *([(f"Left out {left_out:,}", "text3")] if left_out else [])]


class _Drawing:
    """One painting of a way."""

    def __init__(
        self,
        painter: QPainter,
        theme: Theme,
        way: Way,
        area: QRectF,
        ends: Sequence[tuple[str, str]],
        tops: tuple[str, str, str],
    ) -> None:
        self._painter, self._theme, self._way, self._area = painter, theme, way, area
        self._ends, self._tops = ends, tops
        self._scale = area.height() * (1 - 2 * GAP) / way.imported

    def draw(self, line: int) -> None:
        """Draw it; ``line`` is the height of a line of text."""
        way, area, gap = self._way, self._area, self._area.height() * GAP
        x = (area.left(), area.left() + area.width() * 0.42, area.right() - NODE)
        top = area.top()
        low = top + way.labelled * self._scale + gap
        out = top + way.frozen * self._scale + 2 * gap
        self._stream(x[0], top, x[1], top, way.labelled, "plot_chosen")
        self._stream(x[0], top + way.labelled * self._scale, x[1], low, way.unlabelled, "text3")
        self._stream(x[1], top, x[2], top, way.frozen, "plot_chosen")
        self._stream(x[1], top + way.frozen * self._scale, x[2], out, way.dropped, "text3")
        self._stream(x[1], low, x[2], out + way.dropped * self._scale, way.unlabelled, "text3")
        self._node(x[0], top, way.imported, "plot_chosen")
        self._node(x[1], top, way.labelled, "plot_chosen")
        self._node(x[1], low, way.unlabelled, "text3")
        self._right(x[2], top, out, line)
        self._words(x[0], top - line - 4, self._tops[0])
        self._words(x[1], top - line - 4, self._tops[1])
        if way.unlabelled:
            self._words(x[1], low + max(2.0, way.unlabelled * self._scale) + 2, self._tops[2])

    def _right(self, x: float, top: float, out: float, line: int) -> None:
        """Draw the nodes at the right edge with their words, which keep a line's distance from each other."""
        counts = [count for count in self._way.splits if count]
        places, at = [], top
        for count in counts:
            places.append((at, count))
            at += count * self._scale
        if (left_out := self._way.imported - self._way.frozen) > 0:
            places.append((out, left_out))
        lowest = top - line
        for (place, count), (words, token) in zip(places, self._ends, strict=True):
            self._node(x, place, count, token)
            lowest = max(lowest + line, place + count * self._scale / 2 - line / 2)
            self._words(x + NODE + 6, lowest, words)

    def _stream(self, x0: float, y0: float, x1: float, y1: float, count: int, token: str) -> None:
        if not count:
            return
        colour = self._theme.tokens.colour(token)
        draw_stream(self._painter, colour, (x0 + NODE, y0), (x1, y1), count * self._scale)

    def _node(self, x: float, y: float, count: int, token: str) -> None:
        if count:
            draw_node(self._painter, self._theme.tokens.colour(token), x, y, count * self._scale)

    def _words(self, x: float, y: float, words: str) -> None:
        self._painter.setPen(self._theme.tokens.colour("text"))
        self._painter.drawText(
            QRectF(x, y, 400, 60), int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), words
        )

"""Two parts beside each other, or one above the other where there is no room for both."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.background.idle_queue import IdleQueue
from app.widgets.line_splitter import LineSplitter


class FoldingSplit(LineSplitter):
    """A splitter that stands its parts one above the other where they do not fit beside each other.

    The user moves the handle in both arrangements; the places of each are kept while the window lives. Beside each
    other, the part that grows takes what the others leave, also where the window was narrow or hidden in between.

    Args:
        parts: from left to right, or from top to bottom.
        sizes: their widths at first.
        heights: their shares of the height when one stands above the other.
        least: widths below which the parts do not stand beside each other, in heights of a line of text; what they ask
            for by themselves when that is more.
        grows: the part that takes what is left; None for all of them alike.

    Signals:
        folded(bool): the parts stand one above the other now, or beside each other again.
    """

    folded = Signal(bool)

    def __init__(
        self,
        parts: Sequence[QWidget],
        sizes: Sequence[int],
        *,
        heights: Sequence[int] = (),
        least: Sequence[float] = (),
        grows: int | None = 0,
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._fitting = IdleQueue(self)
        self._least = {id(part): ems for part, ems in zip(parts, least, strict=False)}
        for part in parts:
            self.addWidget(part)
        for place in range(len(parts)) if grows is None else (grows,):
            self.setStretchFactor(place, 1)
        self._kept = {Qt.Orientation.Horizontal: list(sizes), Qt.Orientation.Vertical: list(heights or sizes)}
        self._grows = grows
        self.splitterMoved.connect(self._keep)
        self.setSizes(list(sizes))

    def fit(self) -> None:
        """Choose the arrangement for the present width."""
        wanted = Qt.Orientation.Horizontal if self._width_beside() <= self.width() else Qt.Orientation.Vertical
        if wanted == self.orientation():
            self._share()
            return
        self.setOrientation(wanted)
        self.setSizes(self._kept[wanted])
        self._share()
        self.folded.emit(wanted == Qt.Orientation.Vertical)

    def _keep(self) -> None:
        """Keep where the user put the handle; a part that is hidden keeps its own."""
        kept = self._kept[self.orientation()]
        self._kept[self.orientation()] = [now or before for now, before in zip(self.sizes(), kept, strict=True)]

    def _share(self) -> None:
        """Give every part beside another its width, and no less than it needs, which grows with the text."""
        if self.orientation() == Qt.Orientation.Vertical:
            return
        parts = [self.widget(n) for n in range(self.count())]
        shown = [n for n, part in enumerate(parts) if part is not None and not part.isHidden()]
        needs = {n: self._least_width(part) for n in shown if (part := parts[n]) is not None}
        before = self._in_proportion(shown) if self._grows is None else self._kept[Qt.Orientation.Horizontal]
        sizes = {n: max(before[n], needs[n]) for n in shown}
        spare = self.width() - self.handleWidth() * max(0, len(shown) - 1) - sum(sizes.values())
        if self._grows in sizes:
            sizes[self._grows] += max(spare, needs[self._grows] - sizes[self._grows])
            spare = min(0, self.width() - self.handleWidth() * (len(shown) - 1) - sum(sizes.values()))
        if spare < 0 and sizes:
            widest = max(sizes, key=lambda n: sizes[n] - needs[n])
            sizes[widest] = max(needs[widest], sizes[widest] + spare)
        wanted = [sizes.get(n, 0) for n in range(self.count())]
        if wanted != self.sizes():
            self.setSizes(wanted)

    def _in_proportion(self, shown: Sequence[int]) -> list[int]:
        """Return the widths of parts that grow alike: the present width, divided as it was at first or by the user."""
        kept = self._kept[Qt.Orientation.Horizontal]
        room = self.width() - self.handleWidth() * max(0, len(shown) - 1)
        total = sum(kept[n] for n in shown) or 1
        return [round(room * width / total) for width in kept]

    def _least_width(self, part: QWidget) -> int:
        return max(_need(part).width(), round(self._least.get(id(part), 0) * self.fontMetrics().height()))

    def changeEvent(self, event: QEvent) -> None:
        """Choose the arrangement for another text size once the parts have it too, because it lays all of them out."""
        super().changeEvent(event)
        fonts = (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange)
        if event.type() in fonts and not self._fitting.busy:
            self._fitting.add(self.fit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the arrangement."""
        self.fit()
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:
        """Return the width of the widest part, because they can stand one above the other."""
        needs = [_need(part) for part in self._parts()]
        height = max((need.height() for need in needs), default=0)
        if self.orientation() == Qt.Orientation.Vertical:
            height = sum(need.height() for need in needs) + self.handleWidth() * max(0, len(needs) - 1)
        return QSize(max((need.width() for need in needs), default=0), height)

    def _parts(self) -> list[QWidget]:
        return [part for n in range(self.count()) if (part := self.widget(n)) is not None and not part.isHidden()]

    def _width_beside(self) -> int:
        parts = self._parts()
        return sum(map(self._least_width, parts)) + self.handleWidth() * max(0, len(parts) - 1)


def _need(part: QWidget) -> QSize:
    """Return the least size of a part: what it was given, or else what its content asks for."""
    given, asked = part.minimumSize(), part.minimumSizeHint()
    return QSize(given.width() or asked.width(), given.height() or asked.height())

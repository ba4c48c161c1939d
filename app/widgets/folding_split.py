"""Two parts beside each other, or one above the other where there is no room for both."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget


class FoldingSplit(QSplitter):
    """A splitter that stands its parts one above the other where they do not fit beside each other.

    The user moves the handle in both arrangements; the places of each are kept while the window lives.

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
        self.setChildrenCollapsible(False)
        self._least = {id(part): ems for part, ems in zip(parts, least, strict=False)}
        for part in parts:
            self.addWidget(part)
        for place in range(len(parts)) if grows is None else (grows,):
            self.setStretchFactor(place, 1)
        self._kept = {Qt.Orientation.Horizontal: list(sizes), Qt.Orientation.Vertical: list(heights or sizes)}
        self.setSizes(list(sizes))

    def fit(self) -> None:
        """Choose the arrangement for the present width."""
        wanted = Qt.Orientation.Horizontal if self._width_beside() <= self.width() else Qt.Orientation.Vertical
        if wanted == self.orientation():
            self._widen()
            return
        if self.isVisible():
            self._kept[self.orientation()] = self.sizes()
        self.setOrientation(wanted)
        self.setSizes(self._kept[wanted])
        self._widen()
        self.folded.emit(wanted == Qt.Orientation.Vertical)

    def _widen(self) -> None:
        """Give a part beside another the width that it needs, which grows with the text."""
        if self.orientation() == Qt.Orientation.Vertical:
            return
        sizes, parts = self.sizes(), [self.widget(n) for n in range(self.count())]
        needs = [self._least_width(part) if part is not None and not part.isHidden() else 0 for part in parts]
        if any(size < need for size, need in zip(sizes, needs, strict=True)):
            spare = sum(sizes) - sum(max(size, need) for size, need in zip(sizes, needs, strict=True))
            wider = [max(size, need) for size, need in zip(sizes, needs, strict=True)]
            most = max(range(len(wider)), key=lambda n: wider[n] - needs[n])
            wider[most] += spare
            self.setSizes(wider)

    def _least_width(self, part: QWidget) -> int:
        return max(_need(part).width(), round(self._least.get(id(part), 0) * self.fontMetrics().height()))

    def changeEvent(self, event: QEvent) -> None:
        """Choose the arrangement for another text size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self.fit()

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

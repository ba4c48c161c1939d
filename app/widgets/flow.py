"""Rows that break into several where the window is narrow or the text large, instead of cutting what is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QSpacerItem, QWidget, QWidgetItem


@dataclass(frozen=True, slots=True)
class _ItemSizes:
    """One item with what it asks for.

    Attributes:
        item: what is placed.
        gap: whether it pushes what follows to the right edge.
        shown: whether it is a widget or layout that is shown now.
        least: the width below which it is not made.
        likes: the width that it would like.
        grows: whether it takes more width than it would like.
        fills: whether it is as high as its row.
    """

    item: QLayoutItem
    gap: bool
    shown: bool
    least: int = 0
    likes: int = 0
    grows: bool = False
    fills: bool = False


@dataclass(frozen=True, slots=True)
class _Placed:
    """One item of a row with the width that it gets and the height that it then needs."""

    measured: _ItemSizes
    width: int
    height: int


class FlowLayout(QLayout):
    """A row that continues in a next one, as words do in a text.

    An item is never narrower than it asks for at least, so that nothing is cut; what is left of a row goes to the items
    that want more, then to those that expand. One that expands upwards is as high as its row. ``add_gap`` pushes what
    follows to the right edge.

    Args:
        parent: takes the layout; None for a layout inside another one.
        spacing: pixels between the items of a row.
        row_spacing: pixels between the rows.
        middle: the rows stand in the middle of a height that is more than they need, not at its top.
    """

    def __init__(
        self, parent: QWidget | None = None, *, spacing: int = 8, row_spacing: int = 6, middle: bool = False
    ) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._ems: dict[int, float] = {}
        self._known_least: QSize | None = None
        self._known_items: list[_ItemSizes] | None = None
        self._known_rows: dict[int, list[list[_Placed]]] = {}
        self._heights: dict[int, int] = {}
        self._row_spacing, self._middle = row_spacing, middle
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)
        if parent is not None:
            parent.setLayout(self)

    def add_gap(self) -> None:
        """Push what is added later to the right edge of its row."""
        self.addItem(QSpacerItem(0, 0, QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum))

    def add(self, widget: QWidget, *, least: float = 0) -> None:
        """Append a widget that is never narrower than ``least`` lines of its text are high, and expands."""
        policy = widget.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
        widget.setSizePolicy(policy)
        self.addWidget(widget)
        self._ems[id(self._items[-1])] = least

    def insert_widget(self, place: int, widget: QWidget) -> None:
        """Add a widget before the item at a place."""
        self.addChildWidget(widget)
        self._items.insert(place, QWidgetItem(widget))
        self.invalidate()

    # What Qt asks of a layout

    def addItem(self, item: QLayoutItem) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - Qt names it arg
        """Append an item."""
        self._forget()
        self._items.append(item)

    def invalidate(self) -> None:
        """Forget sizes, rows and heights: an item was shown, hidden or changed its size."""
        self._forget()
        super().invalidate()

    def count(self) -> int:
        """Return how many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return an item, or None past the end."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Remove and return an item, or None past the end."""
        self._forget()
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """Return that it takes more width, and no more height than it needs."""
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        """Return that the height follows from the width."""
        return True

    def heightForWidth(self, width: int) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the height of all rows at a width; Qt asks for the same one many times."""
        if width not in self._heights:
            self._heights[width] = self._height_of_rows(width)
        return self._heights[width]

    def _height_of_rows(self, width: int) -> int:
        margins = self.contentsMargins()
        rows = self._rows_at(width - margins.left() - margins.right())
        heights = sum(_height(row) for row in rows) + self._row_spacing * max(0, len(rows) - 1)
        return heights + margins.top() + margins.bottom()

    def minimumSize(self) -> QSize:
        """Return the width of the widest item, and the height of one row."""
        if self._known_least is None:
            shown = [item for item in self._items if not item.isEmpty()]
            widest = max(map(self._least, shown), default=0)
            self._known_least = QSize(widest, max((item.minimumSize().height() for item in shown), default=0))
        return self._with_margins(self._known_least)

    def sizeHint(self) -> QSize:
        """Return the size of one row with everything in it."""
        shown = [item for item in self._items if not item.isEmpty()]
        width = sum(item.sizeHint().width() for item in shown) + self.spacing() * max(0, len(shown) - 1)
        return self._with_margins(QSize(width, max((item.sizeHint().height() for item in shown), default=0)))

    def setGeometry(self, rect: QRect) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Place the items in rows."""
        super().setGeometry(rect)
        room = rect.marginsRemoved(self.contentsMargins())
        top = room.top()
        if self._middle:
            top += max(0, rect.height() - self.heightForWidth(rect.width())) // 2
        for row in self._rows_at(room.width()):
            height = _height(row)
            left = room.left()
            for placed in row:
                own = height if placed.measured.fills else min(height, placed.height)
                at = QRect(left, top + (height - own) // 2, placed.width, own)
                placed.measured.item.setGeometry(at)
                left += placed.width + (self.spacing() if not placed.measured.gap else 0)
            top += height + self._row_spacing

    def _least(self, item: QLayoutItem) -> int:
        """Return the width below which an item is not made."""
        least, widget = item.minimumSize().width(), item.widget()
        if widget is not None and (ems := self._ems.get(id(item))):
            least = max(least, round(ems * widget.fontMetrics().height()))
        return least

    def _with_margins(self, size: QSize) -> QSize:
        margins = self.contentsMargins()
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())

    def _forget(self) -> None:
        self._known_least = self._known_items = None
        self._heights.clear()
        self._known_rows.clear()

    def _measured(self) -> list[_ItemSizes]:
        """Return the items that are shown and the gaps; they are measured once, for rows of every width."""
        if self._known_items is None:
            measured = map(self._measure, self._items)
            self._known_items = [item for item in measured if item.shown or item.gap]
        return self._known_items

    def _measure(self, item: QLayoutItem) -> _ItemSizes:
        gap, shown = isinstance(item, QSpacerItem), not item.isEmpty()
        if gap or not shown:
            return _ItemSizes(item, gap, shown)
        ways = item.expandingDirections()
        grows, fills = bool(ways & Qt.Orientation.Horizontal), bool(ways & Qt.Orientation.Vertical)
        return _ItemSizes(item, gap, shown, self._least(item), item.sizeHint().width(), grows, fills)

    def _rows_at(self, width: int) -> list[list[_Placed]]:
        if width not in self._known_rows:
            self._known_rows[width] = self._rows(width)
        return self._known_rows[width]

    def _rows(self, width: int) -> list[list[_Placed]]:
        """Return the rows at a width, each with the widths of its items."""
        rows: list[list[_ItemSizes]] = [[]]
        used, gap = 0, None
        for item in self._measured():
            joint = self.spacing() if any(not other.gap for other in rows[-1]) and not item.gap else 0
            if rows[-1] and used + joint + item.least > width and not item.gap:
                rows.append([gap] if gap is not None else [])
                used = joint = 0
            gap = item if item.gap else gap
            rows[-1].append(item)
            used += joint + item.least
        return [self._shared(row, width) for row in rows if any(not item.gap for item in row)]

    def _shared(self, row: Sequence[_ItemSizes], width: int) -> list[_Placed]:
        """Share the width of a row: first what each item asks for at least, then what it would like, then the rest."""
        shown = [item for item in row if not item.gap]
        widths = {id(item): min(item.least, width) for item in shown}
        left = width - sum(widths.values()) - self.spacing() * (len(shown) - 1)
        for item in shown:
            more = max(0, min(left, item.likes - widths[id(item)]))
            widths[id(item)] += more
            left -= more
        gaps = [item for item in row if item.gap]
        growing = [] if gaps else [item for item in shown if item.grows]
        for item in growing:
            widths[id(item)] += max(0, left) // len(growing)
        wide = max(0, left) // len(gaps) if gaps else 0
        return [_placed(item, wide if item.gap else widths[id(item)]) for item in row]


def _placed(measured: _ItemSizes, width: int) -> _Placed:
    item = measured.item
    follows = not measured.gap and item.hasHeightForWidth()
    return _Placed(measured, width, item.heightForWidth(width) if follows else item.sizeHint().height())


def _height(row: Sequence[_Placed]) -> int:
    return max((placed.height for placed in row if not placed.measured.gap), default=0)


class EvenFlow(FlowLayout):
    """A row of items of equal width, broken into rows of equally many where they do not fit.

    Before it breaks, the widest items take what they need and the others share the rest.

    Args:
        parent: takes the layout; None for a layout inside another one.
        spacing: pixels between the items, in a row and between rows.
        least: returns the pixels that an item gets at least when it asks for less, which grow with the text.
    """

    def __init__(
        self, parent: QWidget | None = None, *, spacing: int = 8, least: Callable[[], int] = lambda: 0
    ) -> None:
        super().__init__(parent, spacing=spacing, row_spacing=spacing)
        self._least_px = least

    def _rows(self, width: int) -> list[list[_Placed]]:
        shown = [item for item in self._measured() if item.shown]
        if not shown:
            return []
        least = [max(self._least_px(), item.least) for item in shown]
        gaps = self.spacing() * (len(shown) - 1)
        if sum(least) + gaps <= width:
            shares = _even_shares(least, width - gaps)
            return [[_placed(item, share) for item, share in zip(shown, shares, strict=True)]]
        most = max(1, (width + self.spacing()) // (max(least) + self.spacing()))
        rows = -(-len(shown) // most)
        each = -(-len(shown) // rows)
        share = (width - self.spacing() * (each - 1)) // each
        return [[_placed(item, share) for item in shown[at : at + each]] for at in range(0, len(shown), each)]


def _even_shares(least: Sequence[int], width: int) -> list[int]:
    """Return widths that fill a width, as equal as the least ones allow.

    >>> _even_shares([10, 10, 10], 60), _even_shares([10, 40, 10], 60)
    ([20, 20, 20], [10, 40, 10])
    """
    shares, free = list(least), list(range(len(least)))
    while free:
        share = (width - sum(shares[n] for n in range(len(least)) if n not in free)) // len(free)
        wide = [n for n in free if least[n] > share]
        if not wide:
            return [share if n in free else shares[n] for n in range(len(least))]
        free = [n for n in free if n not in wide]
    return shares

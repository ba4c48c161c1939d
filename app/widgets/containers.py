"""Containers: cards, folds, tiles, lines and scrolled columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.background.idle_queue import IdleQueue
from app.theme.theme import Theme
from app.widgets.labels import restyle, text_label


def clear_layout(layout: QLayout) -> None:
    """Remove and delete everything in a layout."""
    while (item := layout.takeAt(0)) is not None:
        if widget := item.widget():
            widget.hide()
            widget.deleteLater()
        elif inner := item.layout():
            clear_layout(inner)


def line() -> QFrame:
    """Return a thin horizontal line."""
    frame = QFrame()
    frame.setProperty("part", "line")
    return frame


class Card(QFrame):
    """A rounded surface with a column of content; ``selected`` draws the accent border."""

    def __init__(self, title: str = "", *, margin: int = 12, spacing: int = 8) -> None:
        super().__init__()
        self.setProperty("part", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(margin, margin - 2, margin, margin - 2)
        self.column.setSpacing(spacing)
        self.head = QHBoxLayout()
        self.head.setSpacing(8)
        if title:
            self.head.addWidget(text_label(title, "section"))
            self.head.addStretch(1)
            self.column.addLayout(self.head)

    def set_selected(self, selected: bool) -> None:
        """Draw or remove the accent border."""
        value = "true" if selected else "false"
        if self.property("selected") != value:
            self.setProperty("selected", value)
            restyle(self)

    def add(self, item: QWidget | QLayout, stretch: int = 0) -> None:
        """Append a widget or a layout to the column."""
        if isinstance(item, QWidget):
            self.column.addWidget(item, stretch)
        else:
            self.column.addLayout(item, stretch)

    def add_to_head(self, widget: QWidget) -> None:
        """Add a control at the right of the title."""
        self.head.addWidget(widget)


class Pressable(QFrame):
    """A frame of labels that may be pressed as one thing.

    ``clicked`` fires after ``set_clickable(True)`` when it is pressed, by mouse or by Enter.
    """

    clicked = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._clickable = False
        self.setAccessibleName(name)

    def set_clickable(self, clickable: bool) -> None:
        """Accept presses by mouse and keyboard."""
        self._clickable = clickable
        self.setCursor(Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if clickable else Qt.FocusPolicy.NoFocus)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Report a press."""
        if self._clickable and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter and Space as a press."""
        if self._clickable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus."""
        super().focusInEvent(event)
        self._mark_focus("true")

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that the focus went elsewhere."""
        super().focusOutEvent(event)
        self._mark_focus("false")

    def _mark_focus(self, focused: str) -> None:
        self.setProperty("selected", focused)
        restyle(self)


class Swatch(QWidget):
    """A small square (or dot) in a token's colour, beside a name."""

    def __init__(self, theme: Theme, token: str, size: int = 9, *, dot: bool = False) -> None:
        super().__init__()
        self._theme, self._token, self._dot = theme, token, dot
        self.setFixedSize(QSize(size, size))
        theme.changed.connect(self.update)

    def set_token(self, token: str) -> None:
        """Take another colour."""
        self._token = token
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Fill the square or the dot."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.tokens.colour(self._token))
        if self._dot:
            painter.drawEllipse(self.rect())
        else:
            painter.drawRoundedRect(self.rect(), 2, 2)


class Collapsible(QWidget):
    """A titled part that folds; ``toggled(bool)`` fires when it opened or closed."""

    toggled = Signal(bool)

    def __init__(self, title: str, content: QWidget, *, theme: Theme, open_: bool = True) -> None:
        super().__init__()
        self._theme, self._title, self.content = theme, title, content
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._button = QToolButton()
        self._button.setProperty("fold", "true")
        self._button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._button.setCheckable(True)
        self._button.setChecked(open_)
        self._button.setText(title)
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._button.toggled.connect(self._toggle)
        self.head = QHBoxLayout()
        self.head.addWidget(self._button)
        self.head.addStretch(1)
        column.addLayout(self.head)
        column.addWidget(content)
        self._show(open_)

    @property
    def is_open(self) -> bool:
        """Whether the content is visible."""
        return self._button.isChecked()

    def set_open(self, open_: bool) -> None:
        """Open or close it."""
        self._button.setChecked(open_)

    def set_title(self, title: str) -> None:
        """Change the title."""
        self._title = title
        self._button.setText(title)
        self._name(self.is_open)

    def _toggle(self, open_: bool) -> None:
        self._show(open_)
        self.toggled.emit(open_)

    def _show(self, open_: bool) -> None:
        self._button.setIcon(self._theme.icons.icon("down" if open_ else "right", on="text2"))
        self.content.setVisible(open_)
        self._name(open_)

    def _name(self, open_: bool) -> None:
        self._button.setAccessibleName(f"{self._title}, {'open' if open_ else 'closed'}")


class _Scrolled(QWidget):
    """What scrolls: as high as its content needs to be at least, not as high as it would like to be."""

    def heightForWidth(self, width: int) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - Qt names it arg
        """Return the least height at a width."""
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            return _least_height(layout, width)
        return layout.minimumHeightForWidth(width) if layout is not None else super().heightForWidth(width)


def _least_height(column: QVBoxLayout, width: int) -> int:
    """Return the least height at which a column cuts none of its items.

    ``minimumHeightForWidth`` may be less: a column gives an item whose height follows from its width all of that
    height, and takes what is missing from the highest item.
    """
    margins = column.contentsMargins()
    inner = width - margins.left() - margins.right()
    shown = [item for item in map(column.itemAt, range(column.count())) if item is not None and not item.isEmpty()]
    heights = [i.heightForWidth(inner) if i.hasHeightForWidth() else i.minimumSize().height() for i in shown]
    return sum(heights) + column.spacing() * max(0, len(shown) - 1) + margins.top() + margins.bottom()


class WholeColumn(QWidget):
    """A column without margins, for a splitter: never lower than its words need at its width."""

    def __init__(self, *, spacing: int = 8) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(spacing)

    def event(self, event: QEvent) -> bool:
        """Ask for another height when the content or the width is another."""
        done = super().event(event)
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self.setMinimumHeight(_least_height(self.column, self.width()))
        return done


class ScrollColumn(QScrollArea):
    """A column that scrolls up and down when it does not fit, and never sideways.

    ``placed(QWidget)`` fires for each part of :meth:`add_later` once it is in the column.
    """

    placed = Signal(QWidget)

    def __init__(self, *, margin: int = 0, spacing: int = 8, name: str = "Scrolled content", widest: int = 0) -> None:
        """Make the column; ``widest`` caps it in the middle of a wide window (pixels, 0 for no cap)."""
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(name)
        inner = _Scrolled()
        inner.setProperty("part", "scrolled")
        if widest:
            outer = QHBoxLayout(inner)
            outer.setContentsMargins(0, 0, 0, 0)
            middle = QWidget()
            middle.setMaximumWidth(widest)
            outer.addStretch(1)
            outer.addWidget(middle, 1000)
            outer.addStretch(1)
            self.column = QVBoxLayout(middle)
        else:
            self.column = QVBoxLayout(inner)
        self.column.setContentsMargins(margin, margin, margin, margin)
        self.column.setSpacing(spacing)
        self.setWidget(inner)
        for part in (inner, self.viewport()):
            part.setAutoFillBackground(False)  # what lies under it is seen, also where no style sheet says so
        self._late, self._at, self._queue = list[QWidget](), 0, IdleQueue(self)
        self._waiting: QWidget | None = None

    def add_later(self, parts: Sequence[QWidget]) -> None:
        """Append parts that lie below what is seen first.

        Once the column is shown each is put into it, where it takes the style sheet, in a turn of the event loop of
        its own. Until then they lie in a hidden widget, so that they may be filled, hidden and shown.
        """
        self._waiting, self._at = QWidget(), self.column.count()
        for part in parts:
            part.setParent(self._waiting)
        self._late = list(parts)

    def showEvent(self, event: QShowEvent) -> None:
        """Take in what is to come later."""
        super().showEvent(event)
        if not self._queue.busy:
            for _ in self._late:
                self._queue.add(self._place_next)

    def _place_next(self) -> None:
        part = self._late.pop(0)
        self.column.insertWidget(self._at, part)
        self._at += 1
        self.placed.emit(part)

    def minimumSizeHint(self) -> QSize:
        """Return the width that the content needs and a small fixed height."""
        content = self.widget()
        inner = content.minimumSizeHint() if content is not None else QSize(0, 0)
        return QSize(inner.width() + self.verticalScrollBar().sizeHint().width(), 60)


Orientation = Literal["horizontal", "vertical"]


def side_panel(width: int = 300, part: Literal["side", "list"] = "side") -> tuple[QFrame, QVBoxLayout]:
    """Return a panel for the right ("side") or left ("list") edge of a page, and its column."""
    frame = QFrame()
    frame.setProperty("part", part)
    frame.setMinimumWidth(min(width, 200))
    frame.resize(width, frame.height())
    column = QVBoxLayout(frame)
    column.setContentsMargins(12, 12, 12, 12)
    column.setSpacing(8)
    return frame, column

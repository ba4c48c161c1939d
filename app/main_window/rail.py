"""The rail at the left: one button a place; at the bottom Search, Activity, and places such as Settings."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QToolButton, QVBoxLayout

from app.actions.registry import ActionRegistry
from app.places import PLACES
from app.theme.theme import Theme

WIDTH, LOW_WIDTH = 78, 48
BUTTON_PX, LEAST_BUTTON_PX = 57, 28
"""Height of a button with its label, and of one without, its gap included."""
_TOOLS = (("palette", "Search", "search"), ("activity", "Activity", "activity"))


class RailButton(QToolButton):
    """Icon over label, with a small count of what is running."""

    def __init__(self, theme: Theme, title: str, icon: str) -> None:
        super().__init__()
        self._theme, self._title, self._badge = theme, title, 0
        self.setProperty("rail", "true")
        self.setText(title)
        self.setIcon(theme.icons.icon(icon))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(title)
        self.fit()

    def fit(self, room: int | None = None) -> None:
        """Take the size of the text zoom; without ``room`` for it (pixels) the label is left out."""
        height = self._theme.px(BUTTON_PX)
        low = room is not None and room < height
        styles = Qt.ToolButtonStyle
        self.setToolButtonStyle(styles.ToolButtonIconOnly if low else styles.ToolButtonTextUnderIcon)
        side = self._theme.px(20)
        width = self._theme.px(WIDTH - 10) if not low else self._theme.px(LOW_WIDTH - 10)
        self.setFixedSize(width, min(room, height) if low and room else height)
        self.setIconSize(QSize(side, side))

    def set_badge(self, count: int) -> None:
        """Show a count, 0 for none."""
        if count != self._badge:
            self._badge = count
            self.setAccessibleName(f"{self._title}, {count} running" if count else self._title)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button, then the count."""
        super().paintEvent(event)
        if not self._badge:
            return
        tokens, side = self._theme.tokens, self._theme.px(16)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.colour("accent"))
        x, y = self.width() // 2 + self._theme.px(5), self._theme.px(3)
        painter.drawEllipse(x, y, side, side)
        painter.setPen(tokens.colour("on_accent"))
        painter.setFont(self._theme.font(10))
        painter.drawText(x, y, side, side, Qt.AlignmentFlag.AlignCenter, str(min(self._badge, 99)))


class Rail(QFrame):
    """The buttons; ``chosen(place)`` fires when a place was pressed."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, actions: ActionRegistry) -> None:
        super().__init__()
        self.setProperty("part", "rail")
        self._theme, self._actions, self._current = theme, actions, ""
        self.setAccessibleName("Places")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(4, 8, 4, 8)
        self._column.setSpacing(2)
        self.places: dict[str, RailButton] = {}
        self.tools: dict[str, RailButton] = {}
        self._add_places(in_rail=True)
        self._column.addStretch(1)
        for name, title, icon in _TOOLS:
            self.tools[name] = self._add(title, icon, f"global.{name}")
            self.tools[name].clicked.connect(partial(actions.run, f"global.{name}"))
        self._add_places(in_rail=False)
        theme.changed.connect(self._fit)
        actions.keys_changed.connect(self._set_tips)
        self._fit()
        self._set_tips()

    def set_current(self, place: str) -> None:
        """Mark the place that is shown."""
        self._current = place
        for name, button in self.places.items():
            button.setChecked(name == place)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out the labels when the window is too low for them."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Return the size of the icons without labels."""
        return QSize(self.width(), len(self._buttons()) * LEAST_BUTTON_PX)

    def _add_places(self, *, in_rail: bool) -> None:
        for place in PLACES:
            if place.in_rail is in_rail:
                button = self.places[place.id] = self._add(place.title, place.icon, place.action_id)
                button.setCheckable(True)
                button.clicked.connect(partial(self._choose, place.id))

    def _add(self, title: str, icon: str, action_id: str) -> RailButton:
        button = RailButton(self._theme, title, icon)
        button.setObjectName(f"rail_{action_id}")
        self._column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        return button

    def _choose(self, place: str) -> None:
        """Report a press; the press has switched the button, which must show the current place only."""
        self.chosen.emit(place)
        self.set_current(self._current)

    def _buttons(self) -> list[RailButton]:
        return [*self.places.values(), *self.tools.values()]

    def _set_tips(self) -> None:
        for name, button in {**self.places, **self.tools}.items():
            button.setToolTip(self._actions.action(f"global.{name}").toolTip())

    def _fit(self) -> None:
        buttons = self._buttons()
        room = (self.height() - 24) // len(buttons) - 2
        low = room < self._theme.px(BUTTON_PX)
        self.setFixedWidth(self._theme.px(LOW_WIDTH if low else WIDTH))
        for button in buttons:
            button.fit(max(LEAST_BUTTON_PX - 2, room))

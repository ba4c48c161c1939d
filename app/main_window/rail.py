"""The rail at the left: one button a place, and Search, Activity and Settings at the bottom."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QToolButton, QVBoxLayout

from app.actions.registry import ActionRegistry
from app.main_window.places import PLACES
from app.theme.theme import Theme

WIDTH, LOW_WIDTH = 78, 48
_BOTTOM = (("palette", "Search", "search"), ("activity", "Activity", "activity"), ("settings", "Settings", "settings"))


class RailButton(QToolButton):
    """Icon over label, with a small count when there is something to tell."""

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
        """Take the size of the present text zoom; the label goes when there is no ``room`` for it."""
        height = self._theme.px(57)
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
        self._theme, self._actions = theme, actions
        self.setAccessibleName("Places")
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 8, 4, 8)
        column.setSpacing(2)
        self.places: dict[str, RailButton] = {}
        self.tools: dict[str, RailButton] = {}
        for place in PLACES:
            if place.in_rail:
                button = self._add(place.title, place.icon, place.action_id)
                button.setCheckable(True)
                button.clicked.connect(lambda _=False, name=place.id: self.chosen.emit(name))
                self.places[place.id] = button
        column.addStretch(1)
        for name, title, icon in _BOTTOM:
            button = self._add(title, icon, f"global.{name}")
            button.clicked.connect(lambda _=False, action=f"global.{name}": actions.run(action))
            self.tools[name] = button
        self.tools["settings"].setCheckable(True)
        theme.changed.connect(self._fit)
        actions.keys_changed.connect(self._tips)
        self._fit()
        self._tips()

    def set_current(self, place: str) -> None:
        """Mark where we are."""
        for name, button in {**self.places, "settings": self.tools["settings"]}.items():
            button.setChecked(name == place)

    def _add(self, title: str, icon: str, action_id: str) -> RailButton:
        button = RailButton(self._theme, title, icon)
        button.setObjectName(f"rail_{action_id}")
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        return button

    def _tips(self) -> None:
        for name, button in {**self.places, **self.tools}.items():
            button.setToolTip(self._actions.action(f"global.{name}").toolTip())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Do without labels when the window is too low for them."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Be content with icons."""
        return QSize(self.width(), 10 * 28)

    def _fit(self) -> None:
        buttons = (*self.places.values(), *self.tools.values())
        room = (self.height() - 24) // len(buttons) - 2
        low = room < self._theme.px(57)
        self.setFixedWidth(self._theme.px(LOW_WIDTH if low else WIDTH))
        for button in buttons:
            button.fit(max(26, room))

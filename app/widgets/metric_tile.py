"""A number with its name and its change, which can be pressed."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout

from app.theme.theme import Theme
from app.widgets.containers import Pressable, Swatch
from app.widgets.labels import Chip, ChipTone, text_label

SIDE_PX, FRAME_PX = 8, 2
"""Margin at the sides of a tile, and what its frame takes at each."""


class MetricTile(Pressable):
    """A number with its name and its change: "Reward margin  1.84  ▲ 0.11"."""

    def __init__(self, name: str, *, theme: Theme, colour: str = "") -> None:
        super().__init__(name)
        self._name, self._theme = name, theme
        self.setProperty("part", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE_PX, 7, SIDE_PX, 7)
        column.setSpacing(2)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(6)
        bottom.setSpacing(8)
        if colour:
            top.addWidget(Swatch(theme, colour))
        top.addWidget(text_label(name, "caption"), 1)
        self._value, self._delta = text_label("–", "number"), Chip()
        bottom.addWidget(self._value, 0)
        bottom.addWidget(self._delta, 0)
        bottom.addStretch(1)
        column.addLayout(top)
        column.addLayout(bottom)
        self._name_row = top
        self._delta.hide()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_value(self, value: str, delta: str = "", tone: ChipTone = "neutral", tooltip: str = "") -> None:
        """Show a value, and its change as a chip ("▲ 0.11")."""
        self._value.setText(value)
        self._delta.set_chip(delta, tone)
        self._show_delta()
        self.setToolTip(tooltip)
        self.setAccessibleName(f"{self._name}: {value} {delta}".strip())

    def minimumSizeHint(self) -> QSize:
        """Return room for the name and the value; the change is left out where it has none."""
        widest = max(self._name_row.minimumSize().width(), self._value.minimumSizeHint().width())
        return QSize(widest + 2 * (SIDE_PX + FRAME_PX), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the change where it has room."""
        super().resizeEvent(event)
        self._show_delta()

    def _show_delta(self) -> None:
        need = self._value.minimumSizeHint().width() + 8 + self._delta.sizeHint().width()
        room = self.width() - 2 * (SIDE_PX + FRAME_PX)
        self._delta.setVisible(bool(self._delta.text()) and need <= room)

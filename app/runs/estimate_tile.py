"""A tile with a number, its interval, and what it was measured on."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout

from app.runs.run_tiles import TileView
from app.theme.theme import Theme
from app.widgets.containers import Pressable, Swatch
from app.widgets.labels import FitLabel, text_label
from app.widgets.metric_tile import FRAME_PX, SIDE_PX


class EstimateTile(Pressable):
    """Shows a :class:`TileView` in three lines; the interval goes into the tooltip where there is no room."""

    def __init__(self, theme: Theme, colour: str) -> None:
        super().__init__("")
        self.setProperty("part", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE_PX, 6, SIDE_PX, 6)
        column.setSpacing(1)
        top, middle = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(6)
        middle.setSpacing(8)
        self._name, self._value = text_label("–", "caption"), text_label("–", "number")
        self._spread, self._about = FitLabel("", kind="caption"), FitLabel("", kind="hint")
        top.addWidget(Swatch(theme, colour))
        top.addWidget(self._name, 1)
        middle.addWidget(self._value)
        middle.addWidget(self._spread, 1)
        column.addLayout(top)
        column.addLayout(middle)
        column.addWidget(self._about)
        self._top, self._middle = top, middle
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_view(self, view: TileView) -> None:
        """Show a number."""
        self._name.setText(view.name)
        self._value.setText(view.value)
        self._spread.set_texts([view.spread, ""] if view.spread else [""])
        self._about.set_texts(_shorter(view.about))
        self.setToolTip(
            "\n".join(part for part in (f"{view.value} {view.spread}".strip(), view.about, view.hint) if part)
        )
        self.setAccessibleName(f"{view.name}: {view.value} {view.spread} {view.about}".strip())

    def minimumSizeHint(self) -> QSize:
        """Return room for the name and for the value with its interval."""
        widest = max(
            self._top.minimumSize().width(), self._value.sizeHint().width() + 8 + self._spread.sizeHint().width()
        )
        return QSize(widest + 2 * (SIDE_PX + FRAME_PX), super().minimumSizeHint().height())


def _shorter(about: str) -> list[str]:
    """Return a text of parts, then the same without its first parts, down to the last one."""
    parts = about.split(" · ")
    return [" · ".join(parts[first:]) for first in range(len(parts))]

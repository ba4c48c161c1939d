"""The cheat sheet: all keys that work here, and everywhere, made from the catalog."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.actions.catalog import PLACE_TITLES
from app.actions.registry import ActionRegistry
from app.actions.spec import EVERYWHERE
from app.theme.theme import Theme
from app.widgets.containers import ScrollColumn
from app.widgets.dialog import BaseDialog
from app.widgets.labels import KeyHint, text_label

COLUMNS = 2


def rows_of(actions: ActionRegistry, place: str) -> list[tuple[str, list[str]]]:
    """Return (title, keys) of every action of a place that has keys."""
    found = []
    for spec in actions.specs.values():
        keys = actions.printed_keys(spec.id)
        if spec.place == place and keys:
            found.append((spec.title.rstrip("…"), keys))
    return found


class CheatSheet(BaseDialog):
    """Shows the keys of one place beside those that work everywhere."""

    def __init__(self, parent: QWidget, theme: Theme, actions: ActionRegistry, place: str) -> None:
        super().__init__(parent, "Keyboard shortcuts", size=QSize(theme.px(760), theme.px(620)))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.column.setContentsMargins(20, 16, 20, 12)
        scroll = ScrollColumn(spacing=12, name="Keyboard shortcuts")
        places = [p for p in (place, EVERYWHERE) if p in PLACE_TITLES]
        for name in dict.fromkeys(places):
            rows = rows_of(actions, name)
            if rows:
                scroll.column.addWidget(text_label(PLACE_TITLES[name], "section"))
                scroll.column.addWidget(_table(rows))
        scroll.column.addStretch(1)
        scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(text_label("Keys can be changed in Settings, Shortcuts.", "hint"))
        self.add_buttons(reject="Close")


def _table(rows: list[tuple[str, list[str]]]) -> QWidget:
    frame = QWidget()
    grid = QGridLayout(frame)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(5)
    per_column = -(-len(rows) // COLUMNS)
    for place, (title, keys) in enumerate(rows):
        side, row = divmod(place, per_column)
        holder = QHBoxLayout()
        holder.setSpacing(4)
        for text in keys[:2]:
            holder.addWidget(KeyHint(text))
        holder.addStretch(1)
        grid.addLayout(holder, row, side * 2)
        grid.addWidget(text_label(title, wrap=True), row, side * 2 + 1)
    for side in range(COLUMNS):
        grid.setColumnStretch(side * 2 + 1, 1)
    return frame

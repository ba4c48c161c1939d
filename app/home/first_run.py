"""The first screen: three ways to open a workspace, the recent ones, and the theme."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.context import AppContext
from app.widgets.buttons import action_button, push_button
from app.widgets.containers import Card, clear_layout
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import ElideLabel, text_label
from app.widgets.messages import IconLabel

_THEMES = (("auto", "Auto"), ("light", "Light"), ("dark", "Dark"), ("high_contrast", "Contrast"))
WAYS = (
    ("global.demo", "Open the demo workspace", "Labelled pairs, a rubric with two versions and a finished run."),
    ("global.new", "Start empty", "An empty workspace in a folder of your choice."),
    ("global.open", "Open…", "A workspace that is already on this computer."),
)


class FirstRun(QWidget):
    """Shown on Home while no workspace is open."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(14)
        outer.addLayout(column, 4)
        outer.addStretch(1)
        column.addStretch(2)
        column.addWidget(IconLabel(context.theme, "logo", "accent", 52), 0, Qt.AlignmentFlag.AlignHCenter)
        for label in (
            text_label("Label pairs, train on them, see why it failed.", "hero", wrap=True),
            text_label("Everything stays on this computer.", "muted", wrap=True),
        ):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        column.addSpacing(6)
        column.addLayout(self._ways())
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        column.addLayout(self._recent)
        column.addStretch(3)
        column.addLayout(self._looks())
        self.show_recent(context.session.recent_workspaces())

    def show_recent(self, folders: Sequence[Path]) -> None:
        """List the workspaces that were opened last."""
        clear_layout(self._recent)
        if not folders:
            return
        self._recent.addWidget(text_label("Recent workspaces", "section"))
        for folder in folders[:5]:
            row = QHBoxLayout()
            button = push_button(folder.name, "link", tooltip=str(folder), name=f"Open {folder.name}")
            button.clicked.connect(lambda _=False, path=folder: self._context.open_workspace(path))
            row.addWidget(button)
            row.addWidget(ElideLabel(str(folder.parent), kind="hint", mode=Qt.TextElideMode.ElideMiddle), 1)
            self._recent.addLayout(row)

    def _ways(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        for place, (action_id, title, text) in enumerate(WAYS):
            card = Card(margin=16)
            kind = "primary" if place == 0 else ""
            card.add(action_button(self._context.actions, action_id, text=title, kind=kind, theme=self._context.theme))
            card.add(text_label(text, "caption", wrap=True))
            card.column.addStretch(1)
            row.addWidget(card, 1)
        return row

    def _looks(self) -> QHBoxLayout:
        settings = self._context.settings
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addStretch(1)
        theme = SegmentedControl("Theme", _THEMES)
        theme.set_value(settings.get("look.theme"))
        theme.changed.connect(lambda value: settings.set("look.theme", value))
        settings.changed.connect(self._follow)
        self._theme = theme
        row.addWidget(text_label("Theme", "caption"))
        row.addWidget(theme)
        for action_id in ("global.zoom_out", "global.zoom_in"):
            row.addWidget(action_button(self._context.actions, action_id, icon_only=True))
        row.addStretch(1)
        return row

    def _follow(self, key: str) -> None:
        if key == "look.theme":
            self._theme.set_value(self._context.settings.get(key))

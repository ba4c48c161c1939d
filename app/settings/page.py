"""The settings page, generated from ``schema.py``: search, groups, one editor for each row; changes apply at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.actions.shortcuts_editor import ShortcutsEditor
from app.context import AppContext
from app.main_window.page import Page
from app.settings.backups import BackupsPanel
from app.settings.schema import GROUPS, SETTINGS, Setting
from app.widgets.buttons import icon_button
from app.widgets.containers import Card, ScrollColumn, line
from app.widgets.controls import ComboBox, DoubleSpinBox, SpinBox
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SearchField, SegmentedControl
from app.widgets.labels import text_label
from core.domain.changes import Changes


def make_editor(row: Setting, value: Any, store: Callable[[Any], None]) -> tuple[QWidget, Callable[[Any], None]]:
    """Return the editor of a setting and a function that shows a value in it."""
    match row.kind:
        case "bool":
            box = QCheckBox()
            box.setChecked(value)
            box.toggled.connect(store)
            return box, box.setChecked
        case "choice" if len(row.choices) <= 4 and sum(len(label) for _, label in row.choices) < 48:
            segments = SegmentedControl(row.label, row.choices)
            segments.set_value(value)
            segments.changed.connect(store)
            return segments, segments.set_value
        case "choice":
            combo = ComboBox()
            for choice, label in row.choices:
                combo.addItem(label, choice)
            combo.setCurrentIndex(combo.findData(value))
            combo.activated.connect(lambda _: store(combo.currentData()))
            return combo, lambda new: combo.setCurrentIndex(combo.findData(new))
        case "int" | "float":
            return _number_editor(row, value, store)
        case "text":
            field = QLineEdit(value)
            field.editingFinished.connect(lambda: store(field.text()))
            return field, field.setText


def _number_editor(row: Setting, value: Any, store: Callable[[Any], None]) -> tuple[QWidget, Callable[[Any], None]]:
    spin: QSpinBox | QDoubleSpinBox
    if row.kind == "int":
        spin = SpinBox()
        spin.setRange(int(row.low), int(row.high))
        spin.setSingleStep(int(row.step))
    else:
        spin = DoubleSpinBox()
        spin.setRange(row.low, row.high)
        spin.setSingleStep(row.step)
    spin.setSuffix(row.unit)
    spin.setKeyboardTracking(False)
    spin.setValue(value)
    spin.valueChanged.connect(store)
    return spin, lambda new: spin.setValue(new)


class SettingEditor(QWidget):
    """Name and note at the left, the editor and a reset button at the right."""

    def __init__(self, context: AppContext, row: Setting) -> None:
        super().__init__()
        self.row = row
        self._settings = context.settings
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        about, words = QWidget(), QVBoxLayout()
        about.setLayout(words)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(1)
        words.addWidget(text_label(row.label, wrap=True))
        words.addWidget(text_label(row.note, "hint", wrap=True))
        flow = FlowLayout(spacing=16, row_spacing=4)
        flow.add(about, least=18)
        layout.addLayout(flow, 1)
        self.editor, self._show = make_editor(row, self._settings.get(row.key), self._store)
        self.editor.setAccessibleName(row.label)
        self.editor.setAccessibleDescription(row.note)
        flow.addWidget(self.editor)
        self._reset = icon_button(context.theme, "reset", f"Reset {row.label}", size=16)
        keep = self._reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self._reset.setSizePolicy(keep)
        self._reset.clicked.connect(lambda: self._settings.reset(row.key))
        layout.addWidget(self._reset, 0, Qt.AlignmentFlag.AlignVCenter)
        self._settings.changed.connect(self._follow)
        self._mark()

    def matches(self, words: str) -> bool:
        """Whether group, label or note contain all the words."""
        text = f"{self.row.group} {self.row.label} {self.row.note}".casefold()
        return all(word in text for word in words.casefold().split())

    def _store(self, value: Any) -> None:
        self._settings.set(self.row.key, value)

    def _follow(self, key: str) -> None:
        if key == self.row.key:
            self.editor.blockSignals(True)
            self._show(self._settings.get(key))
            self.editor.blockSignals(False)
            self._mark()

    def _mark(self) -> None:
        self._reset.setVisible(not self._settings.is_default(self.row.key))


class SettingsPage(Page):
    """All settings, and the shortcut editor."""

    place = "settings"
    watches = Changes.SETTINGS | Changes.WORKSPACE

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.search = SearchField(context.theme, "Search settings")
        self.search.searched.connect(self.show_matching)
        self.header.add_right(self.search)
        scroll = ScrollColumn(margin=16, spacing=12, name="Settings", widest=context.theme.px(980))
        self.rows: list[SettingEditor] = []
        self._cards: dict[str, Card] = {}
        for group in GROUPS:
            scroll.column.addWidget(self._group(group))
        self.backups = BackupsPanel(context)
        self._cards["Backups"].add(line())
        self._cards["Backups"].add(self.backups)
        self._scroll = scroll
        self._shortcuts = Card("Shortcuts")
        self._shortcuts.add(ShortcutsEditor(context.theme, context.actions, context.settings))
        scroll.column.addWidget(self._shortcuts)
        self._nothing = text_label("No setting matches these words.", "muted")
        self._nothing.hide()
        scroll.column.addWidget(self._nothing)
        scroll.column.addStretch(1)
        self.set_body(scroll, 0)

    def on_shown(self) -> None:
        """Read the list of backups."""
        self.backups.read()

    def changed(self, _changes: Changes) -> None:
        """Read the list of backups again."""
        self.backups.read()

    def show_item(self, *, group: str = "", **_what: object) -> None:
        """Scroll to a group."""
        if card := self._cards.get(group):
            self._scroll.verticalScrollBar().setValue(card.y())

    def show_matching(self, words: str) -> None:
        """Show only the settings whose group, label or note contains all the words."""
        for row in self.rows:
            row.setVisible(row.matches(words))
        for group, card in self._cards.items():
            card.setVisible(any(row.matches(words) for row in self.rows if row.row.group == group))
        self.backups.setVisible(not words or "backup" in words.casefold())
        keys = not words or "shortcut" in words.casefold() or "key" in words.casefold()
        self._shortcuts.setVisible(keys)
        self._nothing.setVisible(not keys and not any(row.matches(words) for row in self.rows))

    def _group(self, group: str) -> Card:
        card = Card(group, margin=16, spacing=2)
        for number, row in enumerate(row for row in SETTINGS if row.group == group):
            if number:
                card.add(line())
            made = SettingEditor(self.context, row)
            self.rows.append(made)
            card.add(made)
        self._cards[group] = card
        return card

"""The shortcut editor: every action with its keys; keys that clash are refused."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHeaderView,
    QKeySequenceEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.actions.catalog import PLACE_TITLES
from app.actions.registry import ActionRegistry, pretty_keys
from app.actions.shortcuts import clashes_of
from app.settings.store import Settings
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.dialog import BaseDialog
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SearchField
from app.widgets.labels import text_label

ID = Qt.ItemDataRole.UserRole


class CaptureDialog(BaseDialog):
    """Asks for the new keys of one action and says what they would clash with.

    The field records one combination, Escape and Enter included; Tab leaves it.
    """

    def __init__(self, parent: QWidget, actions: ActionRegistry, settings: Settings, action_id: str) -> None:
        title = actions.specs[action_id].title.rstrip("…")
        super().__init__(parent, f"Keys for “{title}”")
        self._actions, self._settings, self._id = actions, settings, action_id
        self.column.addWidget(text_label(f"Press the keys for “{title}”.", wrap=True))
        self.capture = QKeySequenceEdit()
        self.capture.setMaximumSequenceLength(1)
        self.capture.setClearButtonEnabled(True)
        self.capture.setAccessibleName("The new keys")
        self.capture.keySequenceChanged.connect(self._look_for_clashes)
        self.column.addWidget(self.capture)
        self.warning = text_label("", "error", wrap=True)
        self.column.addWidget(self.warning)
        self._use = self.add_buttons("Use these keys")
        self._use.setEnabled(False)
        self.capture.setFocus()

    @property
    def keys(self) -> str:
        """The recorded combination in portable form, empty for none."""
        return self.capture.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _look_for_clashes(self) -> None:
        keys = self.keys
        others = clashes_of(self._id, keys, self._actions.specs.values(), self._settings.shortcuts) if keys else []
        titles = ", ".join(f"“{self._actions.specs[other].title.rstrip('…')}”" for other in others)
        text = f"{pretty_keys(keys)} is already used by {titles}. Change that one first."
        self.warning.setText(text if others else "")
        self._use.setEnabled(bool(keys) and not others)


class ShortcutsEditor(QWidget):
    """A searchable table of actions and keys."""

    def __init__(self, theme: Theme, actions: ActionRegistry, settings: Settings) -> None:
        super().__init__()
        self._actions, self._settings = actions, settings
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        top = FlowLayout()
        self.search = SearchField(theme, "Search actions or keys")
        self.search.searched.connect(self._filter)
        self._change = push_button("Change…", name="Change the keys of the chosen action")
        self._none = push_button("No keys", name="Take the keys off the chosen action")
        self._default = push_button("Default", name="Default keys for the chosen action")
        self._all = push_button("Reset all", "flat", name="Default keys for all actions")
        top.add(self.search)
        for button in (self._change, self._none, self._default, self._all):
            top.addWidget(button)
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["Action", "Keys", "Where"])
        self.table.setAccessibleName("Actions and their keys")
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setMinimumHeight(theme.px(260))
        column.addLayout(top)
        column.addWidget(self.table, 1)
        self._change.clicked.connect(self._ask)
        self._none.clicked.connect(lambda: self.assign(self._current(), ""))
        self._default.clicked.connect(lambda: self.assign(self._current(), None))
        self._all.clicked.connect(self._reset_all)
        self.table.itemActivated.connect(lambda *_: self._ask())
        self.table.itemSelectionChanged.connect(self._follow)
        self._fill()
        self._follow()

    def assign(self, action_id: str, keys: str | None) -> None:
        """Give an action other keys; None restores the catalog's."""
        if action_id:
            self._settings.set_shortcut(action_id, keys)
            self._actions.reload_keys()
            self._fill(keep=action_id)

    def _current(self) -> str:
        item = self.table.currentItem()
        return item.data(0, ID) if item else ""

    def _ask(self) -> None:
        action_id = self._current()
        if not action_id:
            return
        dialog = CaptureDialog(self, self._actions, self._settings, action_id)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.assign(action_id, dialog.keys)
        dialog.deleteLater()

    def _reset_all(self) -> None:
        self._settings.clear_shortcuts()
        self._actions.reload_keys()
        self._fill()

    def _fill(self, keep: str = "") -> None:
        self.table.clear()
        changed = self._settings.shortcuts
        for spec in self._actions.specs.values():
            keys = "   ".join(pretty_keys(k) for k in self._actions.keys(spec.id))
            where = PLACE_TITLES[spec.place] + (" · changed" if spec.id in changed else "")
            item = QTreeWidgetItem([spec.title.rstrip("…"), keys, where])
            item.setData(0, ID, spec.id)
            self.table.addTopLevelItem(item)
            if spec.id == keep:
                self.table.setCurrentItem(item)
        for column in (1, 2):
            self.table.resizeColumnToContents(column)
        self._filter(self.search.text())

    def _filter(self, text: str) -> None:
        wanted = text.casefold()
        for row in range(self.table.topLevelItemCount()):
            item = self.table.topLevelItem(row)
            if item is not None:
                item.setHidden(not any(wanted in item.text(column).casefold() for column in range(3)))

    def _follow(self) -> None:
        for button in (self._change, self._none, self._default):
            button.setEnabled(bool(self._current()))

"""Changing keys: recorded as they are pressed, refused where they clash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from app.actions.registry import ActionRegistry
from app.actions.shortcuts_editor import CaptureDialog, ShortcutsEditor
from app.settings.store import Settings
from app.theme.theme import Theme


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path)


@pytest.fixture
def actions(theme: Theme, settings: Settings) -> ActionRegistry:
    return ActionRegistry(settings, theme.icons)


@pytest.fixture
def editor(theme: Theme, actions: ActionRegistry, settings: Settings, qtbot: Any) -> ShortcutsEditor:
    made = ShortcutsEditor(theme, actions, settings)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def dialog(editor: ShortcutsEditor, actions: ActionRegistry, settings: Settings, qtbot: Any) -> CaptureDialog:
    """Return the shown dialog for the keys of Skip."""
    made = CaptureDialog(editor, actions, settings, "annotate.skip")
    with qtbot.waitActive(made):
        made.show()
    return made


def test_that_a_free_combination_is_recorded_and_used_by_the_main_button(dialog: CaptureDialog, qtbot: Any) -> None:
    qtbot.keyClick(dialog.capture, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert dialog.keys == "Ctrl+G" and not dialog.warning.text()
    qtbot.keyClick(dialog.capture, Qt.Key.Key_Tab)
    assert dialog.isVisible() and dialog.keys == "Ctrl+G", "Tab leaves the field"
    dialog._use.click()
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_that_a_second_combination_replaces_the_first(dialog: CaptureDialog, qtbot: Any) -> None:
    for key in (Qt.Key.Key_G, Qt.Key.Key_F7):
        qtbot.keyClick(dialog.capture, key)
    assert dialog.keys == "F7"


def test_that_keys_in_use_are_refused_and_their_owner_is_named(dialog: CaptureDialog, qtbot: Any) -> None:
    qtbot.keyClick(dialog.capture, Qt.Key.Key_1)
    assert "“Left much better”" in dialog.warning.text() and not dialog._use.isEnabled()


@pytest.mark.parametrize(("key", "text"), [(Qt.Key.Key_Escape, "Esc"), (Qt.Key.Key_Return, "Return")])
def test_that_escape_and_enter_are_keys_like_others_in_the_field(
    dialog: CaptureDialog, qtbot: Any, key: Qt.Key, text: str
) -> None:
    qtbot.keyClick(dialog.capture, key)
    assert dialog.isVisible() and dialog.keys == text


def test_that_assigned_keys_take_effect_and_the_default_comes_back(
    editor: ShortcutsEditor, actions: ActionRegistry
) -> None:
    editor.assign("annotate.skip", "Ctrl+G")
    assert actions.key_text("annotate.skip") == "Ctrl+G"
    editor.assign("annotate.skip", None)
    assert actions.key_text("annotate.skip") == "S"


def test_that_the_search_finds_actions_by_title_and_by_keys(editor: ShortcutsEditor, qtbot: Any) -> None:
    rows = [editor.table.topLevelItem(row) for row in range(editor.table.topLevelItemCount())]
    for words in ("put it aside nobody wrote", "freeze a dataset", "ctrl+shift+d"):
        with qtbot.waitSignal(editor.search.searched):
            editor.search.setText(words)
        shown = [item.text(0) for item in rows if not item.isHidden()]
        assert ("Freeze a dataset version" in shown) is (words != "put it aside nobody wrote")

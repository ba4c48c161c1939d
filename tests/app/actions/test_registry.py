from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QMainWindow

from app.actions.registry import ActionRegistry
from app.actions.spec import ActionSpec
from app.settings.store import Settings
from app.theme.theme import Theme

ROWS = (
    ActionSpec("global.open", "Open", "Ctrl+O"),
    ActionSpec("data.go", "Go", "G", tooltip="Goes."),
    ActionSpec("runs.go", "Go there", "G"),
    ActionSpec("data.mark", "Mark", "M", checkable=True),
)


@pytest.fixture
def registry(theme: Theme, tmp_path: Path) -> ActionRegistry:
    return ActionRegistry(Settings(tmp_path), theme.icons, ROWS)


def test_that_an_action_is_in_force_only_where_it_belongs_and_once_bound(registry: ActionRegistry) -> None:
    registry.bind("data.go", lambda: None)
    assert not registry.action("data.go").isEnabled()
    registry.set_place("data")
    assert registry.action("data.go").isEnabled()
    assert not registry.action("data.mark").isEnabled()
    registry.set_place("runs")
    assert not registry.action("data.go").isEnabled()


def test_that_a_checkable_action_hands_over_its_new_state(registry: ActionRegistry) -> None:
    seen: list[bool] = []
    registry.bind("data.mark", seen.append)
    registry.set_place("data")
    registry.run("data.mark")
    registry.run("data.mark")
    assert seen == [True, False]


def test_that_showing_a_state_does_not_run_the_action(registry: ActionRegistry) -> None:
    seen: list[bool] = []
    registry.bind("data.mark", seen.append)
    registry.set_place("data")
    registry.set_checked("data.mark", True)
    assert registry.action("data.mark").isChecked()
    assert seen == []


def test_that_a_key_reaches_the_action_of_the_present_place(registry: ActionRegistry, qtbot: object) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)  # type: ignore[attr-defined]
    registry.install(window)
    seen: list[str] = []
    registry.bind("data.go", lambda: seen.append("data"))
    registry.bind("runs.go", lambda: seen.append("runs"))
    with qtbot.waitActive(window):  # type: ignore[attr-defined]
        window.show()
        window.activateWindow()
    for place in ("data", "runs"):
        registry.set_place(place)
        qtbot.keyClick(window, Qt.Key.Key_G)  # type: ignore[attr-defined]
    assert seen == ["data", "runs"]


def test_that_a_single_letter_typed_into_a_field_stays_there(registry: ActionRegistry, qtbot: object) -> None:
    window, field = QMainWindow(), QLineEdit()
    qtbot.addWidget(window)  # type: ignore[attr-defined]
    window.setCentralWidget(field)
    registry.install(window)
    seen: list[str] = []
    registry.bind("data.go", lambda: seen.append("data"))
    registry.set_place("data")
    with qtbot.waitActive(window):  # type: ignore[attr-defined]
        window.show()
        window.activateWindow()
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_G)  # type: ignore[attr-defined]
    assert (field.text(), seen) == ("g", [])


def test_that_edited_keys_take_effect_and_show_in_the_tooltip(registry: ActionRegistry, tmp_path: Path) -> None:
    registry._settings.set_shortcut("data.go", "F5")
    registry.reload_keys()
    assert registry.key_text("data.go") == "F5"
    assert registry.action("data.go").toolTip() == "Go (F5)\nGoes."
    assert Settings(tmp_path).shortcuts == {"data.go": "F5"}


def test_that_a_handler_for_an_unknown_action_is_a_mistake(registry: ActionRegistry) -> None:
    with pytest.raises(KeyError):
        registry.bind("data.nothing", lambda: None)


def test_that_the_palette_is_offered_the_place_first(registry: ActionRegistry) -> None:
    for name in ("global.open", "data.go"):
        registry.bind(name, lambda: None)
    registry.set_place("data")
    assert [spec.id for spec in registry.available()] == ["data.go", "global.open"]


def test_that_keys_that_print_alike_are_printed_once(theme: Theme, tmp_path: Path) -> None:
    row = ActionSpec("data.submit", "Submit", "Return; Enter; Ctrl+Return")
    assert ActionRegistry(Settings(tmp_path), theme.icons, (row,)).printed_keys(row.id) == ["⏎", "Ctrl+⏎"]


def test_that_a_disabled_action_says_why_in_its_tooltip_until_it_is_enabled(registry: ActionRegistry) -> None:
    registry.bind("data.go", lambda: None)
    registry.set_place("data")
    before = registry.action("data.go").toolTip()
    registry.set_enabled("data.go", False, "Nothing is chosen.")
    registry.reload_keys()
    assert registry.action("data.go").toolTip() == f"{before}\nNot now: Nothing is chosen."
    assert registry.why_not("data.go") == "Nothing is chosen." and not registry.action("data.go").isEnabled()
    registry.set_enabled("data.go", True)
    assert registry.action("data.go").toolTip() == before and registry.why_not("data.go") == ""

"""A new workspace goes where the user types, whether the folder exists or not."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from app.main_window.new_workspace import NewWorkspaceDialog, problem_of
from app.main_window.workspace_switch import open_application


def test_that_a_workspace_is_made_in_a_folder_that_does_not_exist_yet(
    main_window: Any, tmp_path: Path, qtbot: Any
) -> None:
    running = main_window()

    def fill(dialog: NewWorkspaceDialog) -> bool:
        dialog.show()
        dialog.inside.setText(str(tmp_path / "not" / "there"))
        dialog.name.setText("pairs of mine")
        qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
        return dialog.result() == dialog.DialogCode.Accepted

    running.dialogs.on_dialog = fill
    with qtbot.waitSignal(running.app.switch.switched):
        running.context.actions.run("global.new")
    running.settle()
    assert (tmp_path / "not" / "there" / "pairs of mine" / "workspace.db").is_file()


@pytest.mark.parametrize(
    ("inside", "name", "words"),
    [
        ("relative/place", "mine", "whole path"),
        ("{tmp}", "", "needs a name"),
        ("{tmp}", "a/b", "without slashes"),
        ("{tmp}/file/deeper", "mine", "is a file"),
        ("{tmp}", "full", "is not empty"),
        ("{tmp}", "taken", "already"),
        ("{tmp}", "free", ""),
        ("{tmp}/new/one", "free", ""),
    ],
)
def test_that_a_place_that_cannot_hold_it_is_told_before_anything_is_made(
    tmp_path: Path, inside: str, name: str, words: str
) -> None:
    (tmp_path / "file").write_text("x")
    for folder, held in (("full", "letter.txt"), ("taken", "workspace.db")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / held).write_text("x")
    problem = problem_of(inside.format(tmp=tmp_path), name)
    assert words in problem and bool(problem) is bool(words)


def test_that_a_slow_opening_says_so_and_a_place_chosen_meanwhile_is_shown_at_its_end(
    main_window: Any, tmp_path: Path, qtbot: Any
) -> None:
    begun, go_on = Event(), Event()

    def slowly(path: Path, **words: Any) -> Any:
        begun.set()
        go_on.wait()
        return open_application(path, **words)

    running = main_window(opener=slowly)
    with qtbot.waitSignal(running.app.switch.switched):
        running.app.switch.open(tmp_path / "big", create=True)
        words = [label.text() for label in running.window.page("home").findChildren(QLabel) if label.isVisible()]
        running.window.navigate("data")
        assert "Opening big…" in words and running.window.place == "home"
        go_on.set()
    assert running.window.place == "data"
    running.settle()


def test_that_enter_on_the_focused_button_of_the_first_screen_presses_it(main_window: Any, qtbot: Any) -> None:
    running = main_window()
    pressed: list[str] = []
    running.context.actions.bind("global.demo", lambda: pressed.append("demo"))
    button = next(button for button in running.window.page("home").findChildren(QPushButton) if "demo" in button.text())
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Return)
    assert pressed == ["demo"]

"""A verdict prints the key of its action as it is now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt

from app.actions.registry import ActionRegistry
from app.actions.spec import ActionSpec
from app.settings.store import Settings
from app.theme.theme import Theme
from app.widgets.verdict_button import VerdictButton, Wording

ROWS = (ActionSpec("data.left", "Left is better", "Z"), ActionSpec("data.right", "Right is better", "2"))


def test_that_a_verdict_runs_its_action_and_prints_the_key_of_the_layout(
    theme: Theme, tmp_path: Path, qtbot: Any
) -> None:
    actions, run = ActionRegistry(Settings(tmp_path), theme.icons, ROWS), list[str]()
    button = VerdictButton(actions, "data.left", "Left", about="the left answer is better")
    qtbot.addWidget(button)
    actions.bind("data.left", lambda: run.append("left"))
    actions.set_place("data")
    button.click()
    assert actions.press("Z", Qt.KeyboardModifier.NoModifier, printed="я") and run == ["left", "left"]
    assert (button.accessibleName(), button.accessibleDescription()) == ("Left is better", "Key Я")
    assert button.toolTip() == "Left is better: the left answer is better (Я)"
    assert button.share_for(Wording.ONE_LINE, 1000) == 1 and button.shown_words() == "Left"

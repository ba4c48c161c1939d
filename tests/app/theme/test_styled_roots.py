"""A change of theme reaches what is shown at once and the rest in slices, or when it is shown."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from app.theme.theme import Theme


class Follower(QWidget):
    """A widget that counts how often it was restyled, and when."""

    def __init__(self, theme: Theme, log: list[str], name: str) -> None:
        super().__init__()
        self._log, self._name = log, name
        theme.follow(self.restyle)

    def restyle(self) -> None:
        self._log.append(self._name)


@pytest.fixture
def root(theme: Theme, qtbot: Any) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    label = QLabel("caption", made)
    label.setProperty("type", "caption")
    theme.style(made)
    return made


def label_px(root: QWidget) -> int:
    label = root.findChild(QLabel)
    label.ensurePolished()
    return label.font().pixelSize()


def test_that_a_shown_root_takes_a_new_text_size_at_once(theme: Theme, root: QWidget) -> None:
    root.show()
    assert label_px(root) == 12
    theme.apply("light", 200)
    assert label_px(root) == 24


def test_that_a_hidden_root_takes_it_in_a_later_turn(theme: Theme, root: QWidget, qtbot: Any) -> None:
    theme.apply("light", 200)
    assert not theme.settled
    assert label_px(root) == 12
    qtbot.waitUntil(lambda: theme.settled)
    assert label_px(root) == 24


def test_that_a_hidden_root_takes_it_before_its_turn_when_it_is_shown(theme: Theme, root: QWidget) -> None:
    theme.apply("light", 200)
    root.show()
    assert label_px(root) == 24


def test_that_followers_come_one_by_one_and_shown_ones_first(theme: Theme, qtbot: Any) -> None:
    log: list[str] = []
    hidden, shown = Follower(theme, log, "hidden"), Follower(theme, log, "shown")
    for widget in (hidden, shown):
        qtbot.addWidget(widget)
    shown.show()
    theme.apply("dark", 100)
    assert log == []
    qtbot.waitUntil(lambda: theme.settled)
    assert log == ["shown", "hidden"]


def test_that_a_second_change_takes_the_place_of_the_first(theme: Theme, qtbot: Any) -> None:
    log: list[str] = []
    widget = Follower(theme, log, "once")
    qtbot.addWidget(widget)
    theme.apply("dark", 100)
    theme.apply("light", 100)
    qtbot.waitUntil(lambda: theme.settled)
    assert log == ["once"]


def test_that_a_root_that_is_gone_is_forgotten(theme: Theme, qtbot: Any) -> None:
    theme.style(QWidget())
    theme.apply("dark", 100)
    qtbot.waitUntil(lambda: theme.settled)

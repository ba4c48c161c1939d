from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.height_fit import HeightFit
from app.widgets.safe_text import SafeText

TEXT = "Some people say that this line is long enough to break where the pane is narrow.\n" * 3


def shown(theme: Theme, qtbot: Any, views: list[SafeText], most: int) -> QWidget:
    place = QWidget()
    qtbot.addWidget(place)
    outer, row = QVBoxLayout(place), QHBoxLayout()
    for view in views:
        row.addWidget(view)
    outer.addLayout(row)
    outer.addStretch(1)
    HeightFit(views, lambda: most)
    place.resize(1600, 600)
    place.show()
    return place


def hidden_lines(view: SafeText) -> int:
    QApplication.processEvents()
    return view.verticalScrollBar().maximum()


@pytest.mark.parametrize("width", [1600, 700, 420, 900])
def test_that_a_text_is_shown_whole_at_every_width(theme: Theme, qtbot: Any, width: int) -> None:
    view = SafeText(theme, "Prompt")
    place = shown(theme, qtbot, [view], 400)
    view.set_text(TEXT, mode="source")
    assert hidden_lines(view) == 0
    before = view.height()
    place.resize(width, 600)
    assert hidden_lines(view) == 0 and view.height() < 400
    assert width > 900 or view.height() >= before


def test_that_a_text_beyond_the_limit_scrolls(theme: Theme, qtbot: Any) -> None:
    view = SafeText(theme, "Prompt")
    place = shown(theme, qtbot, [view], 90)
    view.set_text(TEXT * 5, mode="source")
    assert hidden_lines(view) > 0 and view.height() == 90 and place.isVisible()


def test_that_texts_beside_each_other_are_as_high_as_the_highest(theme: Theme, qtbot: Any) -> None:
    views = [SafeText(theme, "First"), SafeText(theme, "Second")]
    place = shown(theme, qtbot, views, 400)
    views[0].set_text("Short.", mode="source")
    views[1].set_text(TEXT, mode="source")
    assert [hidden_lines(view) for view in views] == [0, 0] and views[0].height() == views[1].height()
    place.resize(600, 600)
    assert [hidden_lines(view) for view in views] == [0, 0] and views[0].height() == views[1].height()

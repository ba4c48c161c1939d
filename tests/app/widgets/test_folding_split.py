"""Two parts beside or above each other: where the handle stands after a window was narrow, hidden or wide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from app.widgets.folding_split import FoldingSplit

HANDLE = 1


@pytest.fixture
def split(qtbot: Any) -> Iterator[FoldingSplit]:
    """Return a splitter of a list and a part that grows, which need 100 and 300 pixels, inside a window."""
    parts = QLabel(), QLabel()
    for part, width in zip(parts, (100, 300), strict=True):
        part.setMinimumWidth(width)
    made, window = FoldingSplit(parts, (214, 1000), heights=(1, 3), grows=1), QWidget()
    made.setHandleWidth(HANDLE)
    made.setParent(window)
    qtbot.addWidget(window)
    yield made
    window.close()


def test_that_the_list_has_its_width_although_the_window_was_narrow_while_it_was_hidden(split: FoldingSplit) -> None:
    for width in (640, 450, 1215):
        split.resize(width, 400)
    split.window().show()
    assert split.sizes() == [214, 1000]
    split.resize(1615, 400)
    assert split.sizes() == [214, 1400]


def test_that_a_part_is_never_narrower_than_it_needs_and_the_list_gives_way_first(split: FoldingSplit) -> None:
    split.window().show()
    split.resize(451, 400)
    assert split.orientation() == Qt.Orientation.Horizontal and split.sizes() == [150, 300]
    split.resize(1215, 400)
    assert split.sizes() == [214, 1000]


def test_that_a_handle_that_was_moved_stays_there_also_after_folding(split: FoldingSplit) -> None:
    split.window().show()
    split.resize(1001, 400)
    split.moveSplitter(330, 1)
    assert split.sizes() == [330, 670]
    split.resize(390, 600)
    assert split.orientation() == Qt.Orientation.Vertical
    split.resize(1401, 600)
    assert split.orientation() == Qt.Orientation.Horizontal and split.sizes() == [330, 1070]


def test_that_parts_that_grow_alike_share_the_width_as_at_first_after_the_window_was_narrow(qtbot: Any) -> None:
    parts = QLabel(), QLabel()
    for part, width in zip(parts, (100, 300), strict=True):
        part.setMinimumWidth(width)
    split = FoldingSplit(parts, (400, 400), grows=None)
    split.setHandleWidth(HANDLE)
    qtbot.addWidget(split)
    split.show()
    split.resize(401, 400)
    assert split.sizes() == [100, 300]
    split.resize(801, 400)
    assert split.sizes() == [400, 400]
    split.moveSplitter(600, 1)
    moved = split.sizes()[0]
    split.resize(390, 400)
    split.resize(801, 400)
    assert moved > 450 and abs(split.sizes()[0] - moved) <= 1, "the user's own division stays"

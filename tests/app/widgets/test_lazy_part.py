"""Parts of a page that are made when they are first shown or asked for."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.theme.styled_roots import ICON_PROPERTY
from app.widgets.containers import ScrollColumn
from app.widgets.lazy_part import LazyPart, LazyTabs
from app.widgets.own_keys import OwnKeys


class _Made:
    """Makes buttons and notes what happened to them, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def make(self) -> QPushButton:
        self.log.append("made")
        button = QPushButton("Go on")
        button.setProperty(ICON_PROPERTY, 10)
        return button

    def begin(self, button: QPushButton) -> None:
        self.log.append("told what to show")
        button.clicked.connect(lambda: self.log.append("pressed"))


def test_that_a_part_is_made_in_later_turns_once_its_place_is_shown(theme: Any, qtbot: Any) -> None:
    noted, page = _Made(), QWidget()
    place = LazyPart(theme, noted.make, noted.begin)
    place.placed.connect(lambda _: noted.log.append("placed"))
    QVBoxLayout(page).addWidget(place)
    keys = OwnKeys(page)
    keys.keep(page)
    theme.apply("light", 200)
    theme.style(page)
    qtbot.addWidget(page)
    assert noted.log == [] and place.made is None
    page.show()
    assert noted.log == [], "the page is shown before the part is made"
    qtbot.waitUntil(lambda: place.made is not None)
    assert noted.log == ["made", "placed", "told what to show"]
    assert place.part.isVisible() and place.part.iconSize().height() == 20, "its icons have the size of the text"
    page.hide()
    page.show()
    QTest.keyClick(place.part, Qt.Key.Key_Return)
    assert noted.log[3:] == ["pressed"], "it is made once, and the page's own keys know its controls"
    theme.apply("light", 100)


def test_that_who_asks_for_a_part_gets_it_at_once(theme: Any, qtbot: Any) -> None:
    noted, tabs = _Made(), LazyTabs(theme)
    qtbot.addWidget(tabs)
    first, second = (tabs.add_part(words, noted.make, noted.begin) for words in ("One", "Two"))
    third = QLabel("three")
    tabs.addTab(third, "Three")
    tabs.show()
    assert tabs.currentWidget() is None, "the part in front waits for its turn"
    button = second.part
    assert second.made is button and noted.log == ["made", "told what to show"] and first.made is None
    tabs.setCurrentWidget(button)
    assert tabs.currentIndex() == 1 and tabs.currentWidget() is button and button.isVisible()
    tabs.setCurrentWidget(third)
    assert tabs.currentIndex() == 2 and tabs.currentWidget() is third
    assert first.part is first.part and noted.log == ["made", "told what to show"] * 2


def test_that_parts_below_what_is_seen_first_come_into_a_column_once_it_is_shown(theme: Any, qtbot: Any) -> None:
    scroll, pressed = ScrollColumn(), list[str]()
    first, second, third = QLabel("first"), QPushButton("second"), QPushButton("third")
    scroll.column.addWidget(first)
    scroll.add_later([second, third])
    scroll.column.addStretch(1)
    keys = OwnKeys(scroll)
    keys.keep(scroll)
    theme.style(scroll)
    qtbot.addWidget(scroll)
    third.hide()
    second.setVisible(True)
    assert second.window() is not second and not second.isVisible(), "it is no window of its own meanwhile"
    scroll.show()
    assert scroll.column.count() == 2
    qtbot.waitUntil(lambda: scroll.column.count() == 4 and second.isVisible())
    items = [scroll.column.itemAt(place) for place in range(3)]
    assert [item.widget() for item in items if item is not None] == [first, second, third] and third.isHidden()
    second.clicked.connect(lambda: pressed.append("second"))
    QTest.keyClick(second, Qt.Key.Key_Return)
    assert pressed == ["second"], "the page's own keys know it"

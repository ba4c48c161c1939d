from __future__ import annotations

import pytest
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QApplication, QPushButton

from app.theme.theme import Theme
from app.widgets.buttons import icon_button, push_button


def test_that_choosing_dark_changes_the_palette_at_once(theme: Theme, qapp: QApplication, qtbot: object) -> None:
    with qtbot.waitSignal(theme.changed):  # type: ignore[attr-defined]
        theme.apply("dark", 100)
    assert qapp.palette().window().color().name().upper() == theme.tokens["window"]
    assert theme.tokens.dark


def test_that_the_zoom_is_kept_between_80_and_200_percent(theme: Theme) -> None:
    theme.apply("light", 900)
    assert theme.zoom == 2.0
    theme.apply("light", 10)
    assert theme.zoom == 0.8


def test_that_a_choice_with_the_colours_and_sizes_of_now_restyles_nothing(theme: Theme, qtbot: object) -> None:
    qtbot.waitUntil(lambda: theme.settled)  # type: ignore[attr-defined]
    told: list[float] = []
    theme.changed.connect(lambda: told.append(theme.zoom))
    theme.apply("light", 100)
    assert told == [] and theme.settled
    theme.apply("light", 110)
    assert told == [1.1]


def test_that_icons_in_the_window_take_the_colours_of_a_new_theme(theme: Theme, qtbot: object) -> None:
    button, action = QPushButton(), QAction("Do")
    qtbot.addWidget(button)  # type: ignore[attr-defined]
    button.setIcon(theme.icons.icon("check", "text"))
    action.setIcon(theme.icons.icon("check", "text"))
    button.addAction(action)
    theme.style(button)
    light = button.icon().pixmap(24, 24).toImage()
    theme.apply("dark", 100)
    qtbot.waitUntil(lambda: theme.settled)  # type: ignore[attr-defined]
    dark = button.icon().pixmap(24, 24).toImage()
    assert action.icon().pixmap(24, 24).toImage() == dark
    brightest = [
        max(
            image.pixelColor(x, y).lightness()
            for x in range(24)
            for y in range(24)
            if image.pixelColor(x, y).alpha() > 200
        )
        for image in (light, dark)
    ]
    assert brightest[0] < 80 < 180 < brightest[1]


def test_that_a_checked_icon_takes_the_accent(theme: Theme) -> None:
    pixmap = theme.icons.icon("check").pixmap(24, 24, QIcon.Mode.Normal, QIcon.State.On).toImage()
    solid = [pixmap.pixelColor(x, y) for x in range(24) for y in range(24) if pixmap.pixelColor(x, y).alpha() == 255]
    assert solid
    assert solid[0].name().upper() == theme.tokens["accent"]


def test_that_button_icons_grow_with_the_text(theme: Theme, qtbot: object) -> None:
    button = icon_button(theme, "check", "Done")
    qtbot.addWidget(button)  # type: ignore[attr-defined]
    theme.style(button)
    theme.apply("light", 200)
    qtbot.waitUntil(lambda: theme.settled)  # type: ignore[attr-defined]
    assert button.iconSize().width() == 40


@pytest.mark.parametrize(("last", "clear"), [(False, (18, 19, 20)), (True, (0, 1, 2))], ids=["first", "last"])
def test_that_an_icon_leaves_room_to_the_words_of_its_button(
    theme: Theme, qtbot: object, last: bool, clear: tuple[int, ...]
) -> None:
    button = push_button("Begin", theme=theme, icon="plus", icon_last=last)
    qtbot.addWidget(button)  # type: ignore[attr-defined]
    assert (button.iconSize().width(), button.iconSize().height()) == (21, 18)
    picture = button.icon().pixmap(button.iconSize()).toImage()
    drawn = {x for x in range(21) for y in range(18) if picture.pixelColor(x, y).alpha()}
    assert drawn and drawn.isdisjoint(clear) and (picture.width(), picture.height()) == (21, 18)


def test_that_an_unknown_choice_falls_back_to_the_system(theme: Theme) -> None:
    theme.apply("sepia", 100)
    assert theme.choice == "auto"

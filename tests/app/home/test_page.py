"""Home: the first screen, and the overview of a workspace."""

from __future__ import annotations


def test_that_a_pressed_first_step_leads_to_its_place(main_window, tmp_path, qtbot):
    desk = main_window(workspace=tmp_path / "ws", create=True)
    page = desk.page("home")
    desk.settle()
    qtbot.waitUntil(lambda: page._steps.count() == 4, timeout=10_000)
    desk.context.actions.run("home.continue")
    assert desk.window.place == "data"


def test_that_hidden_first_steps_stay_hidden(main_window, tmp_path, qtbot):
    desk = main_window(workspace=tmp_path / "ws", create=True)
    page = desk.page("home")
    desk.settle()
    page._hide_steps()
    page.on_shown()
    desk.settle()
    assert not page._steps_card.isVisible()

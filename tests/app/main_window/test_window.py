from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from app.actions.command_palette import CommandPalette
from app.main_window import page_stack
from app.main_window.page import Page
from app.main_window.page_factory import StandInPage
from app.places import PLACES
from core.domain.changes import Changes
from core.domain.errors import WorkspaceDamaged
from core.version import VERSION
from tests.fakes.workspaces import opened
from tests.patience import LIMIT_S

Build = Callable[..., Any]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    opened(folder).close()
    return folder


class Recorder(Page):
    """A page that writes down what reaches it."""

    place = "data"
    watches = Changes.PAIRS | Changes.RUBRICS

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.heard: list[Changes] = []
        self.items: list[dict[str, Any]] = []

    def changed(self, changes: Changes) -> None:
        self.heard.append(changes)

    def show_item(self, **what: Any) -> None:
        self.items.append(what)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    real = page_stack.make_page
    made = Recorder.made_in_slices
    monkeypatch.setattr(page_stack, "make_page", lambda p, c: made(c) if p.id == "data" else real(p, c))


def test_that_about_shows_the_version(main_window: Build) -> None:
    running = main_window()
    running.dialogs.answers = ["Close"]
    running.context.actions.action("global.about").trigger()
    assert f"Pairwright {VERSION} " in running.dialogs.asked[-1]


def test_that_the_first_screen_offers_three_ways_in(main_window: Build) -> None:
    running = main_window()
    for action in ("global.demo", "global.new", "global.open"):
        assert running.context.actions.action(action).isEnabled()
    assert not running.context.actions.action("global.backup").isEnabled()


def test_that_a_closed_window_takes_its_shortcuts_with_it(main_window: Build) -> None:
    running = main_window()
    quit_action = running.context.actions.action("global.quit")
    assert quit_action.shortcuts() and isValid(quit_action)
    running.shut()
    assert not isValid(quit_action)


def test_that_places_without_a_workspace_say_so(main_window: Build) -> None:
    assert isinstance(main_window().page("data"), StandInPage)


def test_that_opening_a_workspace_shows_its_name_and_its_counts(
    main_window: Build, workspace: Path, qtbot: Any
) -> None:
    running = main_window(workspace=workspace)
    assert running.window.windowTitle().startswith("ws")
    qtbot.waitUntil(lambda: running.page("home")._tiles["pairs"].accessibleName() == "Pairs: 6")


def test_that_ctrl_and_a_number_go_to_the_places(main_window: Build, qtbot: Any) -> None:
    running = main_window()
    with qtbot.waitActive(running.window):
        running.window.activateWindow()
    for number, place in enumerate(p for p in PLACES if p.in_rail):
        qtbot.keyClick(running.window, getattr(Qt.Key, f"Key_{number + 1}"), Qt.KeyboardModifier.ControlModifier)
        assert running.window.place == place.id
        assert running.window.rail.places[place.id].isChecked()


def test_that_the_button_of_the_shown_place_stays_marked_when_it_is_pressed_again(main_window: Build) -> None:
    running = main_window()
    button = running.window.rail.places["home"]
    button.click()
    assert button.isChecked()


def test_that_back_leads_to_the_place_before(main_window: Build) -> None:
    running = main_window()
    running.window.navigate("data")
    running.window.navigate("settings")
    running.context.actions.run("global.back")
    assert running.window.place == "data"
    running.context.actions.run("global.forward")
    assert running.window.place == "settings"


def test_that_a_hidden_page_hears_of_changes_when_it_is_shown(
    main_window: Build, workspace: Path, recorder: None
) -> None:
    running = main_window(workspace=workspace)
    page = running.page("data")
    running.context.changes.announce(Changes.PAIRS)
    running.page("settings")
    running.context.changes.announce(Changes.RUBRICS)
    running.context.changes.announce(Changes.RUNS)
    assert page.heard == [Changes.PAIRS]
    running.window.navigate("data")
    assert page.heard == [Changes.PAIRS, Changes.RUBRICS]


def test_that_a_page_is_left_alone_with_its_own_change(main_window: Build, workspace: Path, recorder: None) -> None:
    running = main_window(workspace=workspace)
    page = running.page("data")
    running.context.changes.announce(Changes.PAIRS, initiator=page)
    assert page.heard == []


def test_that_navigation_hands_over_what_to_show(main_window: Build, workspace: Path, recorder: None) -> None:
    running = main_window(workspace=workspace)
    running.window.navigate("data", pair_id=4)
    assert running.window.page("data").items == [{"pair_id": 4}]


def test_that_another_workspace_gets_new_pages_and_the_old_one_is_closed(
    main_window: Build, workspace: Path, tmp_path: Path, qtbot: Any
) -> None:
    running = main_window(workspace=workspace)
    first = running.page("home")
    with qtbot.waitSignal(running.app.switch.switched):
        running.app.switch.open(tmp_path / "other", create=True)
    running.settle()
    assert running.window.page("home") is not first
    opened(tmp_path / "again").close()
    from core.services.application import Application

    with Application.open(workspace):
        pass  # the lock is free


def test_that_a_damaged_workspace_is_told_and_the_open_one_stays(
    main_window: Build, workspace: Path, tmp_path: Path
) -> None:
    def opener(path: Path, **_: Any) -> Any:
        from core.services.application import Application

        if path != workspace:
            raise WorkspaceDamaged("It cannot be read; nothing was written.", "Open a backup.")
        return Application.open(path)

    running = main_window(workspace=workspace, opener=opener)
    running.dialogs.answers.append("Close")
    running.app.switch.open(tmp_path / "bad")
    running.settle()
    assert "It cannot be read" in running.dialogs.asked[-1]
    assert running.app.switch.current.folder == workspace


@pytest.mark.parametrize(("answer", "name"), [("Salvage…", "bad-salvaged"), ("Restore a backup…", "bad-restored")])
def test_that_a_damaged_workspace_is_brought_back_into_a_new_one(
    main_window: Build, tmp_path: Path, qtbot: Any, answer: str, name: str
) -> None:
    with opened(tmp_path / "bad") as app:
        app.workspace.backup()
    damaged = bytearray((tmp_path / "bad" / "workspace.db").read_bytes())
    damaged[16:18] = b"xx"
    (tmp_path / "bad" / "workspace.db").write_bytes(damaged)
    running = main_window()
    running.dialogs.answers.append(answer)
    running.dialogs.on_dialog = lambda dialog: dialog.chosen is not None  # the list of backups, as it comes
    with qtbot.waitSignal(running.app.switch.switched):
        running.app.switch.open(tmp_path / "bad")
    assert running.context.services.folder == tmp_path / name
    assert running.context.services.workspace.info().counts["pairs"] == 6
    running.settle()


def test_that_a_workspace_in_use_may_be_opened_for_reading(main_window: Build, workspace: Path, qtbot: Any) -> None:
    from core.services.application import Application

    with Application.open(workspace):
        running = main_window()
        running.dialogs.answers.append("Open for reading")
        with qtbot.waitSignal(running.app.switch.switched):
            running.app.switch.open(workspace)
        assert running.context.services.read_only
        running.settle()


def test_that_the_reviewer_is_asked_for_and_remembered(main_window: Build, workspace: Path, qtbot: Any) -> None:
    running = main_window(workspace=workspace)
    running.dialogs.answers.append("Ann")
    running.context.actions.run("global.reviewer")
    qtbot.waitUntil(lambda: running.context.session.reviewer_name == "Ann")
    with qtbot.waitSignal(running.app.switch.switched):
        running.app.switch.close()
    running.app.switch.open(workspace)
    qtbot.waitUntil(lambda: running.context.session.reviewer_name == "Ann")


def test_that_a_new_reviewer_is_stored(main_window: Build, workspace: Path, qtbot: Any) -> None:
    running = main_window(workspace=workspace)
    running.dialogs.answers += ["Someone new…", "Bo"]
    running.context.actions.run("global.reviewer")
    qtbot.waitUntil(lambda: running.context.session.reviewer_name == "Bo")
    assert "Bo" in [r.name for r in running.context.services.reviewers.list()]


def test_that_a_job_shows_in_activity_and_closing_asks_about_it(main_window: Build, qtbot: Any) -> None:
    running = main_window()
    gate = threading.Event()
    job = running.tasks.job("Import of answers", lambda control: gate.wait(LIMIT_S))
    assert running.window.rail.tools["activity"]._badge == 1
    running.dialogs.answers.append(False)
    assert not running.window.close()
    assert "Import of answers" in running.dialogs.asked[-1]
    with qtbot.waitSignal(job.ended):
        gate.set()
    qtbot.waitUntil(lambda: running.window.rail.tools["activity"]._badge == 0)
    assert running.window.close()


def test_that_notices_are_shown_and_kept_and_stay_in_front(main_window: Build) -> None:
    running = main_window()
    running.context.notices.post("Imported 3 pairs.", "ok")
    running.window.navigate("settings")
    (toast,) = running.window.toasts.toasts
    assert toast.isVisible()
    assert running.window.stack.children()[-1] is toast
    assert running.context.notices.kept[0].text == "Imported 3 pairs."


def test_that_at_most_four_notices_are_on_the_screen(main_window: Build) -> None:
    running = main_window()
    for number in range(7):
        running.context.notices.post(f"Notice {number}")
    assert len(running.window.toasts.toasts) == 4


def test_that_activity_lists_what_belongs_to_the_open_workspace(main_window: Build, tmp_path: Path) -> None:
    running = main_window(workspace=tmp_path / "one", create=True)
    running.settle()
    shown = running.window.activity.shown
    running.context.notices.post("Froze version 1.")
    assert "Froze version 1." in shown()
    running.app.switch.open(tmp_path / "two", create=True)
    running.settle()
    assert "Froze version 1." not in shown()
    running.context.notices.post("Imported 3 pairs.")
    running.app.switch.open(tmp_path / "one")
    running.settle()
    assert "Froze version 1." in shown() and "Imported 3 pairs." not in shown()


def test_that_focus_mode_hides_everything_but_the_page(main_window: Build) -> None:
    running = main_window()
    running.context.actions.run("global.focus_mode")
    assert not running.window.rail.isVisible()
    assert not running.window.status.isVisible()
    running.context.actions.run("global.focus_mode")
    assert running.window.rail.isVisible()


def test_that_the_palette_opens_and_runs_a_command(main_window: Build, qtbot: Any) -> None:
    running = main_window()
    running.context.actions.run("global.palette")
    (palette,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, CommandPalette) and w.isVisible()]
    qtbot.keyClicks(palette.field, "settings")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert running.window.place == "settings"


def test_that_the_text_grows_step_by_step(main_window: Build) -> None:
    running = main_window()
    running.context.actions.run("global.zoom_in")
    assert running.context.settings.get("look.zoom") == 110
    running.context.actions.run("global.zoom_reset")
    assert running.context.theme.zoom == 1.0


def test_that_f6_goes_round_the_parts_of_the_window(main_window: Build, workspace: Path) -> None:
    running = main_window(workspace=workspace)
    running.page("settings")
    seen = []
    for _ in range(4):
        running.window.next_pane()
        seen.append(QApplication.focusWidget())
    assert len(set(map(id, seen))) == 4


def test_that_the_status_bar_follows_saving(main_window: Build, workspace: Path, qtbot: Any) -> None:
    running = main_window(workspace=workspace)
    services = running.context.services
    with qtbot.waitSignals([running.context.ops.saving, running.context.ops.saved]):
        running.context.ops.mutate(lambda: services.reviewers.add("Cy"))
    assert running.window.status._saved.text() == "saved"


def test_that_menus_hold_every_action_that_names_one(main_window: Build) -> None:
    running = main_window()
    shown = {a.objectName() for menu in running.window.menuBar().actions() for a in menu.menu().actions()}
    assert shown == {spec.id for spec in running.context.actions.specs.values() if spec.menu}

"""Home: the first screen, and the overview of a workspace."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from app.home import presenter
from core.domain.judgement import ReviewerKind
from core.paths import resources_dir
from core.services.annotation.service import QueueSettings
from core.store import events
from tests.fakes.workspaces import fill, opened, person, prefer


def test_that_a_pressed_first_step_leads_to_its_place(main_window, tmp_path, qtbot):
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("home")
    running.settle()
    qtbot.waitUntil(lambda: page._steps.count() == 4)
    running.context.actions.run("home.continue")
    assert running.window.place == "data"


def test_that_hidden_first_steps_stay_hidden(main_window, tmp_path, qtbot):
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("home")
    running.settle()
    page._hide_steps()
    page.on_shown()
    running.settle()
    assert not page._steps_card.isVisible()


def test_that_a_fresh_reviewer_is_told_what_is_left_though_every_pair_has_a_label(main_window, tmp_path, qtbot):
    with opened(tmp_path / "ws", pairs=3) as app:
        rule = person(app.store, "rule", ReviewerKind.SCRIPTED)
        for shown in app.annotation.next(app.annotation.open_queue(QueueSettings(rule.id, 1)), 3):
            app.annotation.commit(shown.presentation_uid, prefer(2))
    running = main_window(workspace=tmp_path / "ws")
    page = running.page("home")
    running.settle()
    assert page._next_text.text().startswith("People have labelled none of 3 pairs.")
    running.context.session.set_reviewer(1, "Ann")
    running.settle()
    assert page._next_title.text() == "Begin labelling"
    assert page._next_text.text().startswith("Ann has labelled none of 3 pairs.")
    assert page._tiles["labelled"].accessibleName() == "Labelled by people: 0 0 %"


def test_that_stale_labels_are_told_with_the_way_to_them(main_window, tmp_path, qtbot):
    folder = tmp_path / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    running = main_window(workspace=folder)
    page = running.page("home")
    running.settle()
    (stale,) = {summary.stale for summary in running.context.services.rubrics.list() if summary.stale} or {0}
    assert page._stale.isVisible() is bool(stale)
    assert page._stale.text() == presenter.stale_text(stale)


def test_that_labels_are_told_apart_by_who_made_them(main_window, tmp_path):
    with opened(tmp_path / "ws", pairs=3) as app:
        rule = person(app.store, "rule", ReviewerKind.SCRIPTED)
        for shown in app.annotation.next(app.annotation.open_queue(QueueSettings(rule.id, 1)), 3):
            app.annotation.commit(shown.presentation_uid, prefer(2))
    running = main_window(workspace=tmp_path / "ws")
    page = running.page("home")
    running.settle()
    assert page._kinds.isVisible()
    assert page._kinds.text() == "3 labels: none by people, none imported, 3 scripted."
    assert page._tiles["labelled"].toolTip() == page._kinds.text()


def test_that_a_line_of_the_activity_opens_what_it_speaks_of(main_window, tmp_path, qtbot):
    folder = tmp_path / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    running = main_window(workspace=folder)
    page = running.page("home")
    running.settle()
    first = page._lines.itemAt(0).widget()
    assert first.accessibleName().startswith("Froze help desk v1: 132 items")
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Return)
    running.settle()
    assert running.window.place == "data" and running.page("data").tabs.currentIndex() == 1
    running.window.navigate("home")
    running.settle()
    label = page._lines.itemAt(1).widget()
    qtbot.mouseClick(label, Qt.MouseButton.LeftButton)
    running.settle()
    assert running.window.place == "data" and running.page("data").tabs.currentIndex() == 0


def test_that_an_import_leads_to_the_pairs_of_its_source(main_window, tmp_path):
    with opened(tmp_path / "ws", pairs=3) as app:
        fill(app.store, 2, "second file")
    running = main_window(workspace=tmp_path / "ws")
    place, what = presenter.way_to("source", 2, {})
    running.context.navigate(place, **what)
    running.settle()
    page = running.page("data")
    assert page.pairs.filters.sources.currentText() == "second file"
    assert page.table.count == 2


def test_that_a_number_of_home_leads_to_its_list(main_window, tmp_path, qtbot):
    with opened(tmp_path / "ws", pairs=5) as app:
        rule = person(app.store, "rule", ReviewerKind.SCRIPTED)
        for who, count in ((1, 2), (rule.id, 4)):
            for shown in app.annotation.next(app.annotation.open_queue(QueueSettings(who, 1)), count):
                app.annotation.commit(shown.presentation_uid, prefer(2))
    running = main_window(workspace=tmp_path / "ws")
    home = running.page("home")
    running.settle()
    assert home._tiles["labelled"].accessibleName().startswith("Labelled by people: 2 ")
    home._tiles["labelled"].clicked.emit()
    running.settle()
    assert running.window.place == "data" and running.page("data").table.count == 2
    running.window.navigate("home")
    home._tiles["datasets"].clicked.emit()
    running.settle()
    assert running.page("data").tabs.currentIndex() == 1
    running.window.navigate("home")
    running.settle()
    link = next(b for b in home.findChildren(QPushButton) if b.accessibleName() == "What rule labelled on that day")
    qtbot.keyClick(link, Qt.Key.Key_Return)
    running.settle()
    data = running.page("data")
    assert running.window.place == "data" and data.table.count == 4
    assert data.pairs.filters.reviewers.currentText() == "rule"
    running.settle()


def test_that_the_activity_is_read_again_each_minute_and_when_a_run_ends(main_window, tmp_path, qtbot):
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("home")
    running.settle()

    def noted(summary):
        """Write an event that the window is not told of, as another process does; return whether Home lists it."""
        store = running.context.services.store
        context = store.write_context()
        store.write(lambda session: events.log(session, context, "run.end", summary, subject="run"), "a note")
        return lambda: summary in "".join(label.text() for label in page.findChildren(QLabel))

    listed = noted("Run first ended: finished")
    assert not listed()
    page._minutes.timeout.emit()
    qtbot.waitUntil(listed)
    page._rows[0].setFocus()
    listed = noted("Run second ended: finished")
    running.context.watch.changed.emit([SimpleNamespace(run_id="second", state="finished", live=False)])
    qtbot.waitUntil(listed)
    assert page._rows[0].hasFocus(), "the keyboard is where it was"

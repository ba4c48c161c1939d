"""A workspace that loses its file under the open window: said at once, nothing lost, two ways out."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QPushButton

from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import opened, prefer

Build = Callable[..., Any]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be moved or replaced there")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    opened(folder).close()
    shutil.copy(db_path(folder), tmp_path / "older.db")
    return folder


def press(running: Any, words: str) -> None:
    """Press a button of the banner."""
    banner = running.window.place_watch.banner
    next(button for button in banner.findChildren(QPushButton) if button.text() == words).click()


def label_one(services: Application) -> None:
    queue = services.annotation.open_queue(QueueSettings(1, 1))
    services.annotation.commit(services.annotation.next(queue)[0].presentation_uid, prefer(1))


def told(running: Any) -> str:
    """Return what the banner says, "" while there is none."""
    banner = running.window.place_watch.banner
    return banner.accessibleName() if banner is not None else ""


def test_that_a_deleted_file_is_told_without_any_act_and_put_back(
    main_window: Build, workspace: Path, qtbot: Any
) -> None:
    running = main_window(workspace=workspace)
    label_one(running.context.services)
    db_path(workspace).unlink()
    running.window.place_watch.look()
    qtbot.waitUntil(lambda: "A copy of it lies at" in told(running))
    assert "moved or deleted" in told(running)
    assert running.window.status._saved.text() == "cannot save"
    assert list((workspace / "backups").glob("workspace-*-replaced.db"))
    with qtbot.waitSignals([running.app.switch.switched] * 2):
        press(running, "Open again")
    running.settle()
    assert running.context.services.workspace.info().counts["judgements"] == 1
    assert told(running) == ""
    assert running.window.status._saved.text() == "saved"


def test_that_a_label_that_cannot_be_saved_stays_and_comes_back_after_opening_again(
    main_window: Build, workspace: Path, qtbot: Any
) -> None:
    running = main_window(workspace=workspace)
    running.context.session.set_reviewer(1, "Ann")
    page = running.page("annotate")
    qtbot.waitUntil(lambda: page.state.presentation is not None)
    pair = page.state.presentation.pair_id
    (workspace.parent / "older.db").rename(db_path(workspace))
    page.controller.editor.choose_strength(2) if hasattr(page.controller.editor, "choose_strength") else None
    page.state.form.strength, page.state.form.rationale = 2, "because"
    page.state.form.verdict = prefer(2).verdict
    page.controller.commits.submit()
    qtbot.waitUntil(lambda: "took the place" in told(running))
    qtbot.waitUntil(lambda: page.state.presentation is not None and page.state.presentation.pair_id == pair)
    assert page.state.form.rationale == "because"
    page.controller.editor.drafts.save_now()
    running.settle()
    with qtbot.waitSignals([running.app.switch.switched] * 2):
        press(running, "Open again")
    running.context.session.set_reviewer(1, "Ann")
    page = running.page("annotate")
    qtbot.waitUntil(lambda: page.state.presentation is not None)
    assert (page.state.presentation.pair_id, page.state.form.rationale) == (pair, "because")


def test_that_a_copy_of_what_is_held_open_goes_where_the_user_says(
    main_window: Build, workspace: Path, tmp_path: Path, qtbot: Any
) -> None:
    running = main_window(workspace=workspace)
    label_one(running.context.services)
    workspace.rename(tmp_path / "moved away")
    running.window.place_watch.look()
    qtbot.waitUntil(lambda: bool(told(running)))
    running.dialogs.answers = [tmp_path / "saved"]
    press(running, "Save a copy…")
    qtbot.waitUntil(lambda: any("The copy is in" in notice.text for notice in running.context.notices.kept))
    with Application.open(tmp_path / "saved") as app:
        assert app.workspace.info().counts["judgements"] == 1


def test_that_a_folder_that_comes_back_ends_the_message(main_window: Build, workspace: Path, qtbot: Any) -> None:
    running = main_window(workspace=workspace)
    workspace.rename(workspace.with_name("away"))
    running.window.place_watch.look()
    qtbot.waitUntil(lambda: bool(told(running)))
    workspace.with_name("away").rename(workspace)
    running.window.place_watch.look()
    qtbot.waitUntil(lambda: told(running) == "")
    assert running.window.status._saved.text() == "saved"


def test_that_a_workspace_that_lost_work_says_so_when_it_is_opened(
    main_window: Build, workspace: Path, qtbot: Any
) -> None:
    with Application.open(workspace) as app:
        label_one(app)
    shutil.copy(workspace.parent / "older.db", db_path(workspace))
    running = main_window(workspace=workspace)
    qtbot.waitUntil(lambda: any("1 judgement" in notice.text for notice in running.context.notices.kept))

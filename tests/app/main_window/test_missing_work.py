"""Saved work that is missing is told, read in full, and accepted in the window; the event log keeps both."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import opened, prefer

Build = Callable[..., Any]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Give a workspace whose one label is lost: an older copy took the place of its file."""
    folder = tmp_path / "ws"
    opened(folder).close()
    shutil.copy(db_path(folder), tmp_path / "older.db")
    with Application.open(folder) as app:
        queue = app.annotation.open_queue(QueueSettings(1, 1))
        app.annotation.commit(app.annotation.next(queue)[0].presentation_uid, prefer(1))
    shutil.copy(tmp_path / "older.db", db_path(folder))
    return folder


def told(running: Any) -> Any:
    """Return the notice of the loss, or None."""
    return next((n for n in running.context.notices.kept if "1 judgement" in n.text), None)


def ops(services: Application) -> list[str]:
    return [event.op for event in services.workspace.activity()]


def test_that_a_loss_is_read_and_accepted_in_the_window(main_window: Build, workspace: Path, qtbot: Any) -> None:
    running = main_window(workspace=workspace)
    qtbot.waitUntil(lambda: told(running) is not None)
    assert told(running).action == "Read and decide…"
    running.dialogs.answers.append("Close")
    told(running).run()
    qtbot.waitUntil(lambda: "1 loss of saved work was found." in str(running.dialogs.asked))
    running.settle()
    assert len(running.context.services.workspace.losses()) == 1
    running.dialogs.answers.append("Accept the loss")
    running.context.actions.run("global.missing_work")
    qtbot.waitUntil(lambda: not running.context.services.workspace.losses())
    running.settle()
    assert ops(running.context.services)[0] == "workspace.loss_accepted"
    assert not running.context.actions.action("global.missing_work").isEnabled()


def test_that_the_backups_are_one_press_away(main_window: Build, workspace: Path, qtbot: Any) -> None:
    running = main_window(workspace=workspace)
    qtbot.waitUntil(lambda: told(running) is not None)
    running.dialogs.answers.append("See the backups")
    told(running).run()
    qtbot.waitUntil(lambda: running.window.place == "settings")
    panel = running.page("settings").backups
    qtbot.waitUntil(lambda: not panel.missing.isHidden())
    running.settle()


def test_that_a_sound_workspace_offers_nothing(main_window: Build, tmp_path: Path, qtbot: Any) -> None:
    opened(tmp_path / "sound").close()
    running = main_window(workspace=tmp_path / "sound")
    running.settle()
    assert told(running) is None
    assert not running.context.actions.action("global.missing_work").isEnabled()
    assert running.page("settings").backups.missing.isHidden()
    running.settle()

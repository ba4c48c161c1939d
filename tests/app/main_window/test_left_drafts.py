"""A draft that the reopened file does not take over is shown and can be saved; no other pair gets it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QPushButton

from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import fill, opened, prefer

Build = Callable[..., Any]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be replaced there")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Give a workspace, and beside it the file of another one with other pairs under the same numbers."""
    folder = tmp_path / "ws"
    opened(folder).close()
    with opened(tmp_path / "other", pairs=0) as app:
        fill(app.store, 3, "far")
    shutil.copy(db_path(tmp_path / "other"), tmp_path / "other.db")
    return folder


def fill_in(running: Any, qtbot: Any) -> None:
    """Fill in a form whose file is replaced before it is stored."""
    running.context.session.set_reviewer(1, "Ann")
    page = running.page("annotate")
    qtbot.waitUntil(lambda: page.state.presentation is not None)
    running.settle()
    (running.context.services.folder.parent / "other.db").rename(db_path(running.context.services.folder))
    page.state.form.strength, page.state.form.rationale = 2, "because of the river"
    page.state.form.verdict = prefer(2).verdict
    page.controller.commits.submit()
    qtbot.waitUntil(lambda: running.window.place_watch.banner is not None)
    page.controller.editor.drafts.save_now()
    running.settle()


def test_that_it_is_shown_and_saved_as_a_text_file(
    main_window: Build, workspace: Path, tmp_path: Path, qtbot: Any
) -> None:
    running = main_window(workspace=workspace)
    fill_in(running, qtbot)
    running.dialogs.answers += ["Save as a text file…", tmp_path / "kept.txt"]
    banner = running.window.place_watch.banner
    with qtbot.waitSignals([running.app.switch.switched] * 2):
        next(b for b in banner.findChildren(QPushButton) if b.text() == "Open again").click()
    qtbot.waitUntil(lambda: any("The drafts are in" in notice.text for notice in running.context.notices.kept))
    text = (tmp_path / "kept.txt").read_text(encoding="utf-8")
    assert "because of the river" in text and "2, the right answer is better" in text
    assert "filled in by Ann" in text and "Question" in text and "Left answer:" in text
    with running.context.services.store.read() as session:
        drafts = session.connection().exec_driver_sql("SELECT count(*) FROM judgement_draft").scalar_one()
    assert drafts == 0  # the pair of the same number in the other file is another pair
    (kept,) = [notice for notice in running.context.notices.kept if "belongs to no pair" in notice.text]
    assert kept.action == "Show…"
    running.settle()

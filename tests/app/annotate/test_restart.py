"""Closing the window in the middle of labelling: what was said is there again, and undo goes on where it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from PySide6.QtCore import Qt

from app.annotate.queue import QueueChoice
from tests.app.annotate.conftest import make_workspace
from tests.patience import LIMIT_S

CTRL = Qt.KeyboardModifier.ControlModifier


def test_that_undo_and_redo_go_on_after_a_restart(sit_down, main_window, tmp_path, qtbot):
    hands = sit_down()
    done = hands.label(Qt.Key.Key_7)
    hands.page.panel.rationale.setPlainText("Half a sent")
    waiting = hands.page.desk.current.pair_id
    hands.running.window.close()
    hands.running.settle()
    hands.running.shut()

    running = main_window(workspace=tmp_path / "ws")
    page = running.page("annotate")
    qtbot.waitUntil(lambda: page.desk.current is not None)
    running.settle()
    assert page.desk.current.pair_id == waiting and page.desk.answer.rationale == "Half a sent"
    page.first_focus().setFocus()
    qtbot.keyClick(page.window(), Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: page.desk.current.pair_id == done.pair_id)
    assert page.desk.answer.strength == 3
    running.settle()
    qtbot.keyClick(page.window(), Qt.Key.Key_Y, CTRL)
    qtbot.waitUntil(lambda: page.desk.current.pair_id == waiting)
    running.settle()
    assert page.desk.answer.rationale == "Half a sent"


def test_that_a_reviewer_who_comes_while_a_queue_is_being_opened_gets_one(main_window, tmp_path, qtbot, monkeypatch):
    running = main_window(workspace=make_workspace(tmp_path / "ws"))
    running.settle()
    running.context.session.set_reviewer(None)
    asked, gate, really_open = [], Event(), QueueChoice.open

    def wait_and_open(choice, reviewer):
        asked.append(reviewer)
        assert gate.wait(LIMIT_S)
        return really_open(choice, reviewer)

    monkeypatch.setattr(QueueChoice, "open", wait_and_open)
    running.window.navigate("annotate")
    qtbot.waitUntil(lambda: asked == [None])
    (mira,) = running.context.services.reviewers.list()[:1]
    running.context.session.set_reviewer(mira.id, mira.name)
    gate.set()
    page = running.window.page("annotate")
    qtbot.waitUntil(lambda: page.desk.current is not None)
    assert asked == [None, mira.id]


def test_that_nobody_is_looked_up_when_there_is_no_reviewer(main_window, tmp_path, qtbot, monkeypatch):
    running = main_window(workspace=make_workspace(tmp_path / "ws"))
    running.settle()
    running.context.session.set_reviewer(None)
    page = running.page("annotate")
    running.settle()
    monkeypatch.setattr(running.context.services.annotation, "open_queue", lambda settings: pytest.fail("asked"))
    (mira,) = running.context.services.reviewers.list()[:1]
    running.context.session._reviewer_id = mira.id  # another thread is a moment ahead
    with ThreadPoolExecutor() as elsewhere:
        assert elsewhere.submit(page.choice.open, None).result().missing == "reviewer"

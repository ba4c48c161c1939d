"""A queue opened again: the pair on the screen stays where it may, and goes to nobody else."""

from __future__ import annotations

import threading
from dataclasses import replace
from threading import Event

import pytest
from PySide6.QtCore import Qt

from app.annotate import queue_controller
from core.domain.changes import Changes
from core.domain.errors import NotFound
from core.domain.rubric import ChangeLevel
from tests.app.annotate.conftest import make_workspace
from tests.patience import LIMIT_S


def refresh(session) -> None:
    """Tell the page that pairs changed, and wait until it has opened its queue again."""
    before = session.state.queue
    session.page.changed(Changes.PAIRS)
    session.reach(lambda: session.state.queue is not None and session.state.queue is not before)
    session.running.settle()


class Gate:
    """Holds every queue that is being opened until it is let go; ``asked`` are the reviewers, in order."""

    def __init__(self, open_queue) -> None:
        self._open_queue, self._gate = open_queue, Event()
        self.asked: list[int | None] = []

    def __call__(self, services, choice, reviewer_id):
        self.asked.append(reviewer_id)
        opened = self._open_queue(services, choice, reviewer_id)
        assert self._gate.wait(LIMIT_S)
        return opened

    def let_go(self) -> None:
        """Let the queues be opened."""
        self._gate.set()


@pytest.fixture
def hold_opening(monkeypatch):
    """Return a function that puts a :class:`Gate` before every queue that is opened from then on."""

    def hold() -> Gate:
        gate = Gate(queue_controller.open_queue)
        monkeypatch.setattr(queue_controller, "open_queue", gate)
        return gate

    return hold


def test_that_a_pair_stays_on_the_screen_while_pairs_are_imported(labeling):
    session = labeling()
    shown = session.shown
    session.press(Qt.Key.Key_6)
    session.write("Half a sent")
    refresh(session)
    assert session.shown is shown
    assert session.form.rationale == "Half a sent" and session.form.strength == 2
    done = {session.label(key).pair_id for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3)}
    assert shown.pair_id in done and len(done) == 3 == len(session.labels())


def test_that_the_same_reviewer_set_again_disturbs_nothing(labeling):
    session = labeling()
    shown, reviewer = session.shown, session.context.session
    session.press(Qt.Key.Key_2)
    reviewer.set_reviewer(reviewer.reviewer_id, reviewer.reviewer_name)
    session.running.settle()
    assert session.shown is shown and session.form.strength == -2


def test_that_a_pair_labelled_while_the_queue_is_opened_again_does_not_come_back(labeling, hold_opening):
    session = labeling()
    gate, before = hold_opening(), session.state.queue
    session.page.changed(Changes.PAIRS)
    first = session.shown.pair_id
    session.press(Qt.Key.Key_1, Qt.Key.Key_Return)
    session.reach(lambda: session.state.saving == 0)
    second = session.shown.pair_id
    gate.let_go()
    session.reach(lambda: session.state.queue is not before)
    waiting = [p.pair_id for p in session.state.waiting]
    assert session.shown.pair_id == second
    assert first not in waiting and second not in waiting


def test_that_another_reviewer_starts_with_an_empty_screen_and_the_draft_waits_for_the_first(labeling):
    session = labeling()
    reviewer, shown = session.context.session, session.shown
    mira = reviewer.reviewer_id
    session.write("Words of mira")
    bo = session.context.services.reviewers.add("bo").value
    reviewer.set_reviewer(bo.id, bo.name)
    assert session.shown is None, "nothing can be labelled for the wrong person"
    session.reach_pair()
    assert session.state.queue.settings.reviewer_id == bo.id and session.form.rationale == ""
    reviewer.set_reviewer(mira, "mira")
    session.reach(lambda: session.shown is not None and session.state.queue.settings.reviewer_id == mira)
    assert session.shown.presentation_uid == shown.presentation_uid
    assert session.form.rationale == "Words of mira"


def test_that_a_reviewer_chosen_elsewhere_while_a_queue_is_opened_gets_the_own_one(labeling, hold_opening):
    session = labeling()
    bo = session.context.services.reviewers.add("bo").value
    gate = hold_opening()
    session.page.take_queue("all")
    session.reach(lambda: bool(gate.asked))
    session.context.navigate("data")
    session.context.session.set_reviewer(bo.id, bo.name)
    gate.let_go()
    session.running.settle()
    session.context.navigate("annotate")
    session.reach_pair()
    assert session.state.queue.settings.reviewer_id == bo.id == gate.asked[-1]


def test_that_a_reviewer_who_comes_while_a_queue_is_being_opened_gets_one(main_window, tmp_path, qtbot, hold_opening):
    running = main_window(workspace=make_workspace(tmp_path / "ws"))
    running.context.session.set_reviewer(None)
    gate = hold_opening()
    page = running.page("annotate")
    qtbot.waitUntil(lambda: gate.asked == [None])
    (mira,) = running.context.services.reviewers.list()[:1]
    running.context.session.set_reviewer(mira.id, mira.name)
    gate.let_go()
    qtbot.waitUntil(lambda: page.state.presentation is not None)
    assert gate.asked == [None, mira.id]


def test_that_a_new_rubric_version_is_labelled_under_and_the_draft_is_kept(labeling):
    session = labeling()
    rubrics, shown = session.context.services.rubrics, session.shown
    session.write("Under the old rules")
    version = rubrics.version(shown.rubric_version_id)
    draft = rubrics.new_draft(version.rubric_id).value
    rubrics.save_draft(draft.id, replace(draft.body, purpose="Another question."))
    new = rubrics.publish(draft.id, ChangeLevel.MAJOR, "Everything is different").value
    session.page.changed(Changes.RUBRICS)
    session.reach(lambda: session.shown is not None and session.shown.rubric_version_id == new.id)
    session.running.settle()
    assert session.panel.version_id == new.id
    assert session.draft(shown)["rationale"] == "Under the old rules"


def test_that_a_queue_that_was_left_is_closed(labeling, monkeypatch):
    session = labeling()
    closed, close, opened = [], session.service.close_queue, [session.state.queue]

    def note_and_close(queue, keep):
        closed.append(queue)
        close(queue, keep)

    monkeypatch.setattr(session.service, "close_queue", note_and_close)
    for _ in range(3):
        refresh(session)
        opened.append(session.state.queue)
    assert closed == opened[:-1]
    session.label(Qt.Key.Key_1)
    assert len(session.labels()) == 1


def test_that_a_queue_that_cannot_be_opened_says_so_and_is_tried_again(labeling, monkeypatch):
    session = labeling()

    def refuse(*_):
        raise NotFound("The disk is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(queue_controller, "open_queue", refuse)
        session.page.take_queue("all")
        session.running.settle()
        (button,) = session.missing_screen.buttons
        assert button.text() == "Try again"
    button.click()
    session.reach_pair()


def test_that_presentations_are_noted_off_the_thread_of_the_window(labeling, monkeypatch):
    session = labeling()
    threads = []
    monkeypatch.setattr(session.service, "mark_presented", lambda _uid: threads.append(threading.current_thread()))
    session.press(Qt.Key.Key_S)
    session.running.settle()
    assert threads and threading.main_thread() not in threads

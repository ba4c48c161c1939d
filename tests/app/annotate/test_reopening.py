"""A queue opened anew: the pair on the desk stays where it may, and goes to nobody else."""

from __future__ import annotations

import threading
from dataclasses import replace
from threading import Event

from PySide6.QtCore import Qt

from app.annotate.queue import QueueChoice
from core.domain.changes import Changes
from core.domain.errors import NotFound
from core.domain.rubric import ChangeLevel
from tests.fakes.drafts import stored_draft
from tests.patience import LIMIT_S


def refresh(hands) -> None:
    """Tell the page that pairs changed, and wait until it has taken that in."""
    before = hands.page.queue
    hands.page.changed(Changes.PAIRS)
    hands.reach(lambda: hands.page.queue is not None and hands.page.queue is not before)
    hands.running.settle()


def test_that_a_pair_stays_on_the_desk_while_pairs_are_imported(sit_down):
    hands = sit_down()
    shown = hands.page.desk.current
    hands.press(Qt.Key.Key_6)
    hands.page.panel.rationale.setPlainText("Half a sent")
    refresh(hands)
    assert hands.page.desk.current is shown
    assert hands.page.desk.answer.rationale == "Half a sent" and hands.page.desk.answer.strength == 2
    done = {hands.label(key).pair_id for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3)}
    assert shown.pair_id in done and len(done) == 3 == len(hands.labels())


def test_that_the_same_reviewer_set_again_disturbs_nothing(sit_down):
    hands = sit_down()
    shown, session = hands.page.desk.current, hands.running.context.session
    hands.press(Qt.Key.Key_2)
    session.set_reviewer(session.reviewer_id, session.reviewer_name)
    hands.running.settle()
    assert hands.page.desk.current is shown and hands.page.desk.answer.strength == -2


def test_that_a_pair_labelled_while_the_queue_is_read_again_does_not_come_back(sit_down, monkeypatch):
    hands = sit_down()
    gate, really_open = Event(), QueueChoice.open

    def open_and_wait(choice, reviewer):
        found = really_open(choice, reviewer)
        assert gate.wait(LIMIT_S)
        return found

    monkeypatch.setattr(QueueChoice, "open", open_and_wait)
    before = hands.page.queue
    hands.page.changed(Changes.PAIRS)
    first = hands.page.desk.current.pair_id
    hands.press(Qt.Key.Key_1)
    hands.press(Qt.Key.Key_Return)
    hands.reach(lambda: hands.page.commits.under_way == 0)
    second = hands.page.desk.current.pair_id
    gate.set()
    hands.reach(lambda: hands.page.queue is not before)
    waiting = [s.pair_id for s in hands.page.desk.ahead]
    assert hands.page.desk.current.pair_id == second
    assert first not in waiting and second not in waiting


def test_that_another_reviewer_starts_with_an_empty_desk_and_the_draft_waits_for_the_first(sit_down):
    hands = sit_down()
    page, session = hands.page, hands.running.context.session
    mira, shown = session.reviewer_id, page.desk.current
    page.panel.rationale.setPlainText("Mira's words")
    bo = hands.running.context.services.reviewers.add("bo").value
    session.set_reviewer(bo.id, bo.name)
    assert page.desk.current is None, "nothing can be labelled for the wrong person"
    hands.reach(lambda: page.desk.current is not None)
    assert page.queue.settings.reviewer_id == bo.id and page.desk.answer.rationale == ""
    session.set_reviewer(mira, "mira")
    hands.reach(lambda: page.desk.current is not None and page.queue.settings.reviewer_id == mira)
    assert page.desk.current.presentation_uid == shown.presentation_uid
    assert page.desk.answer.rationale == "Mira's words"


def test_that_a_reviewer_chosen_elsewhere_while_a_queue_is_opened_gets_the_own_one(sit_down, monkeypatch):
    hands = sit_down()
    page, session = hands.page, hands.running.context.session
    bo = hands.running.context.services.reviewers.add("bo").value
    gate, asked, really_open = Event(), [], QueueChoice.open

    def wait_and_open(choice, reviewer):
        asked.append(reviewer)
        assert gate.wait(LIMIT_S)
        return really_open(choice, reviewer)

    monkeypatch.setattr(QueueChoice, "open", wait_and_open)
    page.take_queue("all")
    hands.reach(lambda: bool(asked))
    hands.running.window.navigate("data")
    session.set_reviewer(bo.id, bo.name)
    gate.set()
    hands.running.settle()
    hands.running.window.navigate("annotate")
    hands.reach(lambda: page.desk.current is not None)
    assert page.queue.settings.reviewer_id == bo.id == asked[-1]


def test_that_a_new_rubric_version_is_labelled_under_and_the_draft_is_kept(sit_down):
    hands = sit_down()
    page, service = hands.page, hands.running.context.services
    shown = page.desk.current
    page.panel.rationale.setPlainText("Under the old rules")
    version = service.rubrics.version(shown.rubric_version_id)
    draft = service.rubrics.new_draft(version.rubric_id).value
    service.rubrics.save_draft(draft.id, replace(draft.body, purpose="Another question."))
    new = service.rubrics.publish(draft.id, ChangeLevel.MAJOR, "Everything is different").value
    page.changed(Changes.RUBRICS)
    hands.reach(lambda: page.desk.current is not None and page.desk.current.rubric_version_id == new.id)
    hands.running.settle()
    assert page.panel.version_id == new.id
    kept = stored_draft(hands.running.context.services.store, shown.presentation_uid)
    assert kept["rationale"] == "Under the old rules"


def test_that_a_queue_that_was_left_is_closed(sit_down):
    hands = sit_down()
    for _ in range(3):
        refresh(hands)
    assert list(hands.running.context.services.annotation._desk._queues) == [hands.page.queue.uid]
    hands.label(Qt.Key.Key_1)
    assert len(hands.labels()) == 1


def test_that_a_queue_that_cannot_be_opened_says_so_and_is_tried_again(sit_down, monkeypatch):
    hands = sit_down()

    def refuse(choice, reviewer):
        raise NotFound("The disk is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(QueueChoice, "open", refuse)
        hands.page.take_queue("all")
        hands.running.settle()
        state = hands.page._stack.widget(0)
        assert hands.page._stack.currentIndex() == 0 and state.buttons[0].text() == "Try again"
    state.buttons[0].click()
    hands.reach(lambda: hands.page.desk.current is not None)


def test_that_showings_are_noted_off_the_thread_of_the_window(sit_down, monkeypatch):
    hands = sit_down()
    threads, service = [], hands.running.context.services.annotation
    monkeypatch.setattr(service, "shown", lambda uid: threads.append(threading.current_thread()))
    hands.press(Qt.Key.Key_S)
    hands.running.settle()
    assert threads and threading.main_thread() not in threads

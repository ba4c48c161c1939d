"""Feedback in the window: import, triage by keys, a changeset that somebody else approves, consent, shift."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.data.feedback_answers_dialog import FeedbackAnswersDialog
from core.domain.consent import Consent
from core.domain.conversation import Prompt
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput
from core.domain.feedback import FeedbackContent
from core.paths import resources_dir
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from tests.fakes.workspaces import opened, person, prefer

ANN, BO = 1, 2
ROWS = [
    {"kind": "correction", "prompt": "Is it 14 %?", "answer": "Yes, 14 %.", "correction": "No, 40 %.", "release": "r1"},
    {"kind": "rant", "text": "Too <b>long</b>."},
    {"kind": "attack", "prompt": "Tell it as a story.", "answer": "Once upon a time."},
    {"kind": "thumbs", "prompt": "No thumb.", "answer": "x"},
]


def label_all(app: Application) -> None:
    queue = app.annotation.open_queue(QueueSettings(ANN, 1))
    for shown in app.annotation.next(queue, 100):
        app.annotation.commit(shown.presentation_uid, prefer(2))


def press(running: Any, action_id: str) -> None:
    """Run an action as its key does: not at all while it is off."""
    running.context.actions.action(action_id).trigger()


@pytest.fixture
def inbox(main_window: Any, tmp_path: Path, qtbot: Any) -> tuple[Any, Any]:
    """A window on the Feedback tab: six labelled pairs in a dataset version, an attack and a correction; Ann labels."""
    with opened(tmp_path / "ws") as app:
        person(app.store, "Bo")
        label_all(app)
        app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0)))
        said = FeedbackContent("correction", Prompt.from_text("14?"), "14.", "40.", note="wrong", release="rel-1")
        app.feedback.add(said, Consent("granted"))
        app.feedback.add(FeedbackContent("attack", Prompt.from_text("As a story."), "Once."), Consent("granted"))
    running = main_window(workspace=tmp_path / "ws")
    running.context.session.set_reviewer(ANN, "Ann")
    page = running.page("data")
    running.context.navigate("data", feedback=True)
    qtbot.waitUntil(lambda: page.feedback.tab.current is not None)
    running.settle()
    return running, page


def test_that_a_file_is_accounted_for_before_it_is_imported(inbox: Any, qtbot: Any, tmp_path: Path) -> None:
    running, page = inbox
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    seen: dict[str, Any] = {}

    def look(dialog: Any) -> bool:
        qtbot.waitUntil(lambda: dialog._asked.isVisibleTo(dialog))
        assert not dialog.main.isEnabled()
        dialog._answer("kind:rant", "text")
        qtbot.waitUntil(lambda: dialog.forecast is not None)
        seen["told"] = dialog.summary.text()
        return dialog.main.isEnabled()

    running.dialogs.on_dialog = look
    running.dialogs.answers.append(path)
    running.context.actions.run("data.feedback_import")
    qtbot.waitUntil(lambda: page.feedback.tab.table.count == 5)
    assert seen["told"] == "4 records = 3 new + 0 known + 1 rejected"
    running.settle()


def test_that_keys_decide_that_attacks_are_not_labelled_and_that_it_is_taken_back(inbox: Any, qtbot: Any) -> None:
    running, page = inbox
    tab, actions, services = page.feedback.tab, running.context.actions, running.context.services
    assert tab.current.kind == "attack" and tab.detail.attack.isVisible()
    assert not actions.action("data.triage_label").isEnabled()
    assert [actions.key_text(f"data.triage_{name}") for name in ("label", "rubric", "suite", "reject")] == list("1234")
    press(running, "data.triage_label")
    running.dialogs.on_dialog = lambda dialog: dialog.main.isEnabled()
    press(running, "data.triage_suite")
    qtbot.waitUntil(lambda: services.feedback.counts().triaged == 1)
    assert services.suites.get("attacks").items[0].expected == "refuse"
    qtbot.waitUntil(lambda: tab.current.kind == "correction")
    running.settle()

    def reject(dialog: Any) -> bool:
        assert not dialog.main.isEnabled(), "a rejection needs a reason"
        dialog.reason.setText("nothing to change")
        return dialog.main.isEnabled()

    running.dialogs.on_dialog = reject
    press(running, "data.triage_reject")
    qtbot.waitUntil(lambda: tab.current.state == "rejected")
    running.settle()
    press(running, "data.triage_undo")
    qtbot.waitUntil(lambda: tab.current.state == "open")
    running.settle()


def test_that_a_changeset_is_opened_sent_back_and_approved_by_somebody_else(inbox: Any, qtbot: Any) -> None:
    running, page = inbox
    tab, services, session = page.feedback.tab, running.context.services, running.context.session
    panel, dialogs = tab.changesets, running.dialogs
    press(running, "data.feedback_next")
    qtbot.waitUntil(lambda: tab.current.kind == "correction")
    dialogs.on_dialog = lambda dialog: dialog.main.isEnabled()
    press(running, "data.triage_label")
    qtbot.waitUntil(lambda: bool(tab.current.pair_ids))
    running.settle()
    label_all(services)
    dialogs.answers.append("C-1")
    panel.new.click()
    qtbot.waitUntil(lambda: panel.current is not None)
    running.settle()
    dialogs.answers.append("the right number")
    panel.add.click()
    qtbot.waitUntil(lambda: panel.list.count() == 1)
    running.settle()
    assert not panel.approve.isEnabled() and "somebody else" in panel.why.text()
    session.set_reviewer(BO, "Bo")
    assert "1 change not opened yet" in panel.why.text()
    dialogs.answers.append("Say which number.")
    panel.send_back.click()
    qtbot.waitUntil(lambda: panel.state.text() == "sent back")
    running.settle()
    assert "Say which number." in panel.back.text()
    panel.list.setCurrentRow(0)
    assert panel.texts.isVisible() and panel.approve.isEnabled()
    assert "7" in panel.next.text(), "six items and the new one"
    panel.approve.click()
    qtbot.waitUntil(lambda: panel.state.text() == "approved")
    running.settle()
    frozen = services.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0))).value
    assert frozen.counts["items"] == 7 and frozen.changesets == ("C-1",)


def test_that_what_a_withdrawal_touches_is_shown_before_it_and_afterwards(inbox: Any, qtbot: Any) -> None:
    running, page = inbox
    tab, services = page.feedback.tab, running.context.services
    tab.show_panel("consent")
    qtbot.waitUntil(lambda: tab.consent.list.count() == 6)  # the two people have made no statement yet
    qtbot.waitUntil(lambda: "Dataset version d v1: 6 train, 0 dev, 0 test" in tab.consent.affected.lines)
    before: list[str] = []

    def look(dialog: Any) -> bool:
        assert not dialog.main.isEnabled(), "nothing is withdrawn before it was read"
        qtbot.waitUntil(dialog.main.isEnabled)
        before.extend(dialog.affected.lines)
        return True

    running.dialogs.on_dialog = look
    tab.consent.withdraw.click()
    qtbot.waitUntil(lambda: services.consent.list()[0].effective == "withdrawn")
    running.settle()
    assert any(line.startswith("Dataset version d v1") for line in before)
    qtbot.waitUntil(lambda: tab.consent.affected.lines == before)
    assert services.datasets.plan(FreezePolicy(require_consent=False)).counts["items"] == 0
    running.settle()


def test_that_the_shift_panel_says_why_it_cannot_compare_and_draws_what_it_can(inbox: Any, qtbot: Any) -> None:
    running, page = inbox
    shift = page.feedback.tab.shift
    page.feedback.tab.show_panel("shift")
    shift.compare.click()
    qtbot.waitUntil(lambda: shift.report is not None and not shift.is_running)
    running.settle()
    assert shift.bars.mix is not None and shift.table.count == len(shift.rows())
    shares = [share.value for row in shift.bars.mix.rows for share in row.shares[:1]]
    assert sum(shares) == pytest.approx(1.0)
    assert "feedback: 2 prompts" in shift.sizes.text()
    assert not page.feedback.tab.shift.problem.isVisible()


def test_that_without_pairs_feedback_can_still_come_in(main_window: Any, tmp_path: Path, qtbot: Any) -> None:
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("data")
    running.settle()

    def fill(dialog: Any) -> bool:
        assert not dialog.add.isEnabled() and dialog.problem.text()
        assert dialog.problem.property("type") == "muted"  # nothing was typed, so nothing is wrong yet
        dialog.texts["note"].setPlainText("Too slow.")
        return dialog.add.isEnabled()

    running.dialogs.on_dialog = fill
    running.context.actions.run("data.feedback_add")
    qtbot.waitUntil(lambda: page.feedback.tab.table.count == 1)
    assert page.feedback.tab.isVisible()
    running.settle()


def test_that_an_event_about_a_sample_of_a_run_carries_its_run_and_seed(
    main_window: Any, tmp_path: Path, qtbot: Any
) -> None:
    shutil.copytree(resources_dir() / "demo" / "workspace", tmp_path / "ws")
    running = main_window(workspace=tmp_path / "ws")
    page = running.page("data")
    running.settle()
    chosen: list[Any] = []

    def answer(dialog: Any) -> bool:
        if isinstance(dialog, FeedbackAnswersDialog):
            qtbot.waitUntil(lambda: dialog.main.isEnabled() and dialog.chosen is not None)
            chosen.append(dialog.chosen)
            return True
        assert dialog.texts["answer"].isReadOnly() or not dialog.texts["answer"].isVisibleTo(dialog)
        dialog.texts["note"].setPlainText("It repeats itself.")
        return dialog.add.isEnabled()

    running.dialogs.on_dialog = answer
    running.context.actions.run("data.feedback_answer")
    qtbot.waitUntil(lambda: page.feedback.tab.current is not None)
    content = page.feedback.tab.current.content
    assert (content.answer, content.run) == (chosen[0].answer, chosen[0].run)
    assert content.generation["seed"] == chosen[0].generation["seed"]
    running.settle()


def test_that_a_comparison_can_be_cancelled_and_that_a_failed_one_says_why(
    inbox: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, page = inbox
    shift, service = page.feedback.tab.shift, running.context.services.feedback_shift

    def endless(*, on_step: Any, **_: Any) -> None:
        for done in itertools.count():
            on_step(done, 10, "endless")

    monkeypatch.setattr(service, "report", endless)
    page.feedback.tab.show_panel("shift")
    shift.compare.click()
    qtbot.waitUntil(lambda: shift.is_running and not shift.compare.isEnabled())
    shift.cancel()
    qtbot.waitUntil(shift.compare.isEnabled)
    assert shift.report is None and not shift.progress.isVisible()

    def refused(**_: Any) -> None:
        raise BadInput("There are not two collections of prompts to compare.", "Freeze a dataset version first.")

    monkeypatch.setattr(service, "report", refused)
    shift.compare.click()
    qtbot.waitUntil(shift.problem.isVisible)
    assert "Freeze a dataset version first." in shift.problem.text()
    running.settle()


def test_that_a_narrow_window_and_a_large_text_show_one_part_at_a_time(inbox: Any, qtbot: Any) -> None:
    running, page = inbox
    tab = page.feedback.tab
    running.window.resize(1280, 800)
    qtbot.waitUntil(tab.changesets.isVisible)
    assert tab.table.isVisible()
    running.context.settings.set("look.zoom", 200)
    running.window.resize(1024, 700)
    qtbot.waitUntil(lambda: tab.panel.value == "inbox" and not tab.changesets.isVisible())
    tab.show_panel("consent")
    assert tab.consent.isVisible() and not tab.table.isVisible()
    running.context.settings.set("look.zoom", 100)
    running.window.resize(1280, 800)
    qtbot.waitUntil(lambda: tab.table.isVisible() and tab.consent.isVisible())
    running.settle()

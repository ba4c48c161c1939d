"""Annotate as an audit of an evaluation: two keys an answer, blind, undo, and back to Evaluate."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from core.domain.errors import StorageFull
from tests.app.evaluate.fakes import finish, make_evaluation, make_run, suites

ID = f"{1:032x}"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a finished evaluation of a benign and a harmful suite; no test changes it."""
    workspace = tmp_path_factory.mktemp("audit") / "ws"
    make_run(workspace)
    finish(make_evaluation(workspace, 1, made=suites(6)[1:3]))
    return workspace


@pytest.fixture
def session(measured, tmp_path, main_window):
    """Return a running window at the audit, with Ann as reviewer."""
    running = main_window(workspace=Path(shutil.copytree(measured, tmp_path / "ws")))
    ann = running.context.services.reviewers.find("Ann")
    running.context.session.set_reviewer(ann.id, ann.name)
    running.context.navigate("annotate", audit=ID)
    running.settle()
    return running


def key(running, *keys):
    """Press keys in the window, as a reviewer does."""
    for one in keys:
        QTest.keyClick(running.window, one)


def audit_of(running):
    """Return the audit of the page."""
    return running.page("annotate").audit


def test_that_two_keys_label_an_answer_and_a_finished_audit_leads_back_to_corrected_rates(session):
    running, audit = session, audit_of(session)
    view, controller = audit.view, audit.controller
    assert running.context.actions.place == "audit" and not view.shows_answer
    (draw,) = [b for b in view.findChildren(QPushButton) if b.text() == "Draw the sample" and b.isVisible()]
    draw.click()
    running.qtbot.waitUntil(lambda: view.shows_answer)
    assert view.count.text() == "0 / 24" and view.arms.text() == "reference 0/12 · aligned 0/12"
    assert view.arms.accessibleName() == "audited 0 of 12 for reference, 0 of 12 for aligned"
    rates = [view.panel.rates.itemAt(place).widget() for place in range(view.panel.rates.count())]
    first = controller.shown
    key(running, Qt.Key.Key_F)
    running.settle()
    assert view.bar.flag.isChecked() and view.panel.flagged.text() == "Flagged to look at again: 1 (Ann)."
    key(running, Qt.Key.Key_2)
    assert view.bar.buttons["partly"].isChecked()
    key(running, Qt.Key.Key_1, Qt.Key.Key_Return)
    assert controller.shown is not None and controller.shown.key != first.key, "the next one is shown at once"
    running.settle()
    assert view.count.text() == "1 / 24" and view.bar.line.text() == "Saved answer 1"
    assert [view.panel.rates.itemAt(place).widget() for place in range(view.panel.rates.count())] == rates
    assert controller.queue.past[0].word == "complied"
    key(running, Qt.Key.Key_Return)
    assert "Choose 1, 2 or 3" in view.bar.line.text() or not view.bar.submit.isEnabled()
    QTest.keyClick(running.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    running.settle()
    assert controller.shown.key == first.key and view.count.text() == "0 / 24"
    assert view.bar.flag.isChecked(), "the flag belongs to the answer, not to its label"
    view.bar.flag.click()
    running.settle()
    assert not view.bar.flag.isChecked() and view.panel.flagged.isHidden()
    skipped = controller.shown.key
    key(running, Qt.Key.Key_S)
    running.settle()
    assert controller.shown.key != skipped
    seen = []
    for _ in range(24):
        running.qtbot.waitUntil(lambda: controller.shown is not None)
        seen.append(controller.shown.key)
        assert view.prompt._name.text() == f"answer {controller.shown.number}"
        key(running, Qt.Key.Key_3 if "can't help" in controller.shown.text else Qt.Key.Key_1, Qt.Key.Key_Return)
    running.qtbot.waitUntil(lambda: not view.shows_answer)
    running.settle()
    assert seen[-1] == skipped and len(set(seen)) == 24
    assert controller.queue.complete and view.count.text() == "24 / 24"
    key(running, Qt.Key.Key_Escape)
    page = running.page("evaluate")
    running.settle()
    running.qtbot.waitUntil(lambda: page.data.evidence is not None and page.data.evidence["watermarks"] == [])
    assert page.tabs.evidence.refusal_mark.text() == "corrected by an audit"
    cells = page.tabs.evidence.refusals.rows[0].cells
    assert "labelled" in cells[3] and "labelled" in cells[5]
    page.tabs.evidence.audit.click()
    running.settle()
    assert running.page("annotate").isVisible() and running.context.actions.place == "audit"


def test_that_nothing_on_the_screen_tells_arm_or_verdict_and_pairs_come_back(session):
    running, audit = session, audit_of(session)
    audit.view.step_requested.emit("draw")
    running.qtbot.waitUntil(lambda: audit.view.shows_answer)
    shown = audit.controller.shown
    assert not hasattr(shown, "arm") and not hasattr(shown, "verdict")
    assert audit.view.prompt._name.text() == f"answer {shown.number}"
    running.context.actions.run("audit.pairs")
    page = running.page("annotate")
    running.settle()
    assert not audit.on and running.context.actions.place == "annotate" and page.header.isVisible()

    def choose_audit(dialog):
        dialog.kinds.setCurrentText("Refusal audit: answers of dpo-b0.1-r16 E-1, 24 left")
        assert not dialog.versions.isEnabled() and not dialog.orders.isEnabled()
        return True

    running.dialogs.on_dialog = choose_audit
    running.context.actions.run("annotate.queue")
    running.qtbot.waitUntil(lambda: audit.on and audit.view.shows_answer)
    running.context.actions.run("audit.pairs")
    running.settle()
    running.dialogs.answers.append(0)
    running.context.actions.run("annotate.audit")
    running.qtbot.waitUntil(lambda: audit.on and audit.view.shows_answer)


def test_that_a_label_that_cannot_be_stored_comes_back_to_the_screen(session, monkeypatch):
    running, audit = session, audit_of(session)
    service, controller = running.context.services.audits, audit.controller
    audit.view.step_requested.emit("draw")
    running.qtbot.waitUntil(lambda: audit.view.shows_answer)
    shown = controller.shown

    def full(*_):
        raise StorageFull("The disk is full.", "Free some room.")

    monkeypatch.setattr(service, "label", full)
    key(running, Qt.Key.Key_3, Qt.Key.Key_Return)
    running.qtbot.waitUntil(lambda: controller.shown is not None and controller.shown.key == shown.key)
    assert controller.choice == "refused" and audit.view.bar.buttons["refused"].isChecked()

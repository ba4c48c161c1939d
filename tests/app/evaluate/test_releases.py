"""Releases in the window: made, refused in words, shown, compared, verified and withdrawn, all by keys."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.domain.changes import Changes, Outcome
from core.domain.errors import UserError
from core.domain.release_gate import GateCheck, GateDecision
from core.services.application import Application
from core.services.releases.draft import Approver
from core.services.releases.names import MAKE
from core.store import events
from tests.app.evaluate.fakes import finish, make_evaluation, make_run
from tests.app.evaluate.test_page import shown

Build = Callable[..., Any]
PASSED = GateDecision((GateCheck("leaks", "vetoes", "Leaks", "passed", "None."),))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with two finished evaluations of one run, and people."""
    workspace = tmp_path_factory.mktemp("releases") / "ws"
    make_run(workspace)
    finish(make_evaluation(workspace, 1, 8))
    finish(make_evaluation(workspace, 2, 6))
    with Application.open(workspace) as app:
        for name in ("mira", "ben"):
            app.reviewers.add(name)
    return workspace


@pytest.fixture
def running(main_window: Build, measured: Path, tmp_path: Path) -> Any:
    made = main_window(workspace=Path(shutil.copytree(measured, tmp_path / "ws")), size=(1280, 800))
    mira = made.context.services.reviewers.find("mira")
    made.context.session.set_reviewer(mira.id, mira.name)
    shown(made, 1)
    return made


def note_release(app: Application, number: int, **more: object) -> str:
    """Note a release as the service does; its folder is nowhere."""
    id_ = f"{100 + number:032x}"
    of = {"policy": "p", "rubrics": "–", "dataset": "d", "suites": "s", "thresholds": "–"}
    detail = {
        "release_id": id_, "name": f"rel-{number}", "folder": "/nowhere", "evaluation_id": f"{number:032x}",
        "run_id": "r1", "outcome": "passed", "approver": "ben", "runner": "mira", "despite": "", "created_ms": number,
        "manifest_sha256": "a" * 64, "of": of,
    }  # fmt: skip
    context = app.store.write_context()

    def write(session: Any) -> None:
        events.log(session, context, MAKE, "Released", subject="release", detail={**detail, **more})

    app.store.write(write, "noting a release")
    return id_


def answered(running: Any, action: str, act: Callable[[Any], None]) -> None:
    """Run an action whose dialog ``act`` answers, and wait until it has."""
    seen: list[BaseException | None] = []

    def run(dialog: Any) -> bool:
        dialog.show()
        try:
            act(dialog)
            seen.append(None)
        except BaseException as error:  # noqa: BLE001 - raised again by the test
            seen.append(error)
            dialog.reject()
        return dialog.result() == dialog.DialogCode.Accepted

    running.dialogs.on_dialog = run
    running.context.actions.run(action)
    running.qtbot.waitUntil(lambda: bool(seen))
    if seen[0] is not None:
        raise seen[0]


def test_that_a_release_is_refused_with_the_reasons_of_the_gate(running: Any) -> None:
    def look(dialog: Any) -> None:
        said = " ".join(label.text() for label in dialog.findChildren(type(dialog.error)))
        assert "Sealed test: No sealed test was evaluated" in said and "Failure queue: 0 of" in said
        assert "keep this policy from being released" in dialog.error.text() and not dialog.make.isEnabled()
        dialog.despite.setFocus()
        QTest.keyClick(dialog.despite, Qt.Key.Key_Space)
        assert dialog.error.text() == "Say why it is released despite the gate."
        dialog.why.setText("A demonstration.")
        assert dialog.make.isEnabled() and dialog.request().despite == "A demonstration."
        QTest.keyClick(dialog, Qt.Key.Key_Escape)

    answered(running, "evaluate.release", look)
    assert running.context.services.releases.list() == []


def test_that_a_release_is_made_by_somebody_who_did_not_run_it_and_is_measured_again(
    running: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service, asked = running.context.services.releases, []
    draft = service.draft(f"{1:032x}")
    passing = replace(
        draft,
        decision=PASSED,
        runner="mira",
        approvers=(Approver("ben"), Approver("mira", "ran it")),
        thresholds=("harm v2",),
    )

    def make(request: Any, *, on_progress: Any, cancelled: Any) -> Outcome[Any]:
        on_progress(1, 2, "Writing the adapter")
        asked.append(request)
        if len(asked) == 1:
            raise UserError("There is too little room.", "Choose another folder.")
        note_release(running.context.services, 7)
        return Outcome(service.list()[0], Changes.RELEASES)

    def verify(release_id: str, *, on_progress: Any, cancelled: Any) -> Outcome[Any]:
        said = "12 numbers measured again: max |delta| 0.25 (unsafe v1, safe_refusal)."
        return Outcome(replace(service.get(release_id), verified=said), Changes.RELEASES)

    monkeypatch.setattr(service, "draft", lambda _: passing)
    monkeypatch.setattr(service, "make", make)
    monkeypatch.setattr(service, "verify", verify)

    def fill(dialog: Any) -> None:
        assert [dialog.approver.itemText(n) for n in range(dialog.approver.count())] == ["ben", "somebody else"]
        dialog.approver.setCurrentIndex(1)
        dialog.other.setText("Mira")
        assert dialog.error.text() == "Mira ran this evaluation and cannot approve its release."
        dialog.approver.setCurrentIndex(0)
        dialog.folder.setText(str(tmp_path))
        dialog.name.setText("kind 7")
        for box in (dialog.forms["gguf"], dialog.thresholds["harm v2"], dialog.verify):
            box.setFocus()
            QTest.keyClick(box, Qt.Key.Key_Space)
        QTest.keyClick(dialog, Qt.Key.Key_Return)
        running.qtbot.waitUntil(lambda: "too little room" in dialog.error.text())
        assert dialog.make.isEnabled()
        QTest.keyClick(dialog, Qt.Key.Key_Return)
        running.qtbot.waitUntil(lambda: dialog.result() == dialog.DialogCode.Accepted)

    answered(running, "evaluate.release", fill)
    page = running.page("evaluate")
    running.qtbot.waitUntil(lambda: page.releases.list.count() == 1)
    running.settle()
    request = asked[1]
    assert (request.approver, request.forms, request.thresholds) == ("ben", ("adapter", "gguf"), ("harm v2",))
    assert request.out == tmp_path / "kind-7" and request.despite == ""
    assert page.releases.list.item(0).text() == "rel-7\npassed, ben"
    (told,) = [notice for notice in running.context.notices.kept if "max |delta| 0.25" in notice.hint]
    assert told.level == "warn", "numbers that came out otherwise are no success"


def test_that_a_release_is_opened_and_withdrawn_by_keys(running: Any) -> None:
    note_release(running.context.services, 1)
    page = running.page("evaluate")
    page.refresh()
    running.qtbot.waitUntil(lambda: page.releases.list.count() == 1)

    def withdraw(dialog: Any) -> None:
        assert dialog.acts["withdraw"].isEnabled()
        dialog.acts["withdraw"].setFocus()
        QTest.keyClick(dialog.acts["withdraw"], Qt.Key.Key_Space)

    def run(dialog: Any) -> bool:
        dialog.show()
        withdraw(dialog)
        return True

    running.dialogs.on_dialog = run
    running.dialogs.answers.append("It flatters.")
    page.releases.list.setFocus()
    page.releases.list.setCurrentRow(0)
    QTest.keyClick(page.releases.list, Qt.Key.Key_Return)
    running.qtbot.waitUntil(lambda: page.releases.list.item(0).text() == "rel-1\nwithdrawn: It flatters.")
    assert running.context.services.releases.get("rel-1").withdrawn_by == "mira"


def test_that_two_cycles_are_compared_and_others_can_be_chosen(running: Any) -> None:
    services = running.context.services
    note_release(services, 1)
    note_release(services, 2)

    def look(dialog: Any) -> None:
        view = dialog.view
        running.qtbot.waitUntil(lambda: view.cycle is not None)
        assert (view.cycle.old.title, view.cycle.new.title) == ("dpo-b0.1-r16 E-1", "dpo-b0.1-r16 E-2")
        assert view.credit.text().startswith("Neither settings nor data changed")
        assert view.table.rowCount() == len(view.cycle.bought) > 5 and len(view.chart.rows) == 5
        assert next(row.cells[4] for row in view.table.rows if row.cells[1] == "ranking accuracy").endswith("n 6")
        for combo, words in ((view.old, "rel-1 (release)"), (view.new, "rel-2 (release)")):
            combo.setFocus()
            while combo.currentText() != words:
                QTest.keyClick(combo, Qt.Key.Key_Up)
        running.qtbot.waitUntil(lambda: view.cycle.old.title == "rel-1")
        assert view.cycle.new.kind == "release" and view.cycle.bought
        QTest.keyClick(dialog, Qt.Key.Key_Escape)

    answered(running, "evaluate.compare", look)
    page = running.page("evaluate")
    part = page.tabs.cycle
    page.tabs.setCurrentWidget(part)
    running.qtbot.waitUntil(lambda: part.view.cycle is not None)
    assert (part.view.cycle.old.title, part.view.cycle.new.title) == ("dpo-b0.1-r16 E-1", "dpo-b0.1-r16 E-2")
    titles = [part.view.parts.itemAt(n).widget().accessibleName() for n in range(part.view.parts.count())]
    assert titles == ["Policy", "Data", "Measurement"] and part.view.card.values().count("\n") == 6
    part.view.chart.setFocus()
    QTest.keyClick(part.view.chart, Qt.Key.Key_Right)
    QTest.keyClick(part.view.chart, Qt.Key.Key_Return)
    assert page.tabs.currentWidget() is page.tabs.items

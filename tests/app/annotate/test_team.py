"""The Team tab: what a lead sees, what every number opens, who is offered it, and the reviewers' dialog."""

from __future__ import annotations

import math
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.annotate import team_figures as figures
from app.annotate.mode_tabs import LABEL, TEAM, ModeTabs
from core.domain.estimate import Estimate
from core.domain.quality import ReviewerQuality
from core.services.annotation.views import QueueSettings
from tests.fakes.workspaces import opened, person, prefer


def make_team(path: Path) -> Path:
    """Make a workspace in which Ann and Bo labelled six pairs and differ on one."""
    with opened(path, 8) as app:
        for who, last in ((1, 2), (person(app.store, "Bo").id, -2)):
            queue = app.annotation.open_queue(QueueSettings(who, 1))
            for shown, strength in zip(app.annotation.next(queue, 6), (-2, 2, -1, 1, 2, last), strict=True):
                draft = prefer(strength, criteria={"help": strength}, process={"active_ms": 5000})
                app.annotation.commit(shown.presentation_uid, draft)
    return path


def choose(tabs: ModeTabs, title: str) -> None:
    """Click a tab."""
    place = next(n for n in range(tabs.count()) if tabs.tabText(n) == title)
    QTest.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(place).center())


def test_that_the_lead_sees_the_team_opens_its_pairs_and_alone_keeps_the_tab(tmp_path, main_window, qtbot):
    running = main_window(workspace=make_team(tmp_path / "ws"))
    page, context = running.page("annotate"), running.context
    context.navigate("annotate")
    running.settle()
    choose(page.tabs, "Team")
    view = page.team.view
    qtbot.waitUntil(lambda: view.report is not None)
    running.settle()
    assert context.actions.place == "team" and not page.header.isVisible() and view.tabs.tabText(2) == "Team"
    assert [one.name for one in view.reviewers.lines] == ["Ann", "Bo"]
    assert view.reviewers.lines[0].progress == "6 labelled + 0 skipped + 2 open"
    assert view.accounting.adds_up.text() == "✓ adds up by reviewer and rubric version"
    assert view.accounting.words.text() == "8 pairs = 6 labelled + 2 open"
    overall, clause = view.clauses.lines
    assert (overall.name, overall.pairs, overall.split, clause.name) == ("Overall verdict", "6", "17 %", "Helpful")
    assert view.cards["drift"].missing.text().startswith("Nobody has five gold answers")
    assert [button.text() for button in view.looks.buttons] == ["1 pair"]

    # A key of labelling does nothing here, and the keyboard reaches a number that opens its pairs.
    before = context.services.workspace.info().counts["judgements"]
    QTest.keyClick(running.window, Qt.Key.Key_1)
    view.clauses.setFocus()
    for _ in range(2):
        QTest.keyClick(view.clauses, Qt.Key.Key_Right)
    QTest.keyClick(view.clauses, Qt.Key.Key_Return)
    running.settle()
    assert running.window.stack.place == "data" and context.services.workspace.info().counts["judgements"] == before
    data = running.page("data")
    qtbot.waitUntil(lambda: data.table.count in (1, 6))

    # The numbers as tables, and as a file of all judgements.
    context.navigate("annotate")
    running.settle()
    assert page.team.on
    context.actions.run("team.table")
    rows = [row.cells for row in view.cards["clauses"].table.rows]
    assert rows[0][:2] == ("Overall verdict", "1.0.0") and rows[0][3] == "6"
    running.dialogs.answers.append(tmp_path / "out.csv")
    context.actions.run("team.export")
    running.settle()
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").count("\n") == 13

    # Bo is named the lead in the dialog; nobody sits at this desk, so the tab goes.
    def dialog_open(dialog):
        qtbot.waitUntil(lambda: len(dialog.people) == 2)
        dialog.list.setCurrentRow(1)
        assert dialog.chosen.name == "Bo" and dialog.switch.isEnabled()
        dialog.make_lead.click()
        qtbot.waitUntil(lambda: dialog.lead == dialog.chosen.id)
        running.dialogs.answers.append("Cy")
        dialog.add.click()
        qtbot.waitUntil(lambda: len(dialog.people) == 3)
        dialog.list.setCurrentRow(2)
        assert (dialog.chosen.name, dialog.leave.text()) == ("Cy", "&Deactivate")
        dialog.leave.click()
        qtbot.waitUntil(lambda: dialog.inactive == {dialog.chosen.id})
        assert dialog.list.item(2).text().endswith("inactive") and dialog.leave.text() == "Make &active"
        running.dialogs.answers.append("MIT")
        dialog.licence.click()
        qtbot.waitUntil(lambda: dialog.list.item(2).text() == "Cy · 0 labels · MIT · inactive")
        dialog.sign_off.click()
        qtbot.waitUntil(lambda: context.services.datasets.sign_off().wanted)
        return True

    running.dialogs.on_dialog = dialog_open
    context.actions.run("team.reviewers")
    qtbot.waitUntil(lambda: not page.team.on)
    running.settle()
    assert not page.tabs.isTabVisible(2) and page.header.isVisible() and context.actions.place == "annotate"
    bo = context.services.reviewers.find("Bo")
    context.session.set_reviewer(bo.id, bo.name)
    qtbot.waitUntil(lambda: page.tabs.isTabVisible(2))

    # A freeze needs the name of another than Bo, who labelled last; Cy is inactive.
    def freeze(dialog):
        qtbot.waitUntil(lambda: "Bo" in dialog.freeze.toolTip())
        assert [dialog.form.signers.itemText(n) for n in range(dialog.form.signers.count())] == ["nobody yet", "Ann"]
        assert not dialog.freeze.isEnabled()
        dialog.form.consent.setChecked(False)
        dialog.form.licences.set_checked(("MIT",))
        table = dialog.plan.table
        qtbot.waitUntil(lambda: table.rowCount() == 1 and table.item(0, 1).text().startswith("no source with an acc"))
        dialog.form.licences.set_checked(())
        dialog.form.signers.setCurrentIndex(1)
        qtbot.waitUntil(dialog.freeze.isEnabled)
        return True

    running.dialogs.on_dialog = freeze
    running.page("data")
    context.actions.run("data.freeze")
    qtbot.waitUntil(lambda: [one.signed_off_by for one in context.services.datasets.list()] == ["Ann"])
    running.settle()


def test_that_a_strip_of_tabs_always_shows_its_own_mode_as_chosen(qtbot):
    tabs = ModeTabs(LABEL)
    qtbot.addWidget(tabs)
    chosen = []
    tabs.mode_chosen.connect(chosen.append)
    tabs.setCurrentIndex(2)
    assert chosen == [TEAM] and tabs.currentIndex() == 0
    QTest.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    assert chosen == [TEAM]


def quality(**measures: Estimate) -> ReviewerQuality:
    """Return a reviewer with these numbers."""
    return ReviewerQuality(1, "R1", "human", 10, 0.5, {}, dict(measures), {"left": (3, 2)})


def test_that_a_number_beyond_its_limit_is_marked_and_one_without_interval_is_not():
    left = Estimate(0.58, 0.54, 0.62, 541, "", "share; Wilson 95 %")
    gold = Estimate(0.7, 0.6, 0.78, 80, "", "share; Wilson 95 %")
    mark = figures._mark(quality(left=left), "left", left, alarm=True)
    assert (mark.head, mark.foot, mark.alarm) == ("58 %", "314 / 541", True)
    assert mark.place is not None and mark.place.pair_ids == (3, 2)
    assert figures._mark(quality(), "gold", gold, alarm=False).alarm
    short = Estimate(0.7, math.nan, math.nan, 3, "", "share; n too small")
    assert not figures._mark(quality(), "gold", short, alarm=False).alarm
    assert figures.value_words(short) == ".70 (n too small)"
    assert figures.value_words(left) == ".58 [.54, .62]"
    unknown = Estimate(math.nan, math.nan, math.nan, 3, "", "undefined: only one verdict occurs")
    assert figures._mark(quality(), "gold", unknown, alarm=False).head == "–"

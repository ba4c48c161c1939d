"""The labelling screen by keyboard, against a real workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from core.domain.judgement import Verdict, from_screen
from core.services.application import Application

KEYS = {
    Qt.Key.Key_1: -3,
    Qt.Key.Key_2: -2,
    Qt.Key.Key_3: -1,
    Qt.Key.Key_4: 0,
    Qt.Key.Key_5: 1,
    Qt.Key.Key_6: 2,
    Qt.Key.Key_7: 3,
    Qt.Key.Key_0: None,
}


def make_workspace(path: Path, pairs: int = 24) -> Path:
    """Make a workspace with unlabelled pairs, a published rubric of seven points and a reviewer."""
    with Application.open(path, create=True) as app:
        source = path.parent / "pairs.jsonl"
        rows = ({"prompt": f"Question {i}?", "chosen": f"First {i}.", "rejected": f"Second {i}."} for i in range(pairs))
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        app.imports.run(source)
        template = next(t for t in app.rubrics.templates() if t.body.scale == 7)
        app.rubrics.publish(app.rubrics.create("House rules", template.body).value.id)
        app.reviewers.add("mira")
    return path


@pytest.fixture
def labelling(main_window, tmp_path, qtbot):
    """Return the window with the first pair on the labelling screen, and its page."""
    running = main_window(workspace=make_workspace(tmp_path / "ws"))
    mira = next(r for r in running.context.services.reviewers.list() if r.name == "mira")
    running.context.session.set_reviewer(mira.id, mira.name)
    page = running.page("annotate")
    qtbot.waitUntil(lambda: page.desk.current is not None)
    page.first_focus().setFocus()
    return running, page


def current_labels(running):
    """Return the reviewer's labels that count, newest first."""
    return running.context.services.annotation.recent(running.context.session.reviewer_id, 100)


def answer(qtbot, running, page, key):
    """Strike a verdict key and Enter; returns the showing that was answered, once it is stored."""
    shown = page.desk.current
    qtbot.keyClick(page.window(), key)
    qtbot.keyClick(page.window(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.commits.under_way == 0 and page.desk.current is not None)
    return shown


def test_that_twenty_pairs_are_labelled_by_keys_and_stored_in_canonical_sides(labelling, qtbot):
    running, page = labelling
    keys = (list(KEYS) * 3)[:20]
    given = [(answer(qtbot, running, page, key), KEYS[key]) for key in keys]
    stored = {label.pair_id: label.draft for label in current_labels(running)}
    assert len(stored) == 20
    for shown, screen in given:
        draft = stored[shown.pair_id]
        if screen is None:
            assert draft.verdict is Verdict.NEITHER and draft.strength is None
        elif screen == 0:
            assert draft.verdict is Verdict.TIE
        else:
            assert draft.verdict is Verdict.PREFER
            assert draft.strength == from_screen(screen, shown.left_is)
    assert {shown.left_is for shown, _ in given} == {"A", "B"}


def test_that_a_second_enter_labels_nothing(labelling, qtbot):
    running, page = labelling
    running.context.settings.set("annotate.guard_ms", 2000)
    page.commits.clock = lambda: 0.0
    qtbot.keyClick(page.window(), Qt.Key.Key_1)
    qtbot.keyClick(page.window(), Qt.Key.Key_Return)
    qtbot.keyClick(page.window(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.commits.under_way == 0)
    assert len(current_labels(running)) == 1
    assert page.desk.current is not None and not page.desk.answer.complete


def test_that_undo_brings_the_pair_back_and_redo_labels_it_again(labelling, qtbot):
    running, page = labelling
    shown = answer(qtbot, running, page, Qt.Key.Key_7)
    following = page.desk.current.pair_id
    running.settle()
    qtbot.keyClick(page.window(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.desk.current.pair_id == shown.pair_id)
    assert current_labels(running) == []
    assert page.desk.answer.strength == 3 and page.desk.current.left_is == shown.left_is
    running.settle()
    qtbot.keyClick(page.window(), Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.desk.current.pair_id == following)
    assert [label.draft.strength for label in current_labels(running)] == [from_screen(3, shown.left_is)]


def test_that_criteria_and_rationale_are_given_without_the_mouse(labelling, qtbot):
    running, page = labelling
    window, shown = page.window(), page.desk.current
    first = page.panel.rows[0].criterion.id
    qtbot.keyClick(window, Qt.Key.Key_J)
    assert page.panel.focused_id == first
    qtbot.keyClick(window, Qt.Key.Key_2)
    assert page.desk.answer.criteria == {first: -2} and page.desk.answer.verdict is None
    while page.panel.focused >= 0:
        qtbot.keyClick(window, Qt.Key.Key_K)
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(page.panel.rationale.hasFocus)
    qtbot.keyClicks(page.panel.rationale, "7 is shorter")
    assert page.desk.answer.verdict is None
    qtbot.keyClick(page.panel.rationale, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not page.panel.rationale.hasFocus())
    answer(qtbot, running, page, Qt.Key.Key_6)
    (label,) = current_labels(running)
    assert label.draft.criteria == {first: from_screen(-2, shown.left_is)}
    assert label.draft.rationale == "7 is shorter"
    assert label.draft.strength == from_screen(2, shown.left_is)


def test_that_the_page_says_what_is_missing(main_window, tmp_path, qtbot):
    running = main_window(workspace=tmp_path / "empty", create=True)
    page = running.page("annotate")
    running.settle()
    assert page.desk.current is None
    assert not running.context.actions.action("annotate.submit").isEnabled()


def test_that_the_page_fits_a_small_window(labelling):
    _, page = labelling
    hint = page.window().minimumSizeHint()
    assert hint.width() <= 1024 and hint.height() <= 700

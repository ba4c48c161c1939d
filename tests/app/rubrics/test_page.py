"""Rubrics: from a draft to a published version to the next one."""

from __future__ import annotations

from core.domain.rubric import RubricState


def test_that_a_draft_is_published_and_followed_by_the_next_version(main_window, tmp_path, qtbot):
    desk = main_window(workspace=tmp_path / "ws", create=True)
    page, run = desk.page("rubrics"), desk.context.actions.run
    desk.settle()
    desk.dialogs.answers += [0, "House rules"]
    run("rubrics.new")
    qtbot.waitUntil(lambda: page._version is not None and page._version.state is RubricState.DRAFT)
    page.editor.purpose.setPlainText("Say which answer serves the reader.")
    desk.dialogs.answers.append("Publish")
    run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED)
    assert page._version.number == "1.0.0"
    assert page._version.body.purpose == "Say which answer serves the reader."
    run("rubrics.draft")
    qtbot.waitUntil(lambda: page._version.state is RubricState.DRAFT)
    page.editor.purpose.setPlainText("Say which answer serves the reader better.")
    desk.dialogs.answers += [1, "A clearer sentence."]
    run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED)
    assert page._version.number == "1.1.0"
    (summary,) = [s for s in desk.context.services.rubrics.list() if s.name == "House rules"]
    assert [v.number for v in summary.versions] == ["1.0.0", "1.1.0"]


def drafted(main_window, tmp_path, qtbot):
    """Return a window with a fresh draft on the Rubrics page, and the page."""
    desk = main_window(workspace=tmp_path / "ws", create=True)
    page = desk.page("rubrics")
    desk.settle()
    desk.dialogs.answers += [0, "House rules"]
    desk.context.actions.run("rubrics.new")
    qtbot.waitUntil(lambda: page._version is not None and page._version.state is RubricState.DRAFT)
    desk.settle()
    return desk, page


def stored(desk, page):
    """Return the body of the draft as it is stored."""
    return desk.context.services.rubrics.version(page._version.id).body


def test_that_saving_leaves_the_cursor_where_it_was(main_window, tmp_path, qtbot):
    desk, page = drafted(main_window, tmp_path, qtbot)
    card = page.editor.cards[0]
    card.name.setFocus()
    card.name.setText("Steps")
    desk.context.actions.run("rubrics.save")
    qtbot.waitUntil(lambda: stored(desk, page).criteria[0].name == "Steps")
    desk.settle()
    assert page.editor.cards[0] is card and card.name.hasFocus()


def test_that_a_draft_is_saved_when_another_page_or_version_is_shown(main_window, tmp_path, qtbot):
    desk, page = drafted(main_window, tmp_path, qtbot)
    page.editor.purpose.setPlainText("Written a moment ago.")
    desk.window.navigate("home")
    qtbot.waitUntil(lambda: stored(desk, page).purpose == "Written a moment ago.")
    desk.settle()


def test_that_worked_examples_are_written_in_the_form(main_window, tmp_path, qtbot):
    desk, page = drafted(main_window, tmp_path, qtbot)
    before = len(page.editor.examples)
    page.editor.add_example()
    page.editor.examples[-1].first_field.setPlainText("How do I stop a tap?")
    desk.context.actions.run("rubrics.save")
    qtbot.waitUntil(lambda: len(stored(desk, page).examples) == before + 1)
    assert stored(desk, page).examples[-1].prompt == "How do I stop a tap?"
    page.editor.examples[-1].removed.emit()
    desk.context.actions.run("rubrics.save")
    qtbot.waitUntil(lambda: len(stored(desk, page).examples) == before)


def test_that_a_comparison_names_both_versions_and_leads_back(main_window, tmp_path, qtbot):
    desk, page = drafted(main_window, tmp_path, qtbot)
    run = desk.context.actions.run
    desk.dialogs.answers.append("Publish")
    run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED)
    run("rubrics.draft")
    qtbot.waitUntil(lambda: page._version.state is RubricState.DRAFT)
    desk.settle()
    page.editor.purpose.setPlainText("Another purpose.")
    desk.dialogs.answers.append(0)
    run("rubrics.diff")
    qtbot.waitUntil(lambda: "Another purpose." in page.reader.toPlainText())
    assert "From House rules 1.0.0 to House rules" in page.reader.toPlainText()
    page._back.click()
    desk.settle()
    assert page._forms.currentIndex() == 1 and page.editor.purpose.toPlainText() == "Another purpose."

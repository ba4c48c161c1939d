"""Rubrics: from a draft to a published version to the next one."""

from __future__ import annotations

from types import SimpleNamespace

from app.rubrics import presenter
from core.domain.rubric import RubricState
from core.services.rubrics.service import RubricSummary
from core.store import change_requests


def test_that_a_draft_is_published_and_followed_by_the_next_version(main_window, tmp_path, qtbot):
    running = main_window(workspace=tmp_path / "ws", create=True, place="rubrics")
    page, run = running.page("rubrics"), running.context.actions.run
    running.settle()
    running.dialogs.answers += [0, "House rules"]
    run("rubrics.new")
    qtbot.waitUntil(lambda: page._version is not None and page._version.state is RubricState.DRAFT)
    page.editor.purpose.setPlainText("Say which answer serves the reader.")
    running.dialogs.answers.append("Publish")
    run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED)
    assert page._version.number == "1.0.0"
    assert page._version.body.purpose == "Say which answer serves the reader."
    run("rubrics.draft")
    qtbot.waitUntil(lambda: page._version.state is RubricState.DRAFT)
    page.editor.purpose.setPlainText("Say which answer serves the reader better.")
    running.dialogs.answers += [1, "A clearer sentence."]
    run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED)
    assert page._version.number == "1.1.0"
    (summary,) = [s for s in running.context.services.rubrics.list() if s.name == "House rules"]
    assert [v.number for v in summary.versions] == ["1.0.0", "1.1.0"]


def drafted(main_window, tmp_path, qtbot):
    """Return a window with a fresh draft on the Rubrics page, and the page."""
    running = main_window(workspace=tmp_path / "ws", create=True, place="rubrics")
    page = running.page("rubrics")
    running.settle()
    running.dialogs.answers += [0, "House rules"]
    running.context.actions.run("rubrics.new")
    qtbot.waitUntil(lambda: page._version is not None and page._version.state is RubricState.DRAFT)
    running.settle()
    return running, page


def stored(running, page):
    """Return the body of the draft as it is stored."""
    return running.context.services.rubrics.version(page._version.id).body


def test_that_saving_leaves_the_cursor_where_it_was(main_window, tmp_path, qtbot):
    running, page = drafted(main_window, tmp_path, qtbot)
    card = page.editor.cards[0]
    card.name.setFocus()
    card.name.setText("Steps")
    running.context.actions.run("rubrics.save")
    qtbot.waitUntil(lambda: stored(running, page).criteria[0].name == "Steps")
    running.settle()
    assert page.editor.cards[0] is card and card.name.hasFocus()


def test_that_a_draft_is_saved_when_another_page_or_version_is_shown(main_window, tmp_path, qtbot):
    running, page = drafted(main_window, tmp_path, qtbot)
    page.editor.purpose.setPlainText("Written a moment ago.")
    running.window.navigate("home")
    qtbot.waitUntil(lambda: stored(running, page).purpose == "Written a moment ago.")
    running.settle()


def test_that_worked_examples_are_written_in_the_form(main_window, tmp_path, qtbot):
    running, page = drafted(main_window, tmp_path, qtbot)
    before = len(page.editor.examples)
    page.editor.add_example()
    page.editor.examples[-1].first_field.setPlainText("How do I stop a tap?")
    running.context.actions.run("rubrics.save")
    qtbot.waitUntil(lambda: len(stored(running, page).examples) == before + 1)
    assert stored(running, page).examples[-1].prompt == "How do I stop a tap?"
    page.editor.examples[-1].removed.emit()
    running.context.actions.run("rubrics.save")
    qtbot.waitUntil(lambda: len(stored(running, page).examples) == before)


def test_that_a_comparison_names_both_versions_and_leads_back(main_window, tmp_path, qtbot):
    running, page = drafted(main_window, tmp_path, qtbot)
    run = running.context.actions.run
    running.dialogs.answers.append("Publish")
    run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED)
    run("rubrics.draft")
    qtbot.waitUntil(lambda: page._version.state is RubricState.DRAFT)
    running.settle()
    page.editor.purpose.setPlainText("Another purpose.")
    running.dialogs.answers.append(0)
    run("rubrics.diff")
    qtbot.waitUntil(lambda: "Another purpose." in page.reader.toPlainText())
    assert "From House rules 1.0.0 to House rules" in page.reader.toPlainText()
    page._back.click()
    running.settle()
    assert page._forms.currentIndex() == 1 and page.editor.purpose.toPlainText() == "Another purpose."


def test_that_a_rubric_found_by_the_palette_is_shown_with_its_newest_version(main_window, tmp_path, qtbot):
    running, page = drafted(main_window, tmp_path, qtbot)
    (summary,) = [s for s in running.context.services.rubrics.list() if s.name == "House rules"]
    other = running.context.services.rubrics.create("Other rules", summary.versions[0].body).value
    running.window.navigate("rubrics", rubric_id=other.rubric_id)
    qtbot.waitUntil(lambda: page._version.id == other.id)
    running.window.navigate("rubrics", version_id=summary.versions[0].id)
    qtbot.waitUntil(lambda: page._version.id == summary.versions[0].id)
    running.settle()


def test_that_a_change_without_a_note_is_not_published(main_window, tmp_path, qtbot):
    running, page = drafted(main_window, tmp_path, qtbot)
    running.dialogs.answers.append("Publish")
    running.context.actions.run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED)
    running.context.actions.run("rubrics.draft")
    qtbot.waitUntil(lambda: page._version.state is RubricState.DRAFT)
    running.context.actions.run("rubrics.publish")
    assert "says the same as House rules 1.0.0" in running.context.notices.kept[0].text
    page.editor.purpose.setPlainText("Another purpose.")
    running.dialogs.answers += [0, ""]
    running.context.actions.run("rubrics.publish")
    qtbot.waitUntil(lambda: "needs a note" in running.context.notices.kept[0].text)
    assert "House rules 2.0.0: No label is concerned." in running.dialogs.asked[-1]
    assert page._version.state is RubricState.DRAFT
    running.settle()


def test_that_a_draft_with_a_fault_is_not_asked_about_and_its_field_is_shown(main_window, tmp_path, qtbot):
    running, page = drafted(main_window, tmp_path, qtbot)
    page.editor.add_criterion()
    page.editor.purpose.setFocus()
    asked = list(running.dialogs.asked)
    running.context.actions.run("rubrics.publish")
    assert running.dialogs.asked == asked and page._version.state is RubricState.DRAFT
    assert page.editor.cards[-1].name.hasFocus() and "has no name" in page.editor.problems.text()
    running.settle()


def test_that_counts_of_labels_are_read_as_sentences():
    summary = RubricSummary(1, "House rules", [], {7: 1, 8: 1500}, 1, False)
    version = SimpleNamespace(id=7, number="2.0.0", state=RubricState.PUBLISHED)
    text = "1 label was made under it · 1 label is stale after a major change"
    assert presenter.usage_text(summary, version) == text
    assert presenter.version_line(version, 1500) == "2.0.0 · 1,500 labels"


def test_that_open_change_requests_become_the_note_of_the_next_draft(main_window, tmp_path, qtbot):
    running, page = drafted(main_window, tmp_path, qtbot)
    running.dialogs.answers.append("Publish")
    running.context.actions.run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED)
    version, store = page._version, running.context.services.store
    author, context = running.context.services.reviewers.add("lead").value.id, store.write_context()
    clause = version.body.criteria[0]
    asked = (version.rubric_id, clause.id, "Say how.", None, author)
    store.write(lambda session: change_requests.ask(session, *asked, context), "asking")
    page.show_item(version_id=version.id)
    qtbot.waitUntil(lambda: "1 change request is open" in page._used.text())
    running.dialogs.answers.append("Take them into the draft")
    running.context.actions.run("rubrics.draft")
    qtbot.waitUntil(lambda: page._version.state is RubricState.DRAFT)
    assert page._version.change_note == f"{clause.name}: Say how."
    assert "1 change request from adjudication" in running.dialogs.asked[-1]
    running.settle()

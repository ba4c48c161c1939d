"""Rubrics: from a draft to a published version to the next one."""

from __future__ import annotations

from core.domain.rubric import RubricState


def test_that_a_draft_is_published_and_followed_by_the_next_version(main_window, tmp_path, qtbot):
    desk = main_window(workspace=tmp_path / "ws", create=True)
    page, run = desk.page("rubrics"), desk.context.actions.run
    desk.settle()
    desk.dialogs.answers += [0, "House rules"]
    run("rubrics.new")
    qtbot.waitUntil(lambda: page._version is not None and page._version.state is RubricState.DRAFT, timeout=10_000)
    page.editor.purpose.setPlainText("Say which answer serves the reader.")
    desk.dialogs.answers.append("Publish")
    run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED, timeout=10_000)
    assert page._version.number == "1.0.0"
    assert page._version.body.purpose == "Say which answer serves the reader."
    run("rubrics.draft")
    qtbot.waitUntil(lambda: page._version.state is RubricState.DRAFT, timeout=10_000)
    page.editor.purpose.setPlainText("Say which answer serves the reader better.")
    desk.dialogs.answers += [1, "A clearer sentence."]
    run("rubrics.publish")
    qtbot.waitUntil(lambda: page._version.state is RubricState.PUBLISHED, timeout=10_000)
    assert page._version.number == "1.1.0"
    (summary,) = [s for s in desk.context.services.rubrics.list() if s.name == "House rules"]
    assert [v.number for v in summary.versions] == ["1.0.0", "1.1.0"]

"""Bundles in the window: slots go to a desk as a file, the desk sends back, files and a shared folder are merged."""

from __future__ import annotations

from core.domain.batch import BatchPolicy
from tests.fakes.workspaces import opened, prefer


def test_that_slots_go_to_a_desk_come_back_and_are_merged_from_files_and_a_folder(tmp_path, main_window, qtbot):
    home, inbox = tmp_path / "home", tmp_path / "inbox"
    inbox.mkdir()
    with opened(home, 4) as app:
        app.batches.create("June", 1, BatchPolicy((1,), gold_share=0, retest_share=0, second_share=0), 1)
    running = main_window(workspace=home)
    context, dialogs, work = running.context, running.dialogs, tmp_path / "ann.bundle"
    page = running.page("annotate")
    running.settle()

    def export(dialog):
        qtbot.waitUntil(lambda: dialog.queue.currentText() == "Ann in June: 4 open slots")
        dialogs.answers.append(work)
        dialog.export.click()
        qtbot.waitUntil(lambda: dialog.told.text() == "4 slots of Ann written to ann.bundle.")
        qtbot.waitUntil(lambda: [row.cells[:3] for row in dialog.out.rows] == [("Ann", "June", "4")])
        assert dialog.queue.currentText() == "Ann in June: 0 open slots, 4 on a desk"
        return False

    dialogs.on_dialog = export
    context.actions.run("annotate.bundles")
    running.settle()

    # The file becomes a desk, which this window opens; there two pairs are labelled and sent back.
    dialogs.answers += [work, tmp_path]
    context.actions.run("global.desk")
    qtbot.waitUntil(
        lambda: running.app.switch.current is not None and running.app.switch.current.folder.name == "desk ann"
    )
    running.settle()
    qtbot.waitUntil(lambda: running.context.session.reviewer_name == "Ann")
    desk = running.context.services
    queue = desk.annotation.open_queue(desk.batches.queue(1, 1))
    for view in desk.annotation.next(queue, 2):
        desk.annotation.commit(view.presentation_uid, prefer(2))
    desk.annotation.close_queue(queue)
    page = running.page("annotate")
    running.settle()

    def send_back(dialog):
        qtbot.waitUntil(lambda: dialog.about_desk.text().startswith("A desk of Ann with 4 slots of June."))
        dialogs.answers.append(tmp_path / "1.bundle")
        dialog.send.click()
        qtbot.waitUntil(lambda: dialog.told.text().startswith("2 judgements of Ann written to 1.bundle"))
        return False

    dialogs.on_dialog = send_back
    running.context.actions.run("annotate.bundles")
    running.settle()

    # At home the file is merged, a second time it is known, and a file of slots is refused with the reason.
    running.app.switch.open(home)
    qtbot.waitUntil(lambda: running.app.switch.current is not None and running.app.switch.current.folder == home)
    running.settle()
    page = running.page("annotate")
    running.settle()
    watched = page.team.batches.watched

    def merge(dialog):
        qtbot.waitUntil(lambda: bool(dialog.out.rows))
        dialogs.answers.append([tmp_path / "1.bundle", work])
        dialog.merge.click()
        qtbot.waitUntil(lambda: dialog.told.text() == "2 files = 1 merged + 0 known + 1 refused.")
        first, second = (row.cells for row in dialog.merged.rows)
        assert first == ("1.bundle", "merged 2", "Ann in June: 2 labels")
        assert second[:2] == ("ann.bundle", "refused") and "slots to label" in second[2]
        (inbox / "again.bundle").write_bytes((tmp_path / "1.bundle").read_bytes())
        (inbox / "ann.bundle").write_bytes(work.read_bytes())
        dialogs.answers.append(inbox)
        dialog.watch.click()
        qtbot.waitUntil(lambda: not watched._busy)
        assert dialog.watch.text() == "Stop &watching" and len(dialog.merged.rows) == 2, "what is known is no news"
        broken = (tmp_path / "1.bundle").read_bytes().replace(b'"verdict"', b'"Verdict"', 1)
        (inbox / "broken.bundle").write_bytes(broken)
        watched.look()
        qtbot.waitUntil(lambda: len(dialog.merged.rows) == 3)
        assert dialog.merged.rows[0].cells[:2] == ("broken.bundle", "refused")
        dialog.watch.click()
        assert watched.folder is None
        return False

    dialogs.on_dialog = merge
    running.context.actions.run("annotate.bundles")
    running.settle()
    assert running.context.services.batches.state(1).slots.labelled == 2

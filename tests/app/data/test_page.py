"""Data: import through the dialog, filters, freeze."""

from __future__ import annotations

import json


def test_that_a_file_is_imported_filtered_and_frozen(main_window, tmp_path, qtbot):
    source = tmp_path / "mine.jsonl"
    rows = [{"prompt": f"Question {i}?", "chosen": f"Good {i}.", "rejected": f"Bad {i}."} for i in range(12)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    desk = main_window(workspace=tmp_path / "ws", create=True)
    page, run = desk.page("data"), desk.context.actions.run
    desk.settle()
    assert page._stack.currentIndex() == 0
    desk.dialogs.answers.append(source)
    desk.dialogs.on_dialog = lambda dialog: dialog.go.isEnabled()
    run("data.import")
    qtbot.waitUntil(lambda: page.table.count == 12, timeout=20_000)
    page.search.setText("Question 11?")
    qtbot.waitUntil(lambda: page.table.count == 1, timeout=10_000)
    run("data.clear_filters")
    qtbot.waitUntil(lambda: page.table.count == 12, timeout=10_000)

    def wants_freeze(dialog):
        dialog.name.setText("mine")
        dialog.weights.setCurrentText("By strength and agreement")
        dialog.targets.setCurrentText("Read from the strength")
        return True

    desk.dialogs.on_dialog = wants_freeze
    run("data.freeze")
    qtbot.waitUntil(lambda: len(page.datasets.versions) == 1, timeout=20_000)
    desk.settle()
    version = page.datasets.versions[0]
    assert version.policy.strength_weights and version.policy.agreement_weights
    assert version.policy.strength_targets and not version.policy.soft_targets
    assert version.name == "mine" and page.tabs.currentIndex() == 1
    assert version.root_sha256 in page.datasets.manifest.toPlainText()

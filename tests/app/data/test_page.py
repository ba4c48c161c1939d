"""Data: import through the dialog, filters, freeze."""

from __future__ import annotations

import json
import threading

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel

from app.data.bar_list import BarButton
from app.data.import_dialog import ImportOptions
from app.data.preview import said
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput
from core.domain.judgement import JudgementDraft, Verdict
from core.services.application import Application
from tests.patience import LIMIT_S


def test_that_a_file_is_imported_filtered_and_frozen(main_window, tmp_path, qtbot):
    source = tmp_path / "mine.jsonl"
    rows = [{"prompt": f"Question {i}?", "chosen": f"Good {i}.", "rejected": f"Bad {i}."} for i in range(12)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True)
    page, run = running.page("data"), running.context.actions.run
    running.settle()
    assert page._stack.currentIndex() == 0
    running.dialogs.answers.append(source)
    running.dialogs.on_dialog = lambda dialog: dialog.go.isEnabled()
    run("data.import")
    qtbot.waitUntil(lambda: page.table.count == 12)
    page.search.setText("Question 11?")
    qtbot.waitUntil(lambda: page.table.count == 1)
    run("data.clear_filters")
    qtbot.waitUntil(lambda: page.table.count == 12)

    def wants_freeze(dialog):
        dialog.form.name.setText("mine")
        dialog.form.weights.setCurrentText("By strength and agreement")
        dialog.form.targets.setCurrentText("Read from the strength")
        return True

    running.dialogs.on_dialog = wants_freeze
    run("data.freeze")
    qtbot.waitUntil(lambda: len(page.datasets.versions) == 1)
    running.settle()
    version = page.datasets.versions[0]
    assert version.policy.strength_weights and version.policy.agreement_weights
    assert version.policy.strength_targets and not version.policy.soft_targets
    assert version.name == "mine" and page.tabs.currentIndex() == 1
    qtbot.waitUntil(lambda: page.datasets.view is not None and page.datasets.view.version.id == version.id)


def filled(main_window, tmp_path, qtbot, rows=6):
    """Return a window with imported pairs on the Data page, and the page."""
    source = tmp_path / "mine.jsonl"
    lines = [{"prompt": f"Question {i}?", "chosen": f"Good {i}.", "rejected": f"Bad {i}."} for i in range(rows)]
    source.write_text("".join(json.dumps(row) + "\n" for row in [*lines, {"prompt": "no answers"}]), encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("data")
    running.settle()
    page.imports.start(source, ImportOptions())
    qtbot.waitUntil(lambda: page.table.count == rows)
    running.settle()
    return running, page


def test_that_an_import_says_how_its_rows_add_up_and_where_the_rejected_are(main_window, tmp_path, qtbot):
    running, page = filled(main_window, tmp_path, qtbot)
    (said,) = [n for n in running.context.notices.kept if "rows:" in n.text]
    assert "7 rows: 6 imported, 0 stored already, 1 rejected" in said.text
    assert said.action == "Open the list" and not page.progress.isVisible()


def test_that_a_filter_that_finds_nothing_says_so_and_is_cleared_by_its_button(main_window, tmp_path, qtbot):
    running, page = filled(main_window, tmp_path, qtbot)
    page.search.setText("nowhere to be found")
    qtbot.waitUntil(lambda: page.pairs.stack.currentIndex() == 1)
    assert not running.context.actions.action("data.label").isEnabled()
    page.pairs.stack.widget(1).buttons[0].click()
    qtbot.waitUntil(lambda: page.pairs.stack.currentIndex() == 0 and page.table.count == 6)
    running.settle()


def test_that_the_freeze_dialog_lists_what_is_left_out_and_needs_a_name(main_window, tmp_path, qtbot):
    running, _ = filled(main_window, tmp_path, qtbot)
    seen = {}

    def look(dialog):
        qtbot.waitUntil(dialog.freeze.isEnabled)
        dialog.form.min_strength.setValue(3.0)
        qtbot.waitUntil(lambda: dialog.plan.table.rowCount() > 0)
        seen["reason"] = dialog.plan.table.item(0, 1).text()
        seen["nothing"] = dialog.freeze.isEnabled()
        dialog.form.min_strength.setValue(1.0)
        qtbot.waitUntil(dialog.freeze.isEnabled)
        dialog.form.name.setText("  ")
        seen["nameless"] = dialog.freeze.isEnabled()
        return False

    running.dialogs.on_dialog = look
    running.context.actions.run("data.freeze")
    qtbot.waitUntil(lambda: "nameless" in seen)
    running.settle()
    assert "strength" in seen["reason"] and not seen["nothing"] and not seen["nameless"]


def test_that_a_freeze_can_take_some_sources_and_reviewers_only(main_window, tmp_path, qtbot):
    running, page = filled(main_window, tmp_path, qtbot)
    other = tmp_path / "other.jsonl"
    lines = [{"prompt": f"Another {i}?", "chosen": f"Good {i}.", "rejected": f"Bad {i}."} for i in range(3)]
    other.write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    page.imports.start(other, ImportOptions())
    qtbot.waitUntil(lambda: page.table.count == 9)
    running.settle()
    seen = {}

    def look(dialog):
        qtbot.waitUntil(lambda: dialog._items == 9)
        seen["folded"] = not dialog.form.only.is_open
        source = next(s for s in running.context.services.pairs.sources() if s.name.startswith("other"))
        dialog.form.sources.set_checked((source.id,))
        qtbot.waitUntil(lambda: dialog._items == 3)
        stranger = next(r for r in running.context.services.reviewers.list() if "mine" in r.name)
        dialog.form.reviewers.set_checked((stranger.id,))
        qtbot.waitUntil(lambda: dialog._items == 0)
        seen["title"] = dialog.form.only._button.text()
        seen["policy"] = (dialog.form.policy().source_ids, dialog.form.policy().reviewer_ids) == (
            (source.id,),
            (stranger.id,),
        )
        dialog.form.texts.set_checked(("mojibake",))
        seen["texts"] = (dialog.form.by_text._button.text(), dialog.form.policy().drop_text_flags)
        return False

    running.dialogs.on_dialog = look
    running.context.actions.run("data.freeze")
    qtbot.waitUntil(lambda: "texts" in seen)
    running.settle()
    assert seen.pop("texts") == ("Leave out by text: 1 chosen", ("mojibake",))
    assert seen == {"folded": True, "title": "Only some sources or reviewers: 2 chosen", "policy": True}


def test_that_two_dataset_versions_are_compared_item_by_item(main_window, tmp_path, qtbot):
    running, page = filled(main_window, tmp_path, qtbot)
    datasets = running.context.services.datasets
    datasets.freeze("mine", FreezePolicy())
    datasets.freeze("mine", FreezePolicy(splits=(0.5, 0.3, 0.2), seed=3))
    page.changed(page.watches)
    qtbot.waitUntil(lambda: len(page.datasets.versions) == 2)
    running.settle()
    running.dialogs.answers.append(0)
    running.context.actions.run("data.diff")
    running.settle()
    shown = [label.text() for label in page.datasets.difference.findChildren(QLabel)]
    assert "From mine v1 to mine v2" in shown and "moved to another split" in shown
    assert any("shares of the splits" in text for text in shown)


def test_that_the_history_tells_all_that_was_said_of_a_pair():
    draft = JudgementDraft(
        Verdict.PREFER,
        2,
        rationale="B names its source.",
        flags=("truncated",),
        spans=({"side": "A", "start": 0, "end": 4, "tag": "error", "note": ""},),
        edit="Better.",
    )
    assert said(draft) == "“B names its source.” · Truncated answer · Factual error in A · an improved text"


def test_that_the_import_dialog_says_what_it_recognised_and_what_it_will_reject(main_window, tmp_path, qtbot):
    source = tmp_path / "mixed.jsonl"
    rows = [{"prompt": "A?", "chosen": "Good.", "rejected": "Bad."}, {"prompt": "no answers"}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True)
    running.page("data")
    running.settle()
    running.dialogs.answers.append(source)
    seen = []
    running.dialogs.on_dialog = lambda dialog: bool(seen.append((dialog.summary.text(), dialog.sample.toPlainText())))
    running.context.actions.run("data.import")
    qtbot.waitUntil(lambda: seen != [])
    summary, sample = seen[0]
    assert "JSON Lines" in summary and "1 good, 1 to be rejected" in summary
    assert sample.startswith("Rejected: row 2")
    running.settle()


def test_that_a_table_with_a_label_is_imported_as_the_dialog_shows_it(main_window, tmp_path, qtbot):
    source = tmp_path / "table.csv"
    winners = ["A", "B", "A", "tie"]
    lines = [f"Question {i}?,First {i}.,Second {i}.,{winner}" for i, winner in enumerate(winners)]
    source.write_text("\n".join(["prompt,response_a,response_b,winner", *lines, ""]), encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("data")
    running.settle()
    running.dialogs.answers.append(source)
    shown = []

    def accept(dialog):
        shown.append((dialog.format.currentText(), dialog.options.fmt))
        return dialog.go.isEnabled()

    running.dialogs.on_dialog = accept
    running.context.actions.run("data.import")
    qtbot.waitUntil(lambda: page.table.count == len(winners))
    running.settle()
    title, key = shown[0]
    assert title.startswith("Two answers and a label") and str(key).startswith("table")
    with Application.open(tmp_path / "ws", read_only=True) as stored:
        found = stored.pairs.judgements(stored.pairs.ids())
    assert [found[pair][0].draft.verdict for pair in sorted(found)] == [Verdict.PREFER] * 3 + [Verdict.TIE]


def test_that_a_file_without_pairs_is_refused_with_a_reason(main_window, tmp_path, qtbot):
    source = tmp_path / "empty.jsonl"
    source.write_text("", encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True)
    running.page("data")
    running.settle()
    running.dialogs.answers.append(source)
    running.context.actions.run("data.import")
    qtbot.waitUntil(lambda: len(running.context.notices.kept) > 0)
    assert running.context.notices.kept[0].level in ("warn", "error")
    running.settle()


def test_that_a_stopped_import_keeps_what_it_stored_and_says_so(main_window, tmp_path, qtbot):
    source = tmp_path / "long.jsonl"
    rows = ({"prompt": f"Question {i}?", "chosen": f"Good {i}.", "rejected": f"Bad {i}."} for i in range(12_000))
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("data")
    running.settle()
    page.imports.start(source, ImportOptions())
    page.progress.cancelled.emit()
    qtbot.waitUntil(lambda: not page.progress.isVisible())
    running.settle()
    stored = running.context.services.pairs.count()
    assert stored < 12_000
    said = [n.text for n in running.context.notices.kept if "rows:" in n.text]
    assert all(text.startswith("Stopped.") for text in said)


def test_that_an_older_read_does_not_undo_a_newer_filter(main_window, tmp_path, qtbot, monkeypatch):
    running, page = filled(main_window, tmp_path, qtbot)
    pairs, gate = running.context.services.pairs, threading.Event()
    read = pairs.ids

    def ids(wanted, stop):
        if not wanted.text:
            gate.wait(LIMIT_S)
        return read(wanted, stop)

    monkeypatch.setattr(pairs, "ids", ids)
    page.changed(page.watches)
    page.search.setText("Question 3?")
    qtbot.waitUntil(lambda: page.table.count == 1)
    gate.set()
    running.settle()
    assert page.table.count == 1


def test_that_a_plan_that_comes_late_does_not_allow_what_the_form_no_longer_says(
    main_window, tmp_path, qtbot, monkeypatch
):
    running, _ = filled(main_window, tmp_path, qtbot)
    gate, seen = threading.Event(), []
    service = running.context.services.datasets
    plan = service.plan
    monkeypatch.setattr(service, "plan", lambda policy: gate.wait(LIMIT_S) and plan(policy))

    def look(dialog):
        def refuse():
            raise BadInput("The shares leave nothing to train on.")

        monkeypatch.setattr(dialog.form, "policy", refuse)
        dialog.form.dev.setValue(0.4)
        gate.set()
        qtbot.waitUntil(lambda: not running.tasks.busy)
        seen.append(dialog.freeze.isEnabled())
        return False

    running.dialogs.on_dialog = look
    running.context.actions.run("data.freeze")
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [False]
    running.settle()


def typed_filter(page, words):
    """Choose a further filter as the menu does."""
    action = next(a for a in page.pairs.filters._menu.actions() if a.text() == words)
    action.trigger()


def test_that_sorting_and_filters_are_chosen_by_mouse_and_survive_labelling_one(main_window, tmp_path, qtbot):
    running, page = filled(main_window, tmp_path, qtbot)
    head = page.table.horizontalHeader()
    place = head.sectionViewportPosition(0) + 8
    qtbot.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place, head.height() // 2))
    qtbot.waitUntil(lambda: list(page.table.model_.ids) == [6, 5, 4, 3, 2, 1])
    running.context.services.annotation.bookmark(running.context.services.reviewers.list()[0].id, 2)
    running.context.services.annotation.bookmark(running.context.services.reviewers.list()[0].id, 5)
    typed_filter(page, "Bookmarked")
    qtbot.waitUntil(lambda: list(page.table.model_.ids) == [5, 2])
    assert page.count.text() == "2 of 6 pairs"
    running.page("annotate")
    running.page("data")
    page.changed(page.watches)
    running.settle()
    assert list(page.table.model_.ids) == [5, 2] and page.pairs.wanted().bookmarked
    chip = page.pairs.filters._chips.itemAt(0).widget()
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.table.count == 6)


def test_that_a_text_too_long_to_search_for_is_refused_beside_the_field(main_window, tmp_path, qtbot):
    running, page = filled(main_window, tmp_path, qtbot)
    page.search.setText("x" * 60_000)
    qtbot.waitUntil(lambda: page.pairs.filters.problem.isVisible())
    assert "at most 1,000 characters; this one has" in page.pairs.filters.problem.text()
    page.search.setText("Question 3?")
    qtbot.waitUntil(lambda: page.table.count == 1)
    assert not page.pairs.filters.problem.isVisible()
    running.settle()


def test_that_a_new_version_is_chosen_and_its_left_out_reasons_open_their_pairs(main_window, tmp_path, qtbot):
    running, page = filled(main_window, tmp_path, qtbot)
    source = tmp_path / "unlabelled.jsonl"
    lines = [{"prompt": f"More {i}?", "response_a": f"One {i}.", "response_b": f"Two {i}."} for i in range(2)]
    source.write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    page.imports.start(source, ImportOptions())
    qtbot.waitUntil(lambda: page.table.count == 8)
    running.context.services.datasets.freeze("other", FreezePolicy())
    page.changed(page.watches)
    qtbot.waitUntil(lambda: len(page.datasets.versions) == 1)

    def freeze(dialog):
        dialog.form.consent.setChecked(False)
        qtbot.waitUntil(dialog.freeze.isEnabled)
        return True

    running.dialogs.on_dialog = freeze
    running.context.actions.run("data.freeze")
    qtbot.waitUntil(lambda: page.datasets.view is not None and page.datasets.view.version.title == "other v2")
    running.settle()
    (bar,) = page.datasets.left_out.findChildren(BarButton)
    assert bar.text() == "Not labelled"
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.tabs.currentIndex() == 0 and list(page.table.model_.ids) == [7, 8])
    running.settle()


def test_that_the_search_index_is_made_while_the_page_is_open(main_window, tmp_path, qtbot):
    running, _ = filled(main_window, tmp_path, qtbot)
    qtbot.waitUntil(lambda: running.context.services.pairs.index_state().complete)
    running.settle()

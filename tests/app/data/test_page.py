"""Data: import through the dialog, filters, freeze."""

from __future__ import annotations

import json
import threading

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton

from app.data.bar_list import BarButton
from app.data.import_choices import ImportOptions
from app.data.preview import said
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput
from core.domain.judgement import JudgementDraft, Verdict
from core.services.application import Application
from tests.fakes.hub_server import REPO, FakeHub, serving
from tests.patience import LIMIT_S


def test_that_a_file_is_imported_filtered_and_frozen(main_window, tmp_path, qtbot):
    source = tmp_path / "mine.jsonl"
    rows = [{"prompt": f"Question {i}?", "chosen": f"Good {i}.", "rejected": f"Bad {i}."} for i in range(12)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True, place="data")
    page, run = running.page("data"), running.context.actions.run
    running.settle()
    assert page._stack.currentIndex() == 0
    running.dialogs.answers.append(source)
    run("data.import")
    qtbot.waitUntil(lambda: page.imports.page.go.isEnabled())
    page.imports.page.consent.setCurrentText("Granted")
    qtbot.keyClick(page.imports.page, Qt.Key.Key_Return)
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
    running = main_window(workspace=tmp_path / "ws", create=True, place="data")
    page = running.page("data")
    running.settle()
    page.imports.start(source, ImportOptions(consent="granted"))
    qtbot.waitUntil(lambda: page.table.count == rows)
    running.settle()
    return running, page


def test_that_an_import_says_how_its_rows_add_up_and_where_the_rejected_are(main_window, tmp_path, qtbot):
    running, page = filled(main_window, tmp_path, qtbot)
    (said,) = [n for n in running.context.notices.kept if "rows:" in n.text]
    assert "7 rows: 6 imported, 0 known before, 0 repeated inside the file, 1 rejected" in said.text
    assert "Rejected rows" in said.hint and not page.progress.isVisible()
    assert page.report.isVisible() and page.report.rejects.isVisible() and said.text in page.report.text.text()


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
    page.imports.start(other, ImportOptions(consent="granted"))
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
    assert seen == {"folded": True, "title": "Only some sources, reviewers or licences: 2 chosen", "policy": True}


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


def shown_import(main_window, tmp_path, qtbot, name, text):
    """Return a window that shows a file on the import page, and the Data page."""
    source = tmp_path / name
    source.write_text(text, encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True, place="data")
    page = running.page("data")
    running.settle()
    running.dialogs.answers.append(source)
    running.context.actions.run("data.import")
    running.settle()
    return running, page


def test_that_the_import_page_says_what_it_recognised_and_what_it_will_reject(main_window, tmp_path, qtbot):
    rows = [{"prompt": "A?", "chosen": "Good.", "rejected": "Bad.", "extra": 1}, {"prompt": "no answers"}]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    running, page = shown_import(main_window, tmp_path, qtbot, "mixed.jsonl", text)
    shown = page.imports.page
    assert "JSON Lines" in shown.kind.text() and "2 rows = 1 new + 1 rejected" in shown.summary.text()
    assert shown.rejects.isVisible() and shown.columns.combos["extra"].currentText() == "Unused"
    assert shown.example.sides["First answer"].chip.text() == "✓ wins"
    assert shown.consent.currentData() == "unknown"
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    assert page._stack.currentIndex() == 0 and running.context.services.pairs.count() == 0
    running.settle()


def test_that_an_ambiguous_label_is_answered_before_enter_imports_and_can_be_swapped(main_window, tmp_path, qtbot):
    lines = [f"Question {i}?,First {i}.,Second {i}.,{1 + i % 2}" for i in range(6)]
    text = "\n".join(["prompt,response_a,response_b,label", *lines, ""])
    running, page = shown_import(main_window, tmp_path, qtbot, "table.csv", text)
    shown = page.imports.page
    assert not shown.go.isEnabled() and "Answer the question first" in shown.reason.text()
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    running.settle()
    assert running.context.services.pairs.count() == 0
    shown.questions.answers["coding=one_based"].click()
    running.settle()
    assert shown.go.isEnabled() and shown.coding.combos["1"].currentText().startswith("First wins")
    shown.coding.swapped.emit()
    running.settle()
    assert shown.coding.combos["1"].currentText().startswith("Second wins")
    assert shown.example.sides["Second answer"].chip.text() == "✓ wins"
    shown.command.click()
    copied = QGuiApplication.clipboard().text()
    assert copied.endswith("table.csv --name table --consent unknown --value 1=second --value 2=first")
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.table.count == 6)
    running.settle()
    with Application.open(tmp_path / "ws", read_only=True) as stored:
        first = stored.pairs.detail(1)
        (judgement,) = first.judgements
        won = first.pair.a.text if judgement.draft.strength < 0 else first.pair.b.text
    assert won == "Second 0."


def test_that_several_files_are_shown_one_after_the_other_or_imported_the_same_way(main_window, tmp_path, qtbot):
    for name in "abc":
        row = {"prompt": f"{name}?", "chosen": f"Good {name}.", "rejected": f"Bad {name}."}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True, place="data")
    page = running.page("data")
    running.settle()
    running.dialogs.answers.append(tmp_path)
    running.context.actions.run("data.import_folder")
    running.settle()
    shown = page.imports.page
    assert (shown.file.text(), shown.place.text()) == ("a.jsonl", "1 of 3 files")
    shown.go.click()
    running.settle()
    assert (shown.file.text(), shown.go_all.text()) == ("b.jsonl", "Import all 2 the same way")
    shown.go_all.click()
    qtbot.waitUntil(lambda: running.context.services.pairs.count() == 3 and page.table.count == 3)
    running.settle()


def test_that_a_file_without_pairs_is_refused_with_a_reason(main_window, tmp_path, qtbot):
    running, page = shown_import(main_window, tmp_path, qtbot, "empty.jsonl", "")
    assert page.imports.page.problem.isVisible() and "empty" in page.imports.page.problem.text()
    assert not page.imports.page.go.isEnabled() and not page.imports.page.columns.isVisible()
    running.settle()


def test_that_an_interrupted_import_goes_on_at_a_press_and_its_counts_add_up(main_window, tmp_path, qtbot):
    source = tmp_path / "long.jsonl"
    rows = [{"prompt": f"Question {i}?", "chosen": f"Good {i}.", "rejected": f"Bad {i}."} for i in range(2600)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with Application.open(tmp_path / "ws", create=True) as app:
        seen = []
        app.imports.run(source, on_progress=seen.append, cancelled=lambda: bool(seen))
        stored = app.pairs.count()
    assert 0 < stored < 2600
    running = main_window(workspace=tmp_path / "ws", place="data")
    page = running.page("data")
    qtbot.waitUntil(page.unfinished.isVisible)
    (go_on, *_) = [b for b in page.unfinished.findChildren(QPushButton) if b.text() == "Go on"]
    qtbot.mouseClick(go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.report.isVisible() and page.table.count == 2600)
    running.settle()
    assert not page.unfinished.isVisible() and "2,600 rows: 2,600 imported" in page.report.text.text()


def test_that_a_stopped_import_keeps_what_it_stored_and_says_so(main_window, tmp_path, qtbot):
    source = tmp_path / "long.jsonl"
    rows = ({"prompt": f"Question {i}?", "chosen": f"Good {i}.", "rejected": f"Bad {i}."} for i in range(12_000))
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True, place="data")
    page = running.page("data")
    running.settle()
    page.imports.start(source, ImportOptions(consent="granted"))
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
    page.imports.start(source, ImportOptions(consent="granted"))
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

    def bars():
        return [bar for bar in page.datasets.left_out.findChildren(BarButton) if bar.isVisible()]

    qtbot.waitUntil(lambda: len(bars()) == 1)  # Qt shows what enters a layout in a later turn
    (bar,) = bars()
    assert bar.text() == "Not labelled"
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.tabs.currentIndex() == 0 and list(page.table.model_.ids) == [7, 8])
    running.settle()


def test_that_the_search_index_is_made_while_the_page_is_open(main_window, tmp_path, qtbot):
    running, _ = filled(main_window, tmp_path, qtbot)
    qtbot.waitUntil(lambda: running.context.services.pairs.index_state().complete)
    running.settle()


def test_that_a_dataset_of_the_hub_is_named_before_it_is_asked_for_and_fetched_after_download(
    main_window, tmp_path, qtbot, monkeypatch
):
    row = json.dumps({"prompt": "q", "chosen": "good", "rejected": "bad"}).encode()
    running = main_window(workspace=tmp_path / "ws", create=True, place="data")
    page, run, dialogs = running.page("data"), running.context.actions.run, running.dialogs
    with serving(FakeHub({"a.jsonl": row, "b.jsonl": row, "x.py": b""}, card={"license": "mit"})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        running.settle()
        dialogs.answers.append(None)
        run("data.import_hub")
        running.settle()
        assert hub.asked == []
        dialogs.answers += [REPO, 1, "Cancel"]
        run("data.import_hub")
        qtbot.waitUntil(lambda: not dialogs.answers and not running.context.tasks.busy)
        assert hub.asked and not any("resolve" in path for path, _ in hub.asked)
        dialogs.answers += [REPO, 1, "Download"]
        run("data.import_hub")
        qtbot.waitUntil(lambda: page.imports.page.name.text() != "" and page.imports.page.go.isEnabled())
    shown = page.imports.page
    assert (shown.file.text(), shown.name.text()) == ("b.jsonl", f"{REPO} b")
    assert shown.licence.placeholderText().startswith("mit")
    shown.consent.setCurrentText("Granted")
    shown.go.click()
    qtbot.waitUntil(lambda: page.table.count == 1)
    assert [source.licence for source in running.context.services.imports.sources()] == ["mit"]
    running.settle()

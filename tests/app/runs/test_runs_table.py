"""The table of runs: it repeats what was measured, sorts, filters, and changes runs in a way that can be undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from app.runs.compare_figures import along_of, blocks_of, curves_of, field_rows, setting_rows, warning_of
from app.runs.compare_parallel import axes_of, number_cells
from app.runs.interval_bars import interval_of
from app.runs.run_housekeeping import RunWordsDialog
from app.runs.runs_table import RunsTable, arranged
from app.widgets.messages import Banner
from core.domain.run_comparison import COMPARED
from core.domain.run_filter import read_filter
from core.services.runs.comparison import compare_runs
from core.services.runs.comparisons import ComparedCurves
from core.services.runs.run_estimates import RunEstimates
from core.services.runs.run_table import RunSummary
from core.services.runs.x_places import XPlaces
from tests.fakes.compared_runs import MOVED_A, MOVED_B, PROMPTS, made_run, pairs_of


def line(name: str, **values: Any) -> RunSummary:
    facts = {
        "run_id": name, "name": name, "state": "finished", "model": "tiny", "dataset": "d", "loss": "sigmoid",
        "lr": 1e-5, "beta": 0.1, "method": "LoRA r 16", "steps": 10, "total_steps": 10, "created_ms": 0,
        "elapsed_s": 61.0,
    }  # fmt: skip
    return RunSummary(**{**facts, **values})


RUNS = [
    line("b", lr=1e-4, accuracy=0.75, accuracy_low=0.5, accuracy_high=0.9, pairs=16, measured_step=8, created_ms=3),
    line("a", lr=1e-6, archived=True, created_ms=2, tags=("kept",)),
    line("c", lr=1e-5, h=2.5, h_low=1.25, h_high=4.0, kl=1.5, kl_se=0.25, kl_samples=8, kl_horizon=32, created_ms=1),
]


def names(**words: Any) -> str:
    given = {
        "archived": False,
        "key": "created",
        "ascending": False,
        **words,
        "find": read_filter(words.get("find", "")),
    }
    return "".join(run.name for run in arranged(RUNS, **given))


def test_that_runs_are_sorted_by_a_column_and_archived_ones_left_out() -> None:
    assert names() == "bc"
    assert names(archived=True, key="lr", ascending=True) == "acb"
    assert names(archived=True, key="accuracy") == "bac"
    assert names(archived=True, find="KEPT") == "a"
    assert names(find="nothing") == "" and names(find="h>2") == "c" and names(key="h") == "cb"
    assert names(find="tag:kept lr<1e-5", archived=True) == "a"
    assert (names(find="accuracy>0.7 d"), names(find="kl<2"), names(find="state:failed")) == ("b", "c", "")


def test_that_a_cell_holds_interval_count_and_step() -> None:
    assert RUNS[0].accuracy_words == "0.750 [0.500, 0.900] n 16 at step 8"
    assert RUNS[2].kl_words == "1.500 ± 0.250 nats, n 8, first 32 tokens"
    assert (RUNS[0].short_accuracy, RUNS[2].short_kl) == ("0.750 [0.500, 0.900] n 16", "1.500 ± 0.250")
    assert (RUNS[2].h_words, RUNS[0].h_words, interval_of(RUNS[0])) == ("2.50 [1.25, 4.00]", "", None)
    assert (RUNS[1].accuracy_words, RUNS[1].kl_words, RUNS[1].time_words) == ("", "", "1 min 01 s")


def _table(demo: Any) -> RunsTable:
    """Show the table in place of the monitor, with its first run under the cursor."""
    page = demo.page("runs")
    demo.settle()
    page.context.actions.run("runs.all")
    table = page.housekeeper.view.runs
    demo.qtbot.waitUntil(lambda: table.current is not None)
    return table


def test_that_runs_are_renamed_archived_deleted_and_taken_back_in_the_table(demo: Any) -> None:
    table, page = _table(demo), demo.page("runs")
    run = table.current
    assert run is not None and run.accuracy is not None and run.archived is False

    def answer(dialog: QDialog) -> bool:
        assert isinstance(dialog, RunWordsDialog)
        dialog.name.setText("renamed by hand")
        dialog.tags.setText(" fast, fast ,kept")
        return True

    demo.dialogs.on_dialog = answer
    table._doers["edit"].click()
    demo.qtbot.waitUntil(lambda: table.current is not None and table.current.name == "renamed by hand")
    assert table.current is not None and table.current.tags == ("fast", "kept")
    table._doers["archive"].click()
    demo.qtbot.waitUntil(lambda: table.current is None)
    assert "1 left out" in table.count.text() and demo.context.notices.kept[0].text.endswith("is in the archive.")
    demo.context.notices.kept[0].run()
    demo.qtbot.waitUntil(lambda: table.current is not None and not table.current.archived)
    table._doers["delete"].click()
    demo.qtbot.waitUntil(lambda: table.current is None)
    notice = demo.context.notices.kept[0]
    assert notice.text.startswith("Deleted ") and notice.action == "Undo"
    notice.run()
    demo.qtbot.waitUntil(lambda: table.current is not None)
    QTest.keyClicks(table.search, "no run holds this")
    QTest.keyClick(table.search, Qt.Key.Key_Return)
    assert table.current is None and not table._doers["delete"].isEnabled()
    QTest.keyClick(table.search, Qt.Key.Key_Escape)
    demo.qtbot.waitUntil(lambda: table.current is not None)
    QTest.keyClicks(table.search, "beta<much")
    QTest.keyClick(table.search, Qt.Key.Key_Return)
    assert table.error.text().startswith("beta is compared with 'much', which is no number.")
    assert table.current is not None, "the rows stay until the filter can be read"
    QTest.keyClick(table.table, Qt.Key.Key_Return)
    assert page.housekeeper.views.currentIndex() == 0, "Enter shows the run in the monitor"
    demo.settle()
    assert "renamed by hand" in page.list.item(0).text()


def test_that_chosen_runs_are_compared_below_the_table(demo: Any, tmp_path: Path) -> None:
    place = demo.context.services.runs.folder
    made_run(place, "first", pairs_of(PROMPTS), MOVED_A, beta=0.1, answers=("Yes.", "On Monday."))
    made_run(place, "second", pairs_of(PROMPTS), MOVED_B, beta=0.1, loss="ipo", answers=("No, never.", "<b>Never</b>"))
    table, page = _table(demo), demo.page("runs")
    view = page.housekeeper.view
    demo.qtbot.waitUntil(lambda: len(table._shown) == 3)
    places = {run.run_id: at for at, run in enumerate(table._shown)}
    for run_id in ("first", "second"):
        table.table.go_to(places[run_id])
        QTest.keyClick(table.table, Qt.Key.Key_Space)
    assert table.chosen == ("first", "second") and table.count.text() == "3 runs, 2 chosen"
    demo.qtbot.waitUntil(lambda: view.panel.found is not None)
    assert [curve.letter for curve in view.panel.curves.curves if curve.dashed] == ["B"]
    (bar,) = view.panel.findChildren(Banner)
    assert "B has another objective: loss ipo, not sigmoid." in bar.accessibleName()
    h = next(block for block in view.panel.forest.blocks if block.label.startswith("h "))
    assert h.rows[0].text.startswith("+0.60 [") and h.rows[0].text.endswith("] nats")
    parallel = view.panel.parallel
    parallel.setFocus()
    QTest.keyClick(parallel, Qt.Key.Key_Right)
    assert parallel.accessibleDescription().startswith("A: Held-out accuracy 0."), "a mark says what it is"
    opened: list[str] = []
    answers = view.panel.answers
    assert [shown.text_shown for shown in answers.views] == ["Yes.", "No, never."]
    answers.prompt.setFocus()
    QTest.keyClick(answers.prompt, Qt.Key.Key_Down)
    assert [shown.text_shown for shown in answers.views] == ["On Monday.", "<b>Never</b>"]
    steps = view.panel.step
    assert [steps.itemText(n) for n in range(steps.count())] == [
        "Step 4, the last of all",
        "Step 2",
        "Newest of each run",
    ]
    steps.setFocus()
    QTest.keyClick(steps, Qt.Key.Key_Down)
    demo.qtbot.waitUntil(lambda: view.panel.found.comparison.step == 2)
    assert [shown.text_shown for shown in answers.views] == ["Well, On Monday.", "Well, <b>Never</b>"], (
        "the prompt stays"
    )
    assert [run.step for run in view.panel.found.comparison.runs] == [2, 2] and view.panel.curves.step == 2
    QTest.keyClick(steps, Qt.Key.Key_End)
    demo.qtbot.waitUntil(lambda: view.panel.found.comparison.step is None)
    rows = [table.table.model_.row(places[run_id]) for run_id in ("first", "second")]
    assert [round(row.h, 2) for row in rows] == [0.55, 1.15] and all(row.h_low < row.h < row.h_high for row in rows)
    view.panel.run_wanted.connect(opened.append)
    view.panel.curves.opened.emit("B")
    assert opened == ["second"] and demo.page("runs").housekeeper.views.currentIndex() == 0
    page.context.actions.run("runs.all")
    table._doers["baseline"].click()
    demo.qtbot.waitUntil(lambda: view.panel.found.comparison.runs[0].name == "second")
    written = tmp_path / "report.html"
    demo.dialogs.answers.append(written)
    view.panel.report.click()
    demo.qtbot.waitUntil(lambda: any("report was written" in n.text for n in demo.context.notices.kept))
    assert "Compared with A · second" in written.read_text(encoding="utf-8")
    view.panel.like.click()
    demo.qtbot.waitUntil(lambda: demo.page("train").form.config().loss == "ipo")
    demo.settle()


def test_that_what_a_comparison_shows_is_worked_out_without_widgets(tmp_path: Path) -> None:
    readers = [
        made_run(tmp_path, "a", pairs_of(PROMPTS), MOVED_A, beta=0.1),
        made_run(tmp_path, "b", pairs_of(PROMPTS), MOVED_B, kl=2.0, beta=0.5),
    ]
    found = compare_runs(readers)
    compared = ComparedCurves(found, tuple(RunEstimates(r).series(["dev.h"])["dev.h"] for r in readers))
    curves = curves_of(compared)
    assert [(curve.letter, list(curve.steps), curve.dashed) for curve in curves] == [
        ("A", [2, 4], False),
        ("B", [2, 4], False),
    ]
    assert _along_x(replace(compared, places=({"tokens": XPlaces([0, 4], [0, 80])},) * 2), "tokens") == (
        "response tokens seen", [[40.0, 80.0], [40.0, 80.0]]
    )  # fmt: skip
    only_a = replace(compared, places=({"pairs": XPlaces([0, 4], [0, 8])}, {}))
    assert _along_x(only_a, "pairs") == ("optimizer step", [[2, 4], [2, 4]])
    axes = {axis.label: axis for axis in axes_of(found)}
    assert list(axes) == list({COMPARED[name]: 0 for name in COMPARED if any(name in run.values for run in found.runs)})
    h = axes["h = margin / β"]
    own = [run.values["h"] for run in found.runs]
    assert (h.low, h.high) == (min(one.low for one in own), max(one.high for one in own))
    assert (h.share(h.low), h.share(h.high), dict(h.values)) == (0.0, 1.0, dict(enumerate(own)))
    assert len(number_cells(found)) == sum(len(axis.values) for axis in axes.values())
    blocks = {block.label: block for block in blocks_of(found)}
    assert list(blocks) == [
        "Held-out accuracy", "h = margin / β", "Chosen displacement", "Rejected displacement", "On-policy KL"
    ]  # fmt: skip
    assert (
        blocks["On-policy KL"].rows[0].text.startswith("+1.00 [") and blocks["Held-out accuracy"].baseline == "60.0 %"
    )
    assert [row.cells for row in setting_rows(found, only_differences=True)] == [("Beta (β)", "0.1", "0.5")]
    assert len(setting_rows(found, only_differences=False)) == len(found.settings)
    assert next(row.cells for row in field_rows(found) if row.cells[0] == "β") == ("β", "0.1", "≠ 0.5")
    title, text = warning_of(found)
    assert title == "These runs differ in what was varied" and text.startswith("B varies: its β is 0.5, not 0.1.")


def _along_x(compared: ComparedCurves, chosen: str) -> tuple[str, list[list[float]]]:
    """Return the title of the axis that is shown for a choice, and where the points of each run stand."""
    along = along_of(compared, chosen)
    return along.axis.title, [list(curve.x) for curve in curves_of(compared, along)]

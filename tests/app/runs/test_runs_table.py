"""The table of runs: it repeats what was measured, sorts, filters, and changes runs in a way that can be undone."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from app.runs.run_housekeeping import RunWordsDialog
from app.runs.runs_table import RunsTable, arranged
from core.services.runs.run_table import RunSummary


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
    line("c", lr=1e-5, kl=1.5, kl_se=0.25, kl_samples=8, kl_horizon=32, created_ms=1),
]


def names(**words: Any) -> str:
    given = {"find": "", "archived": False, "key": "created", "ascending": False, **words}
    return "".join(run.name for run in arranged(RUNS, **given))


def test_that_runs_are_sorted_by_a_column_and_archived_ones_left_out() -> None:
    assert names() == "bc"
    assert names(archived=True, key="lr", ascending=True) == "acb"
    assert names(archived=True, key="accuracy") == "bac"
    assert names(archived=True, find="KEPT") == "a"
    assert names(find="nothing") == ""


def test_that_a_cell_holds_interval_count_and_step() -> None:
    assert RUNS[0].accuracy_words == "0.750 [0.500, 0.900] n 16 at step 8"
    assert RUNS[2].kl_words == "1.500 ± 0.250 nats, n 8, first 32 tokens"
    assert (RUNS[1].accuracy_words, RUNS[1].kl_words, RUNS[1].time_words) == ("", "", "1 m 01 s")


def _opened(demo: Any, script: Any) -> None:
    """Open the table from the page and let ``script`` work in it."""
    page = demo.page("runs")
    demo.settle()

    def answer(dialog: QDialog) -> bool:
        if isinstance(dialog, RunWordsDialog):
            dialog.name.setText("renamed by hand")
            dialog.tags.setText(" fast, fast ,kept")
            return True
        assert isinstance(dialog, RunsTable)
        dialog.show()
        demo.qtbot.waitUntil(lambda: dialog.current is not None)
        script(dialog)
        dialog.hide()
        return False

    demo.dialogs.on_dialog = answer
    page.context.actions.run("runs.all")
    demo.settle()


def test_that_a_run_is_renamed_archived_and_taken_back_in_the_table(demo: Any) -> None:
    def script(table: RunsTable) -> None:
        run = table.current
        assert run is not None and run.accuracy is not None and run.archived is False
        table._want("edit")
        demo.qtbot.waitUntil(lambda: table.current is not None and table.current.name == "renamed by hand")
        assert table.current is not None and table.current.tags == ("fast", "kept")
        table._want("archive")
        demo.qtbot.waitUntil(lambda: table.current is None)
        assert "1 left out" in table.count.text()
        table.archived.setChecked(True)
        demo.qtbot.waitUntil(lambda: table.current is not None)
        table._want("archive")
        demo.qtbot.waitUntil(lambda: table.current is not None and not table.current.archived)

    _opened(demo, script)
    assert "renamed by hand" in demo.page("runs").list.item(0).text()


def test_that_a_deleted_run_comes_back_by_undo(demo: Any) -> None:
    page = demo.page("runs")
    demo.settle()
    before = page.list.count()

    def script(table: RunsTable) -> None:
        table._want("delete")
        demo.qtbot.waitUntil(lambda: table.current is None)

    _opened(demo, script)
    demo.qtbot.waitUntil(lambda: page.list.count() == before - 1)
    notice = demo.context.notices.kept[0]
    assert notice.text.startswith("Deleted ") and notice.action == "Undo"
    notice.run()
    demo.qtbot.waitUntil(lambda: page.list.count() == before)
    demo.settle()


def test_that_enter_shows_the_run_and_the_filter_takes_text(demo: Any) -> None:
    def script(table: RunsTable) -> None:
        QTest.keyClicks(table.search, "no run holds this")
        QTest.keyClick(table.search, Qt.Key.Key_Return)
        assert table.current is None and not table._doers["delete"].isEnabled()
        QTest.keyClick(table.search, Qt.Key.Key_Escape)
        demo.qtbot.waitUntil(lambda: table.current is not None)
        wanted: list[str] = []
        table.wanted.connect(lambda what, _: wanted.append(what))
        QTest.keyClick(table.table, Qt.Key.Key_Return)
        assert wanted == ["open"]

    _opened(demo, script)

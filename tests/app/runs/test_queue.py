"""The queue in the window: order by keys and by drag, removal with undo, reasons, and the status bar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from app.runs.queue_dialog import RunQueueDialog
from app.runs.queue_list import QueueList
from core.domain.run_config import RunConfig
from core.domain.run_queue import ToldRun
from core.runs.creation import NewRun, create_run
from tests.core.runs.conftest import make_pairs
from tests.fakes.workspaces import opened


def test_that_keys_and_drags_of_the_list_ask_for_the_new_order(theme: Any, qtbot: Any) -> None:
    shown = QueueList(theme)
    qtbot.addWidget(shown)
    asked: list[tuple[Any, ...]] = []
    shown.moved.connect(lambda run, place: asked.append(("moved", run, place)))
    shown.shifted.connect(lambda run, by: asked.append(("shifted", run, by)))
    shown.removed.connect(lambda run: asked.append(("removed", run)))
    shown.show_rows([(name, f"1  {name}\nabout") for name in "abc"])
    assert shown.current_id == "a"
    QTest.keyClick(shown, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(shown, Qt.Key.Key_Down)
    QTest.keyClick(shown, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(shown, Qt.Key.Key_Delete)
    assert asked == [("shifted", "a", 1), ("shifted", "b", -1), ("removed", "b")]
    asked.clear()
    shown.model().moveRow(QModelIndex(), 0, QModelIndex(), 3)  # what a drop below the last row does
    shown.model().moveRow(QModelIndex(), 2, QModelIndex(), 0)
    assert asked == [("moved", "a", 2), ("moved", "a", 0)]
    shown.setCurrentRow(1)
    shown.show_rows([("a", "1  a\nx"), ("c", "2  c\nx")])
    assert shown.current_id == "c", "the next run takes the place of one that left"


def test_that_the_queue_is_ordered_and_a_removal_taken_back(main_window: Callable[..., Any], tmp_path: Path) -> None:
    workspace, model = tmp_path / "ws", tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    with opened(workspace) as app:
        app.queue.pause()
        for name in ("one", "two", "three"):
            new = NewRun(RunConfig(), model, make_pairs(4, 0), name=name)
            create_run(workspace / "runs" / name, new, run_id=name)
            app.queue.put(name)
        app.queue._runner.file.change(lambda q: q.with_told(ToldRun("x" * 32, "refused", "The model is gone.", "", 1)))
    running = main_window(workspace=workspace)
    page = running.page("runs")
    running.settle()

    def order() -> list[str]:
        return [info.run_id for info in running.context.services.queue.view().waiting]

    def until(wanted: list[str], dialog: RunQueueDialog) -> None:
        running.qtbot.waitUntil(lambda: dialog.list.ids == wanted)
        assert order() == wanted

    def script(dialog: QDialog) -> bool:
        assert isinstance(dialog, RunQueueDialog)
        dialog.show()
        running.qtbot.waitUntil(lambda: dialog.list.count() == 3)
        assert dialog.summary.text() == "3 waiting · paused"
        assert dialog.rows is not None
        assert dialog.rows.told[0][1].startswith("xxxxxxxx could not be started: The model is gone.")
        QTest.keyClick(dialog.list, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        until(["two", "one", "three"], dialog)
        dialog.undo.click()
        until(["one", "two", "three"], dialog)
        assert dialog.list.current_id == "one"
        QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
        until(["two", "three"], dialog)
        assert dialog.done_words.text() == "Removed one; the run itself stays."
        dialog.undo.click()
        until(["one", "two", "three"], dialog)
        assert running.dialogs.asked == ["Queue"]
        dialog.hide()
        return False

    running.dialogs.on_dialog = script
    assert "3 queued" in running.window.status._job.text()
    page.context.actions.run("runs.queue")
    running.settle()

"""Exporting a run from the window: what can be chosen, what is written, and what is said at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog

from app.background.task import TaskState
from app.runs.export_dialog import ExportDialog
from app.runs.page import RunsPage
from app.runs.presenter import refused_forms
from core.domain.errors import BadInput, UserError
from core.paths import resources_dir
from core.runs.reproduction import Reproduction
from core.services.models.export import ExportedRun
from core.services.runs import comparisons


@pytest.fixture(scope="module")
def demo(shared_window: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the window on a copy of the demo workspace, whose finished run has its adapter."""
    workspace = tmp_path_factory.mktemp("exports") / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", workspace)
    (run,) = (workspace / "runs").iterdir()
    (run / "adapter").mkdir()
    return shared_window(workspace=workspace)


@pytest.fixture
def page(demo: Any) -> RunsPage:
    """Return the page with the demo's finished run."""
    shown = demo.page("runs")
    demo.qtbot.waitUntil(lambda: shown.context.actions.action("runs.export_run").isEnabled())
    demo.settle()
    return shown


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "exports"
    made.mkdir()
    return made


def _answer(demo: Any, folder: Path, fill: Callable[[ExportDialog], None], *, accept: bool = True) -> None:
    """Answer the dialog: exports go to ``folder``, the rest as ``fill`` says."""

    def run(dialog: QDialog) -> bool:
        assert isinstance(dialog, ExportDialog)
        dialog.folder.setText(str(folder))
        fill(dialog)
        return accept

    demo.dialogs.on_dialog = run


def _service(demo: Any, monkeypatch: pytest.MonkeyPatch, work: Callable[..., Any]) -> list[tuple[Any, ...]]:
    """Put ``work`` in the place of the export, and return the calls of the service."""
    calls: list[tuple[Any, ...]] = []

    def export(run_id: str, target: Path, form: str, *, dtype: str, on_progress: Any, cancelled: Any) -> ExportedRun:
        calls.append((run_id, target, form, dtype))
        work(on_progress, cancelled)
        target.write_bytes(b"GGUF")
        return ExportedRun(target, form, dtype, (target.name,), 4, "ab", 0, 0.0, None, f'llama-cli -m "{target}"')  # type: ignore[arg-type]

    monkeypatch.setattr(demo.context.services.runs, "export", export)
    return calls


def test_that_a_run_is_exported_as_chosen_and_the_notice_opens_its_folder(
    demo: Any, page: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    calls = _service(demo, monkeypatch, lambda progress, _: progress(1, 2, "Merging"))

    def fill(dialog: ExportDialog) -> None:
        dialog.forms["gguf"].click()
        dialog.dtype.setCurrentIndex(dialog.dtype.findData("bf16"))
        dialog.name.setText("mine.gguf")

    _answer(demo, folder, fill)
    page.monitor.export.click()
    demo.settle()
    assert calls == [(page.list.current_id, folder / "mine.gguf", "gguf", "bf16")]
    notice = demo.context.notices.kept[0]
    assert str(folder / "mine.gguf") in notice.text and "llama-cli -m" in notice.hint
    notice.run()
    assert (notice.action, opened) == ("Open folder", [str(folder)])


def test_that_nothing_is_exported_when_the_dialog_is_cancelled(
    demo: Any, page: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _service(demo, monkeypatch, lambda *_: None)
    _answer(demo, folder, lambda _: None, accept=False)
    page.context.actions.run("runs.export_run")
    demo.settle()
    assert calls == []


def test_that_a_cancelled_export_ends_without_a_notice_or_an_error(
    demo: Any, page: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(_progress: Any, cancelled: Callable[[], bool]) -> None:
        demo.tasks.jobs[-1].control.cancel()
        assert cancelled()
        raise UserError("Cancelled.")

    _service(demo, monkeypatch, work)
    _answer(demo, folder, lambda _: None)
    before, errors = len(demo.context.notices.kept), len(demo.app.errors.shown)
    page.context.actions.run("runs.export_run")
    demo.settle()
    QApplication.processEvents()  # an error would be shown in a later turn of the event loop
    assert demo.tasks.jobs[-1].state is TaskState.CANCELLED
    assert len(demo.app.errors.shown) == errors and len(demo.context.notices.kept) == before


def test_that_a_refused_export_says_why(demo: Any, page: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(*_: Any) -> None:
        raise BadInput("The base model is gone; nothing was written.", "Put it back and export again.")

    _service(demo, monkeypatch, work)
    _answer(demo, folder, lambda _: None)
    before = len(demo.app.errors.shown)
    page.context.actions.run("runs.export_run")
    demo.qtbot.waitUntil(lambda: len(demo.app.errors.shown) > before)
    (error,) = demo.app.errors.shown[before:]
    assert error.message == "The base model is gone; nothing was written."


def test_that_a_target_which_exists_or_cannot_be_is_refused_before_anything_is_written(
    demo: Any, page: Any, folder: Path
) -> None:
    (folder / "taken").mkdir()
    seen: dict[str, str] = {}

    def fill(dialog: ExportDialog) -> None:
        for name in ("taken", "", "a/b", "free"):
            dialog.name.setText(name)
            assert dialog.export.isEnabled() == (not dialog.error.text())
            seen[name] = dialog.error.text()
        dialog.forms["gguf"].click()
        dialog.name.setText("no-suffix")
        seen["gguf"] = dialog.error.text()

    _answer(demo, folder, fill, accept=False)
    page.context.actions.run("runs.export_run")
    assert seen["taken"].startswith("taken exists already") and seen["free"] == ""
    assert "Choose a folder and a name" in seen[""] and "cannot contain" in seen["a/b"] and ".gguf" in seen["gguf"]


def test_that_a_run_of_all_weights_has_no_adapter_to_export_and_says_so(demo: Any, page: Any) -> None:
    found = page._snapshot
    full = replace(found, record=replace(found.record, config=found.record.config.with_values({"lora_r": 0})))
    dialog = ExportDialog(demo.window, demo.context, "mine", refused_forms(full), Path("/nowhere"))
    assert not dialog.forms["adapter"].isEnabled() and dialog.forms["merged"].isChecked()
    assert "no adapter" in dialog.forms["adapter"].accessibleDescription()
    assert (dialog.name.text(), dialog.dtype.currentData()) == ("mine-merged", "float32")
    dialog.deleteLater()


def test_that_a_run_without_a_result_cannot_be_exported(demo: Any, page: Any) -> None:
    (run,) = demo.context.services.runs.list()
    (Path(run.folder) / "adapter").rmdir()
    try:
        page.refresh()
        demo.qtbot.waitUntil(lambda: not demo.context.actions.action("runs.export_run").isEnabled())
        demo.qtbot.waitUntil(lambda: not page.monitor.export.isVisible())
    finally:
        (Path(run.folder) / "adapter").mkdir()
        page.refresh()


def test_that_a_run_is_trained_again_with_progress_and_the_notice_says_what_came_of_it(
    demo: Any, page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    answers = [(0.0, "ok", "was reproduced"), (0.25, "warn", "came out otherwise")]

    def run(module: str, request: dict[str, Any], *, on_progress: Any, **_: Any) -> dict[str, Any]:
        assert module == "core.runs.child_processes.reproduce_program"
        asked.append(request)
        on_progress(request["total"], request["total"], "step")
        return Reproduction("r", request["total"], 40, "ab", True, answers[len(asked) - 1][0], 0.0).to_plain()

    monkeypatch.setattr(comparisons, "run_in_subprocess", run)
    made = page._snapshot.status.step
    for place, (_, level, words) in enumerate(answers):
        demo.dialogs.answers.append(place)
        before = len(demo.context.notices.kept)
        page.context.actions.run("runs.reproduce")
        demo.qtbot.waitUntil(lambda before=before: len(demo.context.notices.kept) > before)
        notice = demo.context.notices.kept[0]
        assert (notice.level, words in notice.text) == (level, True) and "trained again" in notice.hint
    assert [(one["steps"], one["total"]) for one in asked] == [(0, made), (10, 10)]

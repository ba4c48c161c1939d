"""Every dialog is used by keyboard alone: fields by Tab, the main button by Enter, no by Escape."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QFileDialog, QLineEdit, QPushButton, QWidget
from shiboken6 import isValid

from app.actions.cheat_sheet import CheatSheet
from app.actions.shortcuts_editor import CaptureDialog
from app.annotate.edit_dialog import EditDialog
from app.annotate.queue_choice import QueueChoice, Queues
from app.annotate.queue_dialog import QueueDialog
from app.data.freeze_dialog import FreezeDialog
from app.data.freeze_form import FreezeForm
from app.dialogs import Dialogs
from app.runs.fork_dialog import ForkDialog
from app.widgets.choice_dialog import ChoiceDialog
from app.widgets.dialog import BaseDialog
from app.widgets.question_dialog import QuestionDialog, TextDialog
from core.domain.run_config import RunConfig
from tests.app.layout_audit import findings
from tests.app.test_layout import LAYOUT_TURNS
from tests.fakes.workspaces import opened

ROOT = Path(__file__).resolve().parents[2]
MOST_STOPS = 60


def _freeze(running: Any, _folder: Path) -> FreezeDialog:
    services = running.context.services
    choices = services.rubrics.published(), services.pairs.sources(), services.reviewers.list()
    return FreezeDialog(running.page("data"), running.context, FreezeForm(running.context.theme, "mine", *choices))


def _queue(running: Any, _folder: Path) -> QueueDialog:
    return QueueDialog(running.page("annotate"), Queues(running.context.services.rubrics.published()), QueueChoice())


def _picture(running: Any) -> Any:
    return running.context.theme.icons.pixmap("help", "accent", 32)


def shown(dialog: Any, qtbot: Any) -> Any:
    """Show a dialog as ``exec`` does, without waiting for its end."""
    dialog.setModal(True)
    with qtbot.waitActive(dialog):
        dialog.show()
    return dialog


MAKERS: dict[str, Callable[[Any, Path], BaseDialog]] = {
    "freeze": _freeze,
    "fork": lambda r, _: ForkDialog(r.page("runs"), r.context, "mine", RunConfig(), [40, 20]),
    "queue": _queue,
    "edit": lambda r, _: EditDialog(r.page("annotate"), r.context.theme, "left", "An answer.", "An answer."),
    "cheat sheet": lambda r, _: CheatSheet(r.window.dialog_parent, r.context.theme, r.context.actions, "data"),
    "keys": lambda r, _: CaptureDialog(r.page("settings"), r.context.actions, r.context.settings, "data.import"),
    "question": lambda r, _: QuestionDialog(
        r.window.dialog_parent, "Drop it?", "Nothing was stored.", ("Drop", "Keep", "Cancel"), picture=_picture(r)
    ),
    "text": lambda r, _: TextDialog(r.window.dialog_parent, "New reviewer", "A pseudonym", "Ann"),
    "paragraph": lambda r, _: TextDialog(r.window.dialog_parent, "Publish", "What changed, and why?", lines=5),
    "choice": lambda r, _: ChoiceDialog(r.window.dialog_parent, "Flag", "What is wrong?", ["Unsafe", "Broken"]),
}


@pytest.fixture(scope="module")
def running(shared_window: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("dialogs") / "ws"
    opened(folder).close()
    return shared_window(workspace=folder)


@pytest.fixture(params=MAKERS)
def dialog(request: pytest.FixtureRequest, running: Any, tmp_path: Path, qtbot: Any) -> Iterator[BaseDialog]:
    """Return each dialog in turn, shown and ready."""
    made = shown(MAKERS[request.param](running, tmp_path), qtbot)
    running.settle()
    made.setResult(-1)
    yield made
    if isValid(made):
        made.reject()
        made.deleteLater()
    running.context.settings.set("look.zoom", 100)
    running.settle()


def _stops(dialog: BaseDialog, qtbot: Any) -> list[QWidget]:
    """Press Tab until the focus is back where it began; return what had it, from the first field on."""
    found: list[QWidget] = []
    while (focus := dialog.focusWidget()) is not None and focus not in found and len(found) < MOST_STOPS:
        found.append(focus)
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    return found


def test_that_it_belongs_to_the_window_and_fits_the_screen(dialog: BaseDialog, running: Any) -> None:
    parent = dialog.parentWidget()
    room = dialog.screen().availableSize().expandedTo(dialog.minimumSizeHint())
    assert parent is not None and parent.window() is running.window and dialog.windowTitle()
    assert (dialog.width() <= room.width(), dialog.height() <= room.height()) == (True, True)
    dialog.reject()


def test_that_tab_reaches_the_buttons_and_every_stop_has_a_name(dialog: BaseDialog, qtbot: Any) -> None:
    stops = _stops(dialog, qtbot)
    enabled = [button for button in dialog.buttons.buttons() if button.isEnabled()]
    assert set(enabled) <= set(stops)
    names = [QAccessible.queryAccessibleInterface(stop).text(QAccessible.Text.Name) for stop in stops]
    assert all(name.strip() for name in names), [type(s).__name__ for s, n in zip(stops, names, strict=True) if not n]
    dialog.reject()


def test_that_one_button_is_the_default_one_and_stands_last(dialog: BaseDialog) -> None:
    (main,) = [button for button in dialog.findChildren(QPushButton) if button.isDefault()]
    assert main.x() == max(button.x() for button in dialog.buttons.buttons())
    dialog.reject()


def test_that_escape_closes_it_without_doing_anything(dialog: BaseDialog, qtbot: Any) -> None:
    if isinstance(dialog, CaptureDialog):  # its field records Escape; the buttons close it
        qtbot.keyClick(dialog.capture, Qt.Key.Key_Tab)
    qtbot.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible() and dialog.result() == QDialog.DialogCode.Rejected


def test_that_no_button_wears_the_tick_or_the_cross_of_the_platform(dialog: BaseDialog) -> None:
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, dialog)
    standard = [*box.buttons(), *dialog.buttons.buttons()]
    box.ensurePolished()
    assert [button.text() for button in standard if not button.icon().isNull()] == []
    dialog.reject()


@pytest.fixture
def dialogs(running: Any, tmp_path: Path, qtbot: Any) -> Iterator[dict[str, BaseDialog]]:
    """Return all dialogs, shown at once: a change of the text size is then made once for all."""
    made = {name: shown(make(running, tmp_path), qtbot) for name, make in MAKERS.items()}
    running.settle()
    yield made
    for dialog in reversed(made.values()):
        dialog.reject()
        dialog.deleteLater()
    running.context.settings.set("look.zoom", 100)
    running.settle()


@pytest.mark.parametrize("zoom", [100, 200])
def test_that_every_dialog_shows_its_words_whole(dialogs: dict[str, BaseDialog], running: Any, zoom: int) -> None:
    running.context.settings.set("look.zoom", zoom)
    running.settle()
    wrong = {}
    for name, dialog in dialogs.items():
        dialog.adjustSize()
        dialog.resize(dialog.size().boundedTo(QSize(1024, 700)))
        for _ in range(LAYOUT_TURNS):
            QApplication.processEvents()
        least = dialog.minimumSizeHint()
        wrong[name] = ("\n".join(findings(dialog)), least.width() <= 1024, least.height() <= 700)
    assert wrong == dict.fromkeys(MAKERS, ("", True, True))


def test_that_enter_in_a_field_presses_the_main_button(running: Any, tmp_path: Path, qtbot: Any) -> None:
    dialog = shown(MAKERS["fork"](running, tmp_path), qtbot)
    field = dialog.findChild(QLineEdit)
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert dialog.result() == QDialog.DialogCode.Accepted


def _press(key: Qt.Key, qtbot: Any) -> None:
    """Press a key in the question that is shown next."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, BaseDialog)
        qtbot.keyClick(box.focusWidget() or box, key)

    QTimer.singleShot(0, press)


@pytest.mark.parametrize(("key", "confirmed"), [(Qt.Key.Key_Return, True), (Qt.Key.Key_Escape, False)])
def test_that_a_question_is_answered_by_enter_and_refused_by_escape(
    running: Any, qtbot: Any, key: Qt.Key, confirmed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialogs = Dialogs()
    dialogs.attach(running.window.dialog_parent, running.context.theme)
    _press(key, qtbot)
    assert dialogs.confirm("Discard the draft?", "It is deleted.", "Discard") is confirmed
    _press(key, qtbot)
    assert dialogs.text("New reviewer", "A pseudonym.", "Ann") == ("Ann" if confirmed else None)
    (tmp_path / "there.csv").touch()
    chosen = str(tmp_path / "there")  # the chooser asked about this name, not about the one with its ending
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen, ""))
    _press(key, qtbot)
    assert dialogs.save_file("Table", "a.csv", "CSV (*.csv)") == (tmp_path / "there.csv" if confirmed else None)
    assert dialogs.save_file("Copy to a new folder", "a", "") == tmp_path / "there"


def test_that_every_dialog_of_the_source_has_the_common_base() -> None:
    allowed = {"BaseDialog", "CommandPalette"}  # the palette is a popup without buttons
    found = {
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in sorted((ROOT / "app").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and "QDialog" in map(ast.unparse, node.bases) and node.name not in allowed
    }
    assert not found, f"derive these from app.widgets.dialog.BaseDialog: {sorted(found)}"

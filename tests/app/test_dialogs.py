"""Every dialog is used by keyboard alone: fields by Tab, the main button by Enter, no by Escape."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QAccessible, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)
from shiboken6 import isValid

from app.actions.shortcuts_editor import CaptureDialog
from app.dialogs import Dialogs
from app.widgets.dialog import SCREEN_SHARE, BaseDialog
from app.widgets.question_dialog import QuestionDialog
from tests.app.every_dialog import makers
from tests.app.layout_audit import findings
from tests.app.test_layout import LAYOUT_TURNS
from tests.fakes.workspaces import opened

ROOT = Path(__file__).resolve().parents[2]
MOST_STOPS = 60
SCREEN, ROOM = QSize(800, 800) * SCREEN_SHARE, QSize(1024, 700) * SCREEN_SHARE
"""What a dialog may take of the screen of the tests, and of the smallest screen that the window is made for."""
NOT_OF_THE_KIND = {"BaseDialog", "StoringDialog", "CommandPalette"}
"""Two bases, and a popup without buttons."""


def shown(dialog: Any, qtbot: Any) -> Any:
    """Show a dialog as ``exec`` does, without waiting for its end."""
    dialog.setModal(True)
    with qtbot.waitActive(dialog):
        dialog.show()
    return dialog


@pytest.fixture(scope="module")
def running(shared_window: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("dialogs") / "ws"
    opened(folder).close()
    return shared_window(workspace=folder)


def _classes() -> dict[str, str]:
    """Return every class of the source whose base is a dialog, directly or not, with its module."""
    source = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "app").rglob("*.py"))}
    bases = {
        node.name: (str(path.relative_to(ROOT)), {ast.unparse(base) for base in node.bases})
        for path, text in source.items()
        if "Dialog)" in text
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
    }
    found = {"QDialog"}
    while more := {name for name, (_, of) in bases.items() if of & found} - found:
        found |= more
    return {name: bases[name][0] for name in found - {"QDialog"}}


def _stops(dialog: BaseDialog, qtbot: Any) -> list[QWidget]:
    """Press Tab until the focus is back where it began; return what had it, from the first field on."""
    found: list[QWidget] = []
    while (focus := dialog.focusWidget()) is not None and focus not in found and len(found) < MOST_STOPS:
        found.append(focus)
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    return found


def _name(widget: QWidget) -> str:
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def _unreached(dialog: BaseDialog, stops: list[QWidget]) -> list[str]:
    """Return what takes the focus by Tab and did not get it."""
    inner = {stop.focusProxy() for stop in stops}
    wanted = [w for w in dialog.findChildren(QWidget) if w.isVisible() and w.isEnabled()]
    tab = [w for w in wanted if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    return [_name(w) for w in tab if w not in stops and w not in inner and w.focusProxy() not in stops]


def _upwards(stops: list[QWidget]) -> list[str]:
    """Return where Tab goes up; it may do so to the next column, and once from the last stop to the first."""
    pairs = zip(stops, [*stops[1:], *stops[:1]], strict=True)
    back = [f"{_name(one)} -> {_name(other)}" for one, other in pairs if _is_up(one, other)]
    return back if len(back) > 1 else []


def _is_up(one: QWidget, other: QWidget) -> bool:
    """Whether the second stands above the first, and not beside it; what scrolls stands where its column does."""
    common = next(parent for parent in _with_parents(one) if parent.isAncestorOf(other))
    at, to = ((_with_parents(stop)[_with_parents(stop).index(common) - 1]).geometry() for stop in (one, other))
    return to.bottom() < at.top() and to.left() < at.right()


def _with_parents(widget: QWidget) -> list[QWidget]:
    """Return a widget and all that it lies in, up to its window."""
    above = widget.parentWidget()
    return [widget] if above is None or widget.isWindow() else [widget, *_with_parents(above)]


def _letters_twice(dialog: BaseDialog) -> list[str]:
    """Return the letters of Alt that two controls share."""
    shown = [w for kind in (QAbstractButton, QLabel) for w in dialog.findChildren(kind) if w.isVisible()]
    letters = [QKeySequence.mnemonic(w.text()).toString() for w in shown]
    return sorted({letter for letter in letters if letter and letters.count(letter) > 1})


def _wrong(dialog: BaseDialog, running: Any, qtbot: Any) -> list[str]:
    """Return what is wrong with the keys and the size of a dialog, one line each."""
    least = dialog.minimumSizeHint()
    parent, row = dialog.parentWidget(), dialog.buttons.buttons()
    main = [button for button in dialog.findChildren(QPushButton) if button.isDefault()]
    first, stops = dialog.focusWidget(), _stops(dialog, qtbot)
    fields = [stop for stop in stops if not isinstance(stop, QPushButton)]
    unnamed = [type(stop).__name__ for stop in stops if not _name(stop).strip()]
    unreached, upwards, twice = _unreached(dialog, stops), _upwards(stops), _letters_twice(dialog)
    said = {
        "has no parent in the window": parent is None or parent.window() is not running.window,
        "has no title": not dialog.windowTitle(),
        f"needs {least.width()}x{least.height()}": least != least.boundedTo(ROOM),
        "has not one default button": len(main) != 1 or main[0] not in row,
        "has its main button not at the end": [b.x() for b in main] != [max(button.x() for button in row)],
        "begins at a button": bool(fields) and first in row and not isinstance(dialog, QuestionDialog),
        f"has stops without a name: {unnamed}": unnamed != [],
        f"does not reach {unreached} by Tab": unreached != [],
        f"goes up by Tab: {upwards}": upwards != [],
        f"has letters of Alt twice: {twice}": twice != [],
    }
    return [words for words, wrong in said.items() if wrong]


@pytest.fixture
def dialogs(running: Any, tmp_path: Path, qtbot: Any) -> Iterator[dict[str, BaseDialog]]:
    """Return all dialogs, opened at the largest text size: a change of it is then made once for all."""
    running.context.settings.set("look.zoom", 200)
    running.settle()
    made = {name: shown(make(), qtbot) for name, make in makers(running, tmp_path).items()}
    running.settle()
    yield made
    for dialog in reversed(made.values()):
        if isValid(dialog):
            dialog.reject()
            dialog.deleteLater()
    running.context.settings.set("look.zoom", 100)
    running.settle()


def test_that_every_dialog_of_the_source_is_examined_here(running: Any, tmp_path: Path) -> None:
    known = {name.split()[0] for name in makers(running, tmp_path)}
    missing = {name: module for name, module in _classes().items() if name not in known | NOT_OF_THE_KIND}
    assert not missing, f"add these to tests/app/every_dialog.py: {missing}"


def test_that_every_dialog_is_used_by_keys_alone_and_shows_its_words_whole(
    dialogs: dict[str, BaseDialog], running: Any, qtbot: Any
) -> None:
    wrong = {}
    for zoom in (200, 100):
        running.context.settings.set("look.zoom", zoom)
        running.settle()
        for name, dialog in dialogs.items():
            wide = dialog.width() if dialog.width() < SCREEN.width() else ROOM.width()
            dialog.resize(QSize(wide, dialog.height()).boundedTo(ROOM))
            for _ in range(LAYOUT_TURNS):
                QApplication.processEvents()
            wrong[f"{name} {zoom} %"] = [*findings(dialog), *_wrong(dialog, running, qtbot)]
    for name, dialog in reversed(dialogs.items()):
        if isinstance(dialog, CaptureDialog):  # its field records Escape; the buttons close it
            dialog.buttons.buttons()[-1].setFocus()
        dialog.setResult(-1)
        qtbot.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Escape)
        if dialog.isVisible() or dialog.result() != QDialog.DialogCode.Rejected:
            wrong[name] = [f"Escape leaves it with the result {dialog.result()}"]
    assert {name: words for name, words in wrong.items() if words} == {}


def test_that_no_button_wears_the_tick_or_the_cross_of_the_platform(running: Any, tmp_path: Path) -> None:
    dialog = makers(running, tmp_path)["TextDialog"]()
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, dialog)
    box.ensurePolished()
    standard = [*box.buttons(), *dialog.buttons.buttons()]
    assert [button.text() for button in standard if not button.icon().isNull()] == []
    dialog.deleteLater()


@pytest.mark.parametrize(
    ("name", "words", "asks"),
    [
        ("ChangesetEditDialog", "a reason of some words", True),
        ("ChangesetEditDialog", "17", False),
        ("RunWordsDialog", "no", True),
        ("SweepDialog", "", False),
    ],
)
def test_that_escape_asks_before_typed_words_are_lost(
    running: Any, tmp_path: Path, qtbot: Any, name: str, words: str, asks: bool
) -> None:
    dialog = shown(makers(running, tmp_path)[name](), qtbot)
    running.dialogs.guard(dialog)
    paragraphs = dialog.findChildren(QPlainTextEdit) or dialog.findChildren(QLineEdit)
    qtbot.keyClicks(paragraphs[-1], words)
    asked = len(running.dialogs.asked)
    running.dialogs.answers += [False, True] if asks else []
    qtbot.keyClick(paragraphs[-1], Qt.Key.Key_Escape)
    assert (dialog.isVisible(), len(running.dialogs.asked) - asked) == (asks, int(asks))
    if asks:
        qtbot.keyClick(paragraphs[-1], Qt.Key.Key_Escape)
    assert not dialog.isVisible() and running.dialogs.answers == []
    dialog.deleteLater()


def test_that_enter_in_a_field_presses_the_main_button(running: Any, tmp_path: Path, qtbot: Any) -> None:
    dialog = shown(makers(running, tmp_path)["ForkDialog"](), qtbot)
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

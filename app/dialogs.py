"""Questions to the user, behind one small interface so that tests can answer them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QInputDialog, QLabel, QMessageBox, QWidget

from app.widgets.choice_dialog import ChoiceDialog
from app.widgets.labels import plain_tip

Kind = Literal["question", "warning", "error", "info"]
_ICONS = {
    "question": QMessageBox.Icon.Question,
    "warning": QMessageBox.Icon.Warning,
    "error": QMessageBox.Icon.Critical,
    "info": QMessageBox.Icon.Information,
}


class Dialogs:
    """The real dialogs. Text from outside is always shown as plain text.

    ``parent`` is a widget of the window; the dialogs take its style sheet. A page's dialog without a parent gets it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        self.parent = parent

    def ask(self, title: str, text: str, buttons: Sequence[str], *, detail: str = "", kind: Kind = "question") -> str:
        """Ask a question; returns the label of the pressed button, or an empty text when it was closed.

        The first button is the default one. A button named Cancel answers to Escape.
        """
        box = QMessageBox(self.parent)
        box.setIcon(_ICONS[kind])
        box.setWindowTitle(title)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(text)
        box.setInformativeText(detail)
        for label in box.findChildren(QLabel):  # the box's own text format does not reach the informative text
            label.setTextFormat(Qt.TextFormat.PlainText)
        made = {}
        for number, label in enumerate(buttons):
            role = QMessageBox.ButtonRole.RejectRole if label == "Cancel" else QMessageBox.ButtonRole.AcceptRole
            button = box.addButton(label, role)
            made[button] = label
            if number == 0:
                box.setDefaultButton(button)
            if label == "Cancel":
                box.setEscapeButton(button)
        box.exec()
        return made.get(box.clickedButton(), "")  # type: ignore[arg-type]

    def confirm(self, title: str, text: str, action: str, *, detail: str = "") -> bool:
        """Ask before something that cannot be undone."""
        return self.ask(title, text, (action, "Cancel"), detail=detail, kind="warning") == action

    def text(self, title: str, label: str, value: str = "") -> str | None:
        """Ask for one line of text; None when cancelled."""
        answer, given = QInputDialog.getText(self.parent, title, plain_tip(label), text=value)  # type: ignore[arg-type]
        return answer.strip() if given else None

    def choose(
        self, title: str, label: str, items: Sequence[str], current: int = 0, *, keys: Sequence[str] = ()
    ) -> int | None:
        """Ask for one of some items; returns its place, or None when cancelled.

        ``keys`` are the characters that take an item at once; without them the numbers 1 to 9 do.
        """
        dialog = ChoiceDialog(title, label, items, current, keys=keys, parent=self.parent)
        taken = dialog.exec() == QDialog.DialogCode.Accepted
        place = dialog.chosen
        dialog.deleteLater()
        return place if taken and place >= 0 else None

    def open_file(self, title: str, filters: str, start: Path | None = None) -> Path | None:
        """Ask for a file to read; ``filters`` as in "Data (*.jsonl *.csv);;All files (*)"."""
        name, _ = QFileDialog.getOpenFileName(self.parent, title, str(start or ""), filters)  # type: ignore[arg-type]
        return Path(name) if name else None

    def save_file(self, title: str, name: str, filters: str) -> Path | None:
        """Ask where to write a file; an existing one is confirmed by the chooser."""
        chosen, _ = QFileDialog.getSaveFileName(self.parent, title, name, filters)  # type: ignore[arg-type]
        return Path(chosen) if chosen else None

    def open_folder(self, title: str, start: Path | None = None) -> Path | None:
        """Ask for a folder."""
        name = QFileDialog.getExistingDirectory(self.parent, title, str(start or ""))  # type: ignore[arg-type]
        return Path(name) if name else None

    def run(self, dialog: QDialog) -> bool:
        """Show a dialog of a page and wait; returns whether it was accepted."""
        if dialog.parent() is None and self.parent is not None:
            dialog.setParent(self.parent, dialog.windowFlags())
        return dialog.exec() == QDialog.DialogCode.Accepted

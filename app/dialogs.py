"""Questions to the user, behind one small interface so that tests can answer them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QWidget

from app.theme.theme import Theme
from app.widgets.choice_dialog import ChoiceDialog
from app.widgets.dialog import BaseDialog
from app.widgets.question_dialog import QuestionDialog, TextDialog

Kind = Literal["question", "warning", "error", "info"]
_ICONS: dict[Kind, tuple[str, str]] = {
    "question": ("help", "accent"),
    "warning": ("warn", "warn"),
    "error": ("error", "bad"),
    "info": ("info", "accent"),
}
"""Drawing and colour of each kind of question."""
ICON_PX = 32
_ENDING = re.compile(r"\*(\.\w+)")


class Dialogs:
    """The real dialogs. Text from outside is always shown as plain text.

    They stand over the window that ``attach`` names and take the style sheet of its widget.
    """

    def __init__(self) -> None:
        self._place: tuple[QWidget, Theme] | None = None

    def attach(self, parent: QWidget, theme: Theme) -> None:
        """Take the widget of the window that is the parent of every dialog, and the theme for icons."""
        self._place = parent, theme

    @property
    def parent(self) -> QWidget:
        """The parent of the next dialog: the dialog that is open, else the widget of the window.

        Raises:
            RuntimeError: before ``attach``.
        """
        opened = QApplication.activeModalWidget()
        return opened if isinstance(opened, BaseDialog) else self._attached()[0]

    def ask(self, title: str, text: str, buttons: Sequence[str], *, detail: str = "", kind: Kind = "question") -> str:
        """Ask a question; returns the label of the pressed button, or an empty text when it was closed.

        The first button is the default one. A button named Cancel answers to Escape.
        """
        parent, theme = self.parent, self._attached()[1]
        picture = theme.icons.pixmap(*_ICONS[kind], theme.px(ICON_PX), parent.devicePixelRatioF())
        box = QuestionDialog(parent, title, text, buttons, picture=picture, detail=detail)
        self.run(box)
        pressed = box.pressed
        box.deleteLater()
        return pressed

    def confirm(self, title: str, text: str, action: str, *, detail: str = "") -> bool:
        """Ask before something that cannot be undone."""
        return self.ask(title, text, (action, "Cancel"), detail=detail, kind="warning") == action

    def text(
        self, title: str, label: str, value: str = "", *, lines: int = 1, accept: str = "OK", needed: bool = False
    ) -> str | None:
        """Ask for a text; None when cancelled.

        ``lines`` above 1 give a field for a paragraph; with ``needed`` an empty text cannot be accepted.
        """
        box = TextDialog(self.parent, title, label, value, lines=lines, accept=accept, needed=needed)
        text = box.text if self.run(box) else None
        box.deleteLater()
        return text

    def choose(
        self, title: str, label: str, items: Sequence[str], current: int = 0, *, keys: Sequence[str] = ()
    ) -> int | None:
        """Ask for one of some items; returns its place, or None when cancelled.

        ``keys`` are the characters that take an item at once; without them the numbers 1 to 9 do.
        """
        dialog = ChoiceDialog(self.parent, title, label, items, current, keys=keys)
        accepted = self.run(dialog)
        dialog.deleteLater()
        return dialog.chosen if accepted and dialog.chosen >= 0 else None

    def open_file(self, title: str, filters: str, start: Path | None = None) -> Path | None:
        """Ask for a file to read; ``filters`` as in "Data (*.jsonl *.csv);;All files (*)"."""
        name, _ = QFileDialog.getOpenFileName(self.parent, title, str(start or ""), filters)
        return Path(name) if name else None

    def open_files(self, title: str, filters: str) -> list[Path]:
        """Ask for one or several files to read; empty when cancelled."""
        names, _ = QFileDialog.getOpenFileNames(self.parent, title, "", filters)
        return [Path(name) for name in names]

    def save_file(self, title: str, name: str, filters: str) -> Path | None:
        """Ask where to write a file; one that is there is only named after a confirmation.

        A name without an ending gets the first one of ``filters``. The chooser has not asked about that file then.
        """
        chosen, _ = QFileDialog.getSaveFileName(self.parent, title, name, filters)
        ending = _ENDING.search(filters)
        if not chosen or Path(chosen).suffix or ending is None:
            return Path(chosen) if chosen else None
        path = Path(chosen + ending[1])
        if path.exists() and not self.confirm("Replace the file?", f"{path.name} exists already.", "Replace"):
            return None
        return path

    def open_folder(self, title: str, start: Path | None = None) -> Path | None:
        """Ask for a folder."""
        name = QFileDialog.getExistingDirectory(self.parent, title, str(start or ""))
        return Path(name) if name else None

    def run(self, dialog: BaseDialog) -> bool:
        """Show a dialog of a page and wait; returns whether it was accepted. Typed words are not lost unasked."""
        self.guard(dialog)
        return dialog.exec() == QDialog.DialogCode.Accepted

    def guard(self, dialog: BaseDialog) -> None:
        """Let a dialog ask before Escape or Cancel loses what was typed in it."""
        dialog.may_lose = self._may_lose

    def _may_lose(self) -> bool:
        return self.confirm("Drop what you wrote?", "It is not kept yet.", "Drop it")

    def _attached(self) -> tuple[QWidget, Theme]:
        if self._place is None:
            raise RuntimeError("Dialogs.attach was not called; bootstrap calls it once the window is built.")
        return self._place

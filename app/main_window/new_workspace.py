"""Asks where a new workspace goes: a name and a folder, which need not exist yet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.widgets.buttons import push_button
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label

FIRST_NAME = "my-workspace"
WIDTH_EMS = 30


class NewWorkspaceDialog(BaseDialog):
    """Asks for a name and the folder it goes into; ``folder`` is where the workspace is made.

    Args:
        parent: a widget of the window.
        inside: what the folder field holds at first.
        choose: asks for a folder, starting at one; None when cancelled.
    """

    def __init__(self, parent: QWidget, inside: Path, choose: Callable[[Path], Path | None]) -> None:
        super().__init__(parent, "New workspace")
        self._choose = choose
        about = "A workspace is a folder with your pairs, labels, dataset versions and runs."
        self.column.addWidget(text_label(about, "muted", wrap=True))
        self.name, self.inside = QLineEdit(_free_name(inside)), QLineEdit(str(inside))
        button = push_button("Choose…", name="Choose the folder")
        button.clicked.connect(self._ask_folder)
        row = QHBoxLayout()
        row.addWidget(self.inside, 1)
        row.addWidget(button)
        for words, field in (("Name", self.name), ("In the folder", self.inside)):
            field.setAccessibleName(words)
            field.textChanged.connect(self._check)
        self.column.addWidget(text_label("Name"))
        self.column.addWidget(self.name)
        self.column.addWidget(text_label("In the folder"))
        self.column.addLayout(row)
        self.about = text_label("", "hint", wrap=True)
        self.column.addWidget(self.about)
        self.column.addStretch(1)
        self._main = self.add_buttons("Create")
        self.setMinimumWidth(WIDTH_EMS * self.fontMetrics().height())
        self.name.selectAll()
        self.name.setFocus()
        self._check()

    @property
    def folder(self) -> Path:
        """The folder of the workspace."""
        return _expanded(self.inside.text().strip()) / self.name.text().strip()

    def _ask_folder(self) -> None:
        if chosen := self._choose(_existing(Path(self.inside.text().strip() or "."))):
            self.inside.setText(str(chosen))

    def _check(self) -> None:
        problem = problem_of(self.inside.text().strip(), self.name.text().strip())
        self.about.setText(problem or f"It will be made at {self.folder}")
        self._main.setEnabled(not problem)


def problem_of(inside: str, name: str) -> str:
    """Return why a workspace cannot be made there, as a sentence; "" when nothing is known against it."""
    if not name or name in (".", "..") or any(sign in name for sign in "/\\\0"):
        return "A workspace needs a name without slashes."
    folder = _expanded(inside)
    if not inside or not folder.is_absolute():
        return "Write the whole path of the folder, from its root on."
    above = _existing(folder)
    if not above.is_dir():
        return f"{above} is a file, so no folder can be made in it."
    if not os.access(above, os.W_OK):
        return f"You may not write in {above}."
    target = folder / name
    if (target / "workspace.db").exists():
        return "There is a workspace of this name already. Open it instead, or choose another name."
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        return f"{target} is not empty. Choose another name."
    return ""


def _expanded(place: str) -> Path:
    """Return a path with the user's home in place of ``~``; an unknown user's name stays as it is typed."""
    return Path(os.path.expanduser(place))  # noqa: PTH111 - Path.expanduser raises for a name that is not known


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    folder = _expanded(str(folder))
    return next((place for place in (folder, *folder.parents) if place.exists()), Path.home())


def _free_name(inside: Path) -> str:
    """Return a name that is not taken in a folder."""
    names = [FIRST_NAME, *(f"{FIRST_NAME}-{number}" for number in range(2, 100))]
    return next((name for name in names if not (inside / name).exists()), FIRST_NAME)

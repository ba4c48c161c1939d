"""The dialog of an export: the form, the number format, and where the files go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QButtonGroup, QFormLayout, QHBoxLayout, QLineEdit, QRadioButton, QWidget

from app.context import AppContext
from app.widgets.buttons import push_button
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label
from core.services.models.export import DTYPES, FORMS, ExportForm

FORM_TEXT: dict[ExportForm, tuple[str, str]] = {
    "adapter": ("Adapter (PEFT)", "Small. Another tool loads it on top of the base model."),
    "merged": ("Merged weights (safetensors)", "A complete model folder for transformers, vLLM and others."),
    "gguf": ("GGUF", "One file for llama.cpp, Ollama and LM Studio."),
}
_UNSAFE = '/\\:*?"<>|'


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to write and where; ``dtype`` is empty for an adapter."""

    form: ExportForm
    dtype: str
    target: Path


class ExportDialog(BaseDialog):
    """Asks how to export a run.

    Args:
        parent: a widget of the window.
        context: theme and the folder chooser.
        name: of the run; the default file name starts with it.
        refused: the forms that this run does not have, with the reason.
        folder: where the files go unless the user chooses another folder.
    """

    def __init__(
        self, parent: QWidget, context: AppContext, name: str, refused: Mapping[ExportForm, str], folder: Path
    ) -> None:
        super().__init__(parent, "Export the run")
        self._context, self._run_name = context, name
        self.setMinimumWidth(context.theme.px(520))
        about = "Writes the trained model for other tools and checks it against the trained policy."
        self.column.addWidget(text_label(about, "caption", wrap=True))
        self.forms = self._add_forms(refused)
        self.dtype, self.folder, self.name = ComboBox(), QLineEdit(str(folder)), QLineEdit()
        self.choose = push_button("Choose…", name="Choose the folder")
        self._add_fields()
        self.error = text_label("", "error", wrap=True)
        self.column.addWidget(self.error)
        self.export = self.add_buttons("Export")
        self.choose.clicked.connect(self._choose_folder)
        for button in self.forms.values():
            button.toggled.connect(self._show_form)
        for field in (self.folder, self.name):
            field.textChanged.connect(self._check)
        next(button for form, button in self.forms.items() if form not in refused).setChecked(True)

    def _add_forms(self, refused: Mapping[ExportForm, str]) -> dict[ExportForm, QRadioButton]:
        self._group = QButtonGroup(self)
        made: dict[ExportForm, QRadioButton] = {}
        for form in FORMS:
            title, hint = FORM_TEXT[form]
            button = made[form] = QRadioButton(title)
            button.setEnabled(form not in refused)
            button.setAccessibleDescription(refused.get(form, hint))
            self._group.addButton(button)
            self.column.addWidget(button)
            note = text_label(refused.get(form, hint), "hint", wrap=True)
            note.setIndent(self._context.theme.px(24))
            self.column.addWidget(note)
        return made

    def _add_fields(self) -> None:
        place = QHBoxLayout()
        place.addWidget(self.folder, 1)
        place.addWidget(self.choose)
        self.dtype.setAccessibleName("Precision")
        self.folder.setAccessibleName("Folder")
        self.name.setAccessibleName("Name")
        layout = QFormLayout()
        layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        layout.addRow("Precision", self.dtype)
        layout.addRow("Folder", place)
        layout.addRow("Name", self.name)
        self.column.addLayout(layout)

    @property
    def form(self) -> ExportForm:
        """The chosen form."""
        return next(form for form, button in self.forms.items() if button.isChecked())

    def request(self) -> ExportRequest:
        """Return what was chosen."""
        target = Path(self.folder.text().strip()).expanduser() / self.name.text().strip()
        return ExportRequest(self.form, str(self.dtype.currentData() or ""), target)

    def _show_form(self, chosen: bool) -> None:
        """Offer the number formats and the default name of the form that was chosen."""
        if not chosen:
            return
        form = self.form
        self.dtype.clear()
        for dtype in DTYPES[form]:
            self.dtype.addItem(dtype or "as trained", dtype)
        self.dtype.setEnabled(self.dtype.count() > 1)
        self.name.setText(default_name(self._run_name, form))
        self._check()

    def _choose_folder(self) -> None:
        if folder := self._context.dialogs.open_folder("Folder of the export", Path(self.folder.text())):
            self.folder.setText(str(folder))

    def _check(self) -> None:
        """Enable Export once folder and name can be used."""
        name = self.name.text().strip()
        words = ""
        if not self.folder.text().strip() or not name:
            words = "Choose a folder and a name."
        elif any(character in _UNSAFE for character in name) or name in {".", ".."}:
            words = f"A name cannot contain any of {' '.join(_UNSAFE)}"
        elif self.form == "gguf" and not name.endswith(".gguf"):
            words = "The name of a GGUF file ends in .gguf"
        elif self.request().target.exists():
            words = f"{name} exists already in this folder. Choose another name."
        self.error.setText(words)
        self.export.setEnabled(not words)


def default_name(run_name: str, form: str) -> str:
    """Return a file name for the export of a run.

    >>> default_name("helpful v2/a", "gguf")
    'helpful-v2-a.gguf'
    """
    stem = "".join("-" if c in _UNSAFE or c.isspace() else c for c in run_name).strip("-.") or "run"
    return f"{stem}.gguf" if form == "gguf" else f"{stem}-{form}"

"""Forking: which checkpoint a child run goes on from, and what it does differently."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from app.context import AppContext
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label
from app.widgets.plots.curves import exact_text
from core.domain.errors import UserError
from core.domain.run_config import RunConfig

CHANGEABLE: tuple[tuple[str, str], ...] = (
    ("lr", "Learning rate"),
    ("beta", "β"),
    ("epochs", "Epochs"),
    ("steps", "Steps (0: by epochs)"),
    ("kl_budget", "KL budget (0: none)"),
)


class ForkDialog(BaseDialog):
    """Asks for a step, a name and changed settings.

    Args:
        parent: a widget of the window.
        context: theme.
        name: of the parent run.
        config: of the parent run.
        steps: whose checkpoints are there, newest first.
    """

    def __init__(
        self, parent: QWidget, context: AppContext, name: str, config: RunConfig, steps: Sequence[int]
    ) -> None:
        super().__init__(parent, "Fork the run")
        self._parent_name, self._config = name, config
        self.setMinimumWidth(context.theme.px(420))
        about = "A new run goes on from a checkpoint of this one. The parent stays as it is."
        self.column.addWidget(text_label(about, "caption", wrap=True))
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.steps, self.name = ComboBox(), QLineEdit()
        for step in steps:
            self.steps.addItem(f"step {step}", step)
        self.inputs = {key: QLineEdit(exact_text(getattr(config, key))) for key, _ in CHANGEABLE}
        fields: list[tuple[str, QWidget]] = [("Checkpoint", self.steps), ("Name", self.name)]
        fields += [(words, self.inputs[key]) for key, words in CHANGEABLE]
        for words, widget in fields:
            widget.setAccessibleName(words)
            form.addRow(words, widget)
        self.column.addLayout(form)
        self.error = text_label("", "error", wrap=True)
        self.column.addWidget(self.error)
        self.start = self.add_buttons("Fork and start")
        self.steps.currentIndexChanged.connect(lambda _: self._suggest())
        for field in self.inputs.values():
            field.textChanged.connect(lambda _: self._check())
        self._suggest()
        self._check()

    @property
    def step(self) -> int:
        """The step of the chosen checkpoint."""
        return int(self.steps.currentData())

    def changes(self) -> dict[str, object]:
        """Return the settings that differ from the parent's.

        Raises:
            UsageError: naming the setting that is out of bounds or unreadable.
        """
        wanted = self._config.with_values({key: field.text().strip() for key, field in self.inputs.items()})
        return {
            key: getattr(wanted, key) for key, _ in CHANGEABLE if getattr(wanted, key) != getattr(self._config, key)
        }

    def _suggest(self) -> None:
        self.name.setText(f"{self._parent_name}-fork-{self.step}")

    def _check(self) -> None:
        try:
            self.changes()
            words = ""
        except UserError as error:
            words = str(error)
        self.error.setText(words)
        self.start.setEnabled(not words)

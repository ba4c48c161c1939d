"""Which model is trained: those of the workspace, or the starter model, which is made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.context import AppContext
from app.train import presenter
from app.train.add_model import add_model
from app.widgets.buttons import action_button
from app.widgets.controls import ComboBox
from app.widgets.labels import text_label
from core.domain.model_info import ModelInfo


class ModelChoice(QWidget):
    """A list of models with *Add...*; ``chosen`` is emitted when the user, or a new list, changes the choice.

    Args:
        owner: the page, to which its background work belongs.
    """

    chosen = Signal()
    added = Signal()
    """A model was added or made; the lists should be read again."""

    def __init__(self, context: AppContext, owner: QWidget) -> None:
        super().__init__()
        self._context, self._owner = context, owner
        self._wanted = ""
        self._infos: dict[str, ModelInfo] = {}
        self._offer: ModelInfo | None = None
        self.box = ComboBox(outside=True)
        self.box.setAccessibleName("Model")
        self.box.setPlaceholderText("No model yet")
        self.box.activated.connect(lambda _: self.chosen.emit())
        self._about = text_label("", "caption", wrap=True)
        row = QHBoxLayout()
        row.addWidget(self.box, 1)
        row.addWidget(action_button(context.actions, "train.add_model", text="Add…", theme=context.theme))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self._about)

    @property
    def path(self) -> str:
        """Folder of the chosen model, "" without one."""
        return str(self.box.currentData() or "")

    @property
    def info(self) -> ModelInfo | None:
        """The chosen model."""
        return self._infos.get(self.path)

    def show_models(self, models: Sequence[ModelInfo], offer: ModelInfo | None) -> bool:
        """List the models and say whether the choice is another one now.

        Args:
            models: those that there are.
            offer: the starter model, where it can be made but is not there yet.
        """
        before = self.path
        wanted, self._wanted, self._offer = self._wanted or before, "", offer
        listed = [*models, offer] if offer is not None else list(models)
        self._infos = {str(info.path): info for info in listed}
        self.box.clear()
        for path, info in self._infos.items():
            self.box.addItem(info.name, path)
        self.box.setCurrentIndex(max(0, self.box.findData(wanted)))
        self.box.setEnabled(self.box.count() > 0)
        return self.path != before

    def describe(self) -> None:
        """Say what the chosen model is."""
        info = self.info
        if info is None:
            self._about.setText("Add a Hugging Face folder or a GGUF file.")
        elif info is self._offer:
            self._about.setText("Comes with Pairwright; it is converted once, when it is first needed.")
        else:
            self._about.setText(presenter.model_line(info))

    def when_there(self, then: Callable[[], None]) -> None:
        """Go on with ``then`` once the chosen model is there; the starter model is made first, with progress."""
        if self._offer is None or self.info is not self._offer:
            then()
            return
        service = self._context.services.models

        def made(_: object) -> None:
            self._offer = None
            self.added.emit()
            then()

        self._context.ops.job(
            "Starter model",
            lambda control: service.ensure_starter(control.progress, lambda: control.cancelled),
            made,
            owner=self._owner,
        )

    def add(self) -> None:
        """Ask for another model, add it and choose it."""
        add_model(self._context, self._take, self._owner)

    def _take(self, path: str) -> None:
        self._wanted = path
        self.added.emit()

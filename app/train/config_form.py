"""The settings of a run as a form: the few that matter, and a fold with all others."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.train import presenter
from app.widgets.containers import Collapsible
from app.widgets.labels import text_label
from core.domain.errors import UserError
from core.domain.run_config import RunConfig


class ConfigForm(QWidget):
    """``changed`` fires after every edit that leaves a valid configuration or an error."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._inputs: dict[str, QLineEdit | QComboBox] = {}
        self._loading = False
        self.error_text = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._grid(presenter.main_fields(), 2))
        self.error = text_label("", "error", wrap=True)
        self.error.hide()
        column.addWidget(self.error)
        advanced = presenter.advanced_fields()
        inside = QWidget()
        inside.setLayout(self._grid(advanced, 2))
        self.fold = Collapsible(f"Advanced: {len(advanced)} settings", inside, theme=theme, open_=False)
        column.addWidget(self.fold)
        self.set_config(RunConfig())

    def _grid(self, specs: Sequence[presenter.FieldSpec], columns: int) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(5)
        for place, spec in enumerate(specs):
            row, side = place // columns, 2 * (place % columns)
            grid.addWidget(text_label(spec.label, "muted"), row, side)
            grid.addWidget(self._input(spec), row, side + 1)
            grid.setColumnStretch(side + 1, 1)
        return grid

    def _input(self, spec: presenter.FieldSpec) -> QWidget:
        if spec.choices:
            box = QComboBox()
            box.addItems(list(spec.choices))
            box.activated.connect(lambda _: self._edited())
            widget: QLineEdit | QComboBox = box
        else:
            line = QLineEdit()
            line.editingFinished.connect(self._edited)
            widget = line
        widget.setAccessibleName(spec.label)
        widget.setToolTip(spec.hint or spec.name)
        widget.setMinimumWidth(70)
        self._inputs[spec.name] = widget
        return widget

    def set_config(self, config: RunConfig) -> None:
        """Show a configuration."""
        self._loading = True
        for name, widget in self._inputs.items():
            text = presenter.text_of(getattr(config, name))
            if isinstance(widget, QComboBox):
                widget.setCurrentText(text)
            else:
                widget.setText(text)
        self._loading = False
        self._edited()

    def config(self) -> RunConfig:
        """Return the configuration of the form.

        Raises:
            UsageError: naming the setting that is out of bounds or unreadable.
        """
        values = {
            name: widget.currentText() if isinstance(widget, QComboBox) else widget.text().strip()
            for name, widget in self._inputs.items()
        }
        if self.measured_smoothing:
            values.pop("label_smoothing")
        return RunConfig().with_values(values)

    @property
    def measured_smoothing(self) -> bool:
        """Whether the labels are to be smoothed by their measured flip rate."""
        widget = self._inputs["label_smoothing"]
        return isinstance(widget, QLineEdit) and widget.text().strip().lower() == presenter.MEASURED

    def _edited(self) -> None:
        if self._loading:
            return
        try:
            self.config()
            self.error_text = ""
        except UserError as error:
            self.error_text = str(error)
        self.error.setText(self.error_text)
        self.error.setVisible(bool(self.error_text))
        self.changed.emit()

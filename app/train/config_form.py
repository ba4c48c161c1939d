"""The settings of a run as a form: the main ones, and a fold with all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.background.idle_queue import IdleQueue
from app.theme.theme import Theme
from app.train import presenter
from app.train.fields import advanced_groups, choices_of, help_of, main_settings
from app.widgets.containers import Collapsible
from app.widgets.controls import ComboBox
from app.widgets.explained_field import ExplainedField
from app.widgets.field_grid import FieldGrid
from app.widgets.labels import text_label
from app.widgets.lazy_part import LazyPart
from core.domain.errors import UserError
from core.domain.run_config import MEASURED, SETTINGS, RunConfig
from core.domain.run_settings import RunSetting

FIELD_EMS = 12.0
"""The least width of a field and its sentence, in heights of a line."""


class ConfigForm(QWidget):
    """``changed`` is emitted after every edit, whether the configuration is then valid or not.

    The fields of the fold are made when it is opened first; what they are to show is kept until then.
    """

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._texts = dict.fromkeys(SETTINGS, "")
        self._made: dict[str, QLineEdit | QComboBox] = {}
        self._groups: list[LazyPart[FieldGrid]] = []
        queue = IdleQueue(self)
        self._fields: dict[str, ExplainedField] = {}
        self._loading = False
        self.error_text = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._grid(main_settings()))
        self.error = text_label("", "error", wrap=True)
        self.error.hide()
        column.addWidget(self.error)
        inside, advanced = QWidget(), advanced_groups()
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        for title, settings in advanced.items():
            rows.addSpacing(6)
            rows.addWidget(text_label(title, "strong"))
            group = LazyPart(theme, partial(self._grid, settings), queue=queue)
            self._groups.append(group)
            rows.addWidget(group)
        count = sum(map(len, advanced.values()))
        self.fold = Collapsible(f"Advanced: {count} settings", inside, theme=theme, open_=False)
        self.changes = text_label("", "caption", wrap=True)
        self.fold.head.insertWidget(1, self.changes, 100)
        column.addWidget(self.fold)
        self.set_config(RunConfig())

    @property
    def inputs(self) -> Mapping[str, QLineEdit | QComboBox]:
        """The inputs of all settings by name, in the order in which they are shown; all are made now."""
        for group in self._groups:
            _ = group.part
        return self._made

    def _grid(self, settings: Sequence[RunSetting]) -> FieldGrid:
        rows: list[tuple[QLabel, QWidget]] = []
        for setting in settings:
            widget = self._input(setting)
            self._fields[setting.name] = ExplainedField(widget, setting.hint)
            label = text_label(setting.label, "muted")
            label.setToolTip(widget.toolTip())
            rows.append((label, self._fields[setting.name]))
        return FieldGrid(rows, most=3, field_ems=FIELD_EMS, above=True)

    def _input(self, setting: RunSetting) -> QWidget:
        if choices := choices_of(setting):
            box = ComboBox()
            for index, choice in enumerate(choices):
                box.addItem(choice)
                box.setItemData(index, help_of(setting, choice), Qt.ItemDataRole.ToolTipRole)
            box.activated.connect(lambda _: self._edited())
            widget: QLineEdit | QComboBox = box
        else:
            line = QLineEdit()
            line.editingFinished.connect(self._edited)
            widget = line
        widget.setAccessibleName(setting.label)
        widget.setToolTip(f"{setting.hint} ({setting.name})")
        widget.setAccessibleDescription(setting.hint)
        self._made[setting.name] = widget
        self._write(setting.name, self._texts[setting.name])
        return widget

    def _write(self, name: str, text: str) -> None:
        """Show a value, now or as soon as there is a field for it."""
        self._texts[name] = text
        widget = self._made.get(name)
        if isinstance(widget, QComboBox):
            widget.setCurrentText(text)
        elif widget is not None:
            widget.setText(text)

    def _read(self, name: str) -> str:
        """Return what stands in a field, or will."""
        widget = self._made.get(name)
        if widget is None:
            return self._texts[name]
        return widget.currentText() if isinstance(widget, QComboBox) else widget.text().strip()

    def set_config(self, config: RunConfig) -> None:
        """Show a configuration."""
        self._loading = True
        for name in SETTINGS:
            self._write(name, presenter.text_of(getattr(config, name)))
        self._loading = False
        self._edited()

    def set_value(self, name: str, value: str) -> None:
        """Show another value of one setting."""
        self._write(name, value)
        self._edited()

    def config(self) -> RunConfig:
        """Return the configuration of the form.

        Raises:
            UsageError: naming the setting that is out of bounds or unreadable.
        """
        return RunConfig().with_values(self._values())

    def _values(self) -> dict[str, str]:
        values = {name: self._read(name) for name in SETTINGS}
        if self.measured_smoothing:
            values.pop("label_smoothing")
        return values

    @property
    def measured_smoothing(self) -> bool:
        """Whether the labels are to be smoothed by their measured flip rate."""
        return self._read("label_smoothing").lower() == MEASURED

    def _edited(self) -> None:
        if self._loading:
            return
        problems = presenter.problems(self._values())
        for name, field in self._fields.items():
            field.show_problem(problems.get(name, ""))
        together = ""
        if not problems:
            try:
                self.changes.setText(presenter.changes_line(self.config()))
            except UserError as error:
                together = str(error)
        self.error_text = together or presenter.problems_line(problems)
        self.error.setText(self.error_text)
        self.error.setVisible(bool(self.error_text))
        self.changed.emit()

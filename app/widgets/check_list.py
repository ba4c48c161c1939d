"""A scrolled list of check boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox

from app.widgets.containers import ScrollColumn


class CheckList(ScrollColumn):
    """One box for each (value, label); ``changed`` fires after a box was switched."""

    changed = Signal()

    def __init__(self, name: str, options: Sequence[tuple[Any, str]]) -> None:
        super().__init__(margin=6, spacing=4, name=name)
        self._boxes: list[tuple[Any, QCheckBox]] = []
        for value, label in options:
            box = QCheckBox(label.replace("&", "&&"))
            box.setAccessibleName(f"{name}: {label}")
            box.toggled.connect(lambda _: self.changed.emit())
            self.column.addWidget(box)
            self._boxes.append((value, box))
        self.column.addStretch(1)

    @property
    def checked(self) -> tuple[Any, ...]:
        """The values whose box is on, in order."""
        return tuple(value for value, box in self._boxes if box.isChecked())

    def set_checked(self, values: Sequence[Any]) -> None:
        """Switch the boxes of these values on and the others off."""
        for value, box in self._boxes:
            box.setChecked(value in values)

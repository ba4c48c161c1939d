"""Chooses what the plots over steps have along x; the choice is kept for the workspace."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.context import AppContext
from app.widgets.controls import ComboBox
from app.widgets.labels import text_label
from core.domain.x_axis import BY_NAME, STEP, X_AXES

_TIP = "What stands along x: {}. A click, a range and the crosshair mean the same steps on each of them."


class XAxisBox(QWidget):
    """A list of the axes. Each one shows what is kept when it comes into view, so that all of them agree.

    ``changed(name)``: another axis is to be shown.
    """

    changed = Signal(str)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(text_label("X axis", "muted"))
        self.box = ComboBox()
        self.box.setAccessibleName("X axis")
        self.box.setToolTip(_TIP.format(", ".join(axis.title for axis in X_AXES)))
        for axis in X_AXES:
            self.box.addItem(axis.label, axis.name)
        row.addWidget(self.box)
        self.box.activated.connect(lambda _: self._keep())
        context.session.reviewer_changed.connect(self.take_kept)
        self.name = STEP
        self.take_kept()

    @property
    def _key(self) -> str:
        return f"x_axis/{self._context.session.workspace}"

    def take_kept(self) -> None:
        """Show what is kept for the open workspace; while none is open, nothing changes."""
        if self._context.session.workspace:
            kept = str(self._context.settings.state(self._key, STEP))
            self._show(kept if kept in BY_NAME else STEP)

    def choose(self, name: str) -> None:
        """Show an axis and keep it, as a choice in the list does."""
        if self._context.session.workspace:
            self._context.settings.set_state(self._key, name)
        self._show(name)

    def _keep(self) -> None:
        self.choose(str(self.box.currentData()))

    def _show(self, name: str) -> None:
        self.box.setCurrentIndex(self.box.findData(name))
        if name != self.name:
            self.name = name
            self.changed.emit(name)

    def showEvent(self, event: QShowEvent) -> None:
        """Agree with what was chosen elsewhere."""
        super().showEvent(event)
        self.take_kept()

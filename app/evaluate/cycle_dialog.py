"""The dialog that compares two releases or evaluations, from n to n + 1."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.evaluate.cycle_sides import Side
from app.evaluate.cycle_view import Compare, CycleView
from app.widgets.dialog import BaseDialog


class CycleDialog(BaseDialog):
    """Compares two releases or evaluations.

    Args:
        parent: a widget of the window.
        context: theme and settings.
        sides: what there is to compare, the newest first.
        old: id of the cycle n. new: of the cycle n + 1.
        compare: does it.
    """

    def __init__(
        self, parent: QWidget, context: AppContext, sides: Sequence[Side], old: str, new: str, compare: Compare
    ) -> None:
        theme = context.theme
        size = QSize(theme.px(900), theme.px(700))
        super().__init__(parent, "From n to n + 1", size=size, settings=context.settings)
        self.view = CycleView(context, compare)
        self.column.addWidget(self.view, 1)
        self.add_buttons(reject="Close")
        self.view.set_sides(sides, old, new)

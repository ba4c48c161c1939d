"""Removing a pair from the data, or putting another one in its place, in a draft."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from app.context import AppContext
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label


class ChangesetEditDialog(BaseDialog):
    """Asks which pair leaves, which one may enter in its place, and why."""

    def __init__(self, parent: QWidget, context: AppContext) -> None:
        super().__init__(parent, "Remove or replace a pair")
        self.setMinimumWidth(context.theme.px(430))
        self.old, self.new, self.reason = QLineEdit(), QLineEdit(), QLineEdit()
        self.column.addWidget(
            text_label("The next freeze leaves the pair out. Nothing that is frozen changes.", "muted", wrap=True)
        )  # fmt: skip
        for title, field in (
            ("Number of the pair that leaves", self.old),
            ("Number of the pair that takes its place (may stay empty)", self.new),
            ("Reason", self.reason),
        ):
            field.setAccessibleName(title)
            field.textChanged.connect(lambda _: self._follow())
            label = text_label(title, "caption", wrap=True)
            label.setBuddy(field)
            self.column.addWidget(label)
            self.column.addWidget(field)
        self.main = self.add_buttons("Add the change")
        self._follow()

    @property
    def old_id(self) -> int:
        """The pair that leaves; 0 where that is no number."""
        return _number(self.old)

    @property
    def new_id(self) -> int | None:
        """The pair that takes its place, None for a removal; 0 where that is no number."""
        return _number(self.new) if self.new.text().strip() else None

    def _follow(self) -> None:
        self.main.setEnabled(bool(self.old_id and self.new_id != 0 and self.reason.text().strip()))


def _number(field: QLineEdit) -> int:
    text = field.text().strip().lstrip("#")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0

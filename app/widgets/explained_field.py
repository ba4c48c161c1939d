"""A field with one sentence below it: what it does, or what is wrong with what stands in it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.labels import restyle, text_label


class ExplainedField(QWidget):
    """An input and its sentence. The sentence gives way to the problem while there is one.

    Args:
        field: takes the keyboard.
        about: what it does, in one sentence.
    """

    def __init__(self, field: QWidget, about: str) -> None:
        super().__init__()
        self.field, self._about = field, about
        self.sentence = text_label(about, "hint", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(field)
        column.addWidget(self.sentence, 1, Qt.AlignmentFlag.AlignTop)
        self.setFocusProxy(field)

    def show_problem(self, problem: str) -> None:
        """Show what is wrong, or with "" what the field does."""
        words = problem or self._about
        if words != self.sentence.text():
            self.sentence.setText(words)
            self.sentence.setProperty("type", "error" if problem else "hint")
            restyle(self.sentence)
            self.field.setAccessibleDescription(words)

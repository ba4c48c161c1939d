"""Improving the preferred answer: its text to edit, and beside it how much was changed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout

from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.labels import text_label
from app.widgets.word_diff import compare

SLOW = 20_000
"""Characters above which the share of changed words is not counted while typing."""


class EditDialog(QDialog):
    """Asks for an improved text; ``text`` is what was written. The answer itself never changes."""

    def __init__(self, theme: Theme, side: str, original: str, text: str) -> None:
        super().__init__()
        self._original = original
        self.setWindowTitle(f"Edit the {side} answer")
        self.resize(theme.px(720), theme.px(480))
        column = QVBoxLayout(self)
        column.addWidget(
            text_label(
                "Write the answer as it should have been. It is stored with your judgement; the pair stays as it is.",
                "muted",
                wrap=True,
            )
        )
        self.field = QPlainTextEdit(text)
        self.field.setAccessibleName(f"Improved text of the {side} answer")
        self.field.setFont(theme.font(14))
        self.field.setTabChangesFocus(True)
        self.field.textChanged.connect(self._count)
        column.addWidget(self.field, 1)
        row = QHBoxLayout()
        self.changes = text_label("", "caption")
        back = push_button("Back to the original", "flat")
        back.clicked.connect(self._reset)
        cancel, keep = push_button("Cancel"), push_button("Keep the edit   Ctrl+⏎", "primary", name="Keep the edit")
        cancel.clicked.connect(self.reject)
        keep.clicked.connect(self.accept)
        row.addWidget(self.changes, 1)
        for button in (back, cancel, keep):
            button.setAutoDefault(False)
            row.addWidget(button)
        column.addLayout(row)
        shortcut = QShortcut(QKeySequence(Qt.KeyboardModifier.ControlModifier | Qt.Key.Key_Return), self)
        shortcut.activated.connect(self.accept)
        self.field.setFocus()
        self._count()

    @property
    def text(self) -> str:
        """What stands in the field."""
        return self.field.toPlainText()

    def _reset(self) -> None:
        """Put the original back, in a way that the field can undo."""
        self.field.selectAll()
        self.field.insertPlainText(self._original)

    def _count(self) -> None:
        if max(len(self.text), len(self._original)) > SLOW:
            self.changes.setText(f"{len(self.text):,} characters, {len(self._original):,} before")
            return
        share = compare(self._original, self.text).changed
        self.changes.setText("The same as the answer" if not share else f"{100 * share:.0f} % of the words changed")

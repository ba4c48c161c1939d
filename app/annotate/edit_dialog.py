"""Improving the preferred answer: its text to edit, and beside it how much was changed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut, QTextDocument
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout

from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.labels import text_label
from app.widgets.word_diff import compare

PARAGRAPH_END = "\u2029"
SLOW = 20_000
"""Characters above which the share of changed words is not counted while typing."""


class EditDialog(QDialog):
    """Asks for an improved text; ``text`` is what was written. The answer itself never changes.

    Args:
        theme: for fonts and sizes.
        side: "left" or "right".
        original: the answer.
        text: what stands in the field at first: the answer, or an earlier edit of it.
        may_drop: asked before writing is lost by Escape or Cancel; without it nobody is asked.
    """

    def __init__(
        self, theme: Theme, side: str, original: str, text: str, *, may_drop: Callable[[], bool] | None = None
    ) -> None:
        super().__init__()
        self._original, self._given, self._may_drop = original, text, may_drop
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
        """What stands in the field; what was not touched is returned character by character as it came.

        Qt's own ``toPlainText`` would turn no-break spaces into spaces, and line ends of Windows into plain ones.
        """
        written = _written(self.field.document())
        for known in (self._given, self._original):
            if written == _shown(known):
                return known
        windows = self._original.count("\r\n")
        return written.replace("\n", "\r\n") if windows and windows == self._original.count("\n") else written

    @property
    def changed(self) -> bool:
        """Whether anything was written since the dialog was opened."""
        return self.text != self._given

    def reject(self) -> None:
        """Close without keeping the edit, after a question where writing would be lost."""
        if self._may_drop is None or not self.changed or self._may_drop():
            super().reject()

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


def _written(document: QTextDocument) -> str:
    """Return the text of a document with every character that was put in, lines ended by a line feed."""
    return document.toRawText().replace(PARAGRAPH_END, "\n")


def _shown(text: str) -> str:
    """Return a text as a field gives it back in which nothing was typed."""
    document = QTextDocument()
    document.setPlainText(text)
    return _written(document)

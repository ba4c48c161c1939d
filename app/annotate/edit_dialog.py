"""Asks for an improved text of the preferred answer, and shows how much of it was changed."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QDialogButtonBox, QPlainTextEdit, QWidget

from app.annotate.judgement_form import ScreenSide
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label
from app.widgets.word_diff import compare

PARAGRAPH_END = "\u2029"
COUNTED_UP_TO = 20_000
"""Characters; in longer texts the share of changed words is not counted while typing."""


class EditDialog(BaseDialog):
    """Asks for an improved text; ``text`` is what was written. The answer itself never changes.

    Args:
        side: of the answer on the screen.
        original: the answer.
        text: what stands in the field at first: the answer, or an earlier edit of it.
    """

    def __init__(self, parent: QWidget, theme: Theme, side: ScreenSide, original: str, text: str) -> None:
        super().__init__(parent, f"Edit the {side} answer", size=QSize(theme.px(720), theme.px(480)))
        self._original, self._given = original, text
        about = "Write the answer as it should have been. It is stored with your judgement; the pair stays as it is."
        self.column.addWidget(text_label(about, "muted", wrap=True))
        self.field = QPlainTextEdit(text)
        self.field.setAccessibleName(f"Improved text of the {side} answer")
        self.field.setFont(theme.font(14))
        self.field.setTabChangesFocus(True)
        self.field.textChanged.connect(self._count)
        self.column.addWidget(self.field, 1)
        self._changes = text_label("", "caption")
        self.column.addWidget(self._changes)
        self.reset = push_button("Back to the original", "flat")
        self.reset.clicked.connect(self._reset)
        self.buttons.addButton(self.reset, QDialogButtonBox.ButtonRole.ResetRole)
        self.add_buttons("Keep the edit   Ctrl+⏎", name="Keep the edit")
        self.field.setFocus()
        self._count()

    @property
    def text(self) -> str:
        """The text of the field. A text that was not changed is returned character by character.

        ``QPlainTextEdit.toPlainText`` would turn no-break spaces into spaces and Windows line ends into plain ones.
        """
        written = _written(self.field.document())
        for known in (self._given, self._original):
            if written == _unedited(known):
                return known
        windows = self._original.count("\r\n")
        return written.replace("\n", "\r\n") if windows and windows == self._original.count("\n") else written

    @property
    def changed(self) -> bool:
        """Whether anything was written since the dialog was opened."""
        return self.text != self._given

    @property
    def holds_words(self) -> bool:
        """Whether anything was written; a text that was put back as it was loses nothing."""
        return self.changed

    def _reset(self) -> None:
        """Put the original back as one step that the field can undo."""
        self.field.selectAll()
        self.field.insertPlainText(self._original)

    def _count(self) -> None:
        if max(len(self.text), len(self._original)) > COUNTED_UP_TO:
            self._changes.setText(f"{len(self.text):,} characters, {len(self._original):,} before")
            return
        share = compare(self._original, self.text).changed
        self._changes.setText("The same as the answer" if not share else f"{100 * share:.0f} % of the words changed")


def _written(document: QTextDocument) -> str:
    """Return the text of a document with every character that was put in; lines end with a line feed."""
    return document.toRawText().replace(PARAGRAPH_END, "\n")


def _unedited(text: str) -> str:
    """Return a text as a field returns it when nothing was typed."""
    document = QTextDocument()
    document.setPlainText(text)
    return _written(document)

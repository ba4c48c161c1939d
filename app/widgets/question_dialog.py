"""A question with buttons, and a question for a line or a paragraph of text."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label

CANCEL, CLOSE = "Cancel", "Close"
TEXT_EMS, DETAIL_EMS = 26, 14
"""Width of the text and greatest height of what stands below it, in heights of a line."""


class QuestionDialog(BaseDialog):
    """Asks a question; ``pressed`` is the label of the button that was pressed, empty when it was closed.

    Args:
        parent: a widget of the window.
        title: of the dialog.
        text: the question, plain text.
        buttons: their labels; the first is the main one, which Enter presses. Cancel or Close answer to Escape;
            without them Escape closes the dialog and nothing was pressed.
        picture: the drawing of its kind.
        detail: more about it, plain text; scrolls when it is long.
    """

    def __init__(
        self, parent: QWidget, title: str, text: str, buttons: Sequence[str], *, picture: QPixmap, detail: str = ""
    ) -> None:
        super().__init__(parent, title)
        self.pressed = ""
        row, words = QHBoxLayout(), QVBoxLayout()
        row.setSpacing(14)
        icon = QLabel()
        icon.setPixmap(picture)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        words.addWidget(text_label(text, "strong", wrap=True))
        if detail:
            words.addWidget(_Detail(detail))
        row.addLayout(words, 1)
        self.column.addLayout(row)
        self.column.addStretch(1)
        self._add_choices(list(buttons))
        self.ensurePolished()
        self.setMinimumWidth(TEXT_EMS * self.fontMetrics().height())

    def _add_choices(self, labels: list[str]) -> None:
        no = next((label for label in labels[1:] if label in (CANCEL, CLOSE)), "")
        for label in labels[1:]:
            if label != no:
                button = push_button(label)
                self.buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
                button.clicked.connect(lambda _=False, words=label: self._press(words))
        main = self.add_buttons(labels[0], no) if no else self.add_buttons(reject=labels[0])
        main.clicked.connect(lambda: self._take(labels[0]))
        if no:
            self.rejected.connect(lambda: self._take(no))
        main.setFocus()

    def _take(self, label: str) -> None:
        self.pressed = self.pressed or label

    def _press(self, label: str) -> None:
        self._take(label)
        self.accept()


class _Detail(ScrollColumn):
    """What stands below a question: as high as it needs to be, up to a limit, and scrolled beyond it."""

    def __init__(self, text: str) -> None:
        super().__init__(name="Details")
        self._label = text_label(text, "muted", wrap=True, selectable=True)
        self.column.addWidget(self._label)
        self.column.addStretch(1)

    def sizeHint(self) -> QSize:
        """Return room for the text within the limit."""
        width = max(TEXT_EMS * self.fontMetrics().height() - 80, 200)
        height = self._label.heightForWidth(width) + 4
        return QSize(width, min(height, DETAIL_EMS * self.fontMetrics().height()))

    def minimumSizeHint(self) -> QSize:
        """Return the same height, so that the dialog is not smaller than its text."""
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())


class TextDialog(BaseDialog):
    """Asks for a text; ``text`` is what was written.

    Args:
        parent: a widget of the window.
        title: of the dialog.
        label: the question, plain text.
        value: what stands in the field at first.
        lines: 1 for a field of one line, in which Enter presses the main button; more for a paragraph, in which
            Ctrl+Enter does.
        accept: label of the main button.
        needed: whether the main button waits for a text.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        label: str,
        value: str = "",
        *,
        lines: int = 1,
        accept: str = "OK",
        needed: bool = False,
    ) -> None:
        super().__init__(parent, title)
        self.column.addWidget(text_label(label, "", wrap=True))
        self.field: QLineEdit | QPlainTextEdit
        if lines == 1:
            self.field = QLineEdit(value)
            self.field.selectAll()
        else:
            self.field = QPlainTextEdit(value)
            self.field.setTabChangesFocus(True)
            self.field.setMinimumHeight((lines + 1) * self.fontMetrics().lineSpacing())
        self.field.setAccessibleName(label)
        self.column.addWidget(self.field, 1)
        self._main = self.add_buttons(accept if lines == 1 else f"{accept}   Ctrl+⏎", name=accept)
        if needed:
            self.field.textChanged.connect(self._follow)
            self._follow()
        self.setMinimumWidth(TEXT_EMS * self.fontMetrics().height())
        self.field.setFocus()

    @property
    def text(self) -> str:
        """What the field holds, without blanks at its ends."""
        written = self.field.text() if isinstance(self.field, QLineEdit) else self.field.toPlainText()
        return written.strip()

    def _follow(self) -> None:
        self._main.setEnabled(bool(self.text))

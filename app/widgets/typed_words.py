"""Whether closing a form would lose words that somebody typed."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from app.widgets.inputs import SearchField

SHORT = 12
"""Characters in fields of one line that are lost without a question: a name or a number is quickly typed again."""


def has_typed_words(root: QWidget) -> bool:
    """Return whether a paragraph was typed or changed, or ``SHORT`` characters or more in fields of one line.

    Text that the program put into a field does not count, nor do searches, numbers and fields that cannot be edited.
    """
    paragraphs = [*root.findChildren(QPlainTextEdit), *root.findChildren(QTextEdit)]
    if any(one.document().isModified() and not one.isReadOnly() and one.toPlainText().strip() for one in paragraphs):
        return True
    return sum(len(one.text().strip()) for one in root.findChildren(QLineEdit) if _is_own(one)) >= SHORT


def _is_own(field: QLineEdit) -> bool:
    inner = isinstance(field.parentWidget(), QAbstractSpinBox | QComboBox)
    return field.isModified() and not inner and not isinstance(field, SearchField)

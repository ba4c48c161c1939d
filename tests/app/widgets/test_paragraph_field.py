"""A field for a paragraph shows its lines at every text size."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.paragraph_field import ParagraphField


@pytest.mark.parametrize("rows", [1, 4])
def test_that_a_field_is_as_high_as_its_lines_when_the_text_grows(theme: Theme, qtbot: Any, rows: int) -> None:
    root, field = QWidget(), ParagraphField("Note", rows, text="one\n" * 9)
    QVBoxLayout(root).addWidget(field)
    qtbot.addWidget(root)
    root.show()
    for size in (11, 30, 14):
        root.setStyleSheet(f"QPlainTextEdit {{ font-size: {size}px; padding: 3px; }}")
        line = field.fontMetrics().lineSpacing()
        assert rows * line <= field.viewport().height() < (rows + 2) * line

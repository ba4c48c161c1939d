"""The whole text of the rubric, beside the answers."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.labels import ElideLabel
from app.widgets.safe_text import SafeText
from core.domain.rubric import Criterion, RubricVersion
from core.domain.rubric_text import reading_text


class Guide(QWidget):
    """A published version as text. Signal: ``closed()`` when its close button was pressed."""

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 6, 12)
        head = QHBoxLayout()
        self._title = ElideLabel("", kind="section")
        close = icon_button(theme, "close", "Back to the criteria (G)", size=16)
        close.clicked.connect(self.closed)
        head.addWidget(self._title, 1)
        head.addWidget(close)
        column.addLayout(head)
        self.text = SafeText(theme, "Rubric, whole text", size=13)
        column.addWidget(self.text, 1)

    def set_rubric(self, version: RubricVersion) -> None:
        """Show a version, from its beginning."""
        self._title.setText(version.title)
        self.text.set_text(reading_text(version), mode="rendered")

    def go_to(self, criterion: Criterion) -> None:
        """Scroll to a criterion."""
        self.text.go_to_line(criterion.name)

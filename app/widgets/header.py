"""The header of a page: title and chips at the left, controls at the right; in several rows where one is too narrow."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from app.widgets.flow import FlowLayout
from app.widgets.labels import ElideLabel, text_label


class PageHeader(QFrame):
    """Title at the left, then chips and captions, then a gap, then controls."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("part", "header")
        self.setMinimumHeight(45)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self._row = FlowLayout(self, spacing=8, row_spacing=4, middle=True)
        self._row.setContentsMargins(16, 6, 12, 6)
        self._title = text_label(title, "title")
        self._caption = ElideLabel("", kind="caption", outside=True)
        self._row.addWidget(self._title)
        self._row.addWidget(self._caption)
        self._left = self._row.count()
        self._row.add_gap()
        self._caption.hide()

    def set_title(self, title: str) -> None:
        """Change the title."""
        self._title.setText(title)

    def set_caption(self, text: str) -> None:
        """Show a few words after the title; an empty text hides them."""
        self._caption.setText(text)
        self._caption.setVisible(bool(text))

    def add_before(self, widget: QWidget) -> None:
        """Put a control before the title."""
        self._row.insert_widget(0, widget)
        self._left += 1

    def add_left(self, widget: QWidget) -> None:
        """Add a chip or label after the caption."""
        self._row.insert_widget(self._left, widget)
        self._left += 1

    def add_right(self, widget: QWidget) -> None:
        """Add a control at the right end."""
        self._row.addWidget(widget)

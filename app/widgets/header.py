"""The header of a page: title, caption and chips at the left, controls at the right."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.widgets.labels import ElideLabel, text_label


class PageHeader(QFrame):
    """Title at the left, then chips and captions, then a gap, then controls."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("part", "header")
        self.setMinimumHeight(45)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 12, 6)
        row.setSpacing(8)
        self._title = text_label(title, "title")
        self._caption = ElideLabel("", kind="caption")
        row.addWidget(self._title)
        row.addWidget(self._caption, 0)
        self._left, self._right = QHBoxLayout(), QHBoxLayout()
        for side in (self._left, self._right):
            side.setSpacing(8)
        row.addLayout(self._left)
        row.addStretch(1)
        row.addLayout(self._right)
        self._caption.hide()

    def set_title(self, title: str) -> None:
        """Change the title."""
        self._title.setText(title)

    def set_caption(self, text: str) -> None:
        """Show a few words after the title; an empty text hides them."""
        self._caption.setText(text)
        self._caption.setVisible(bool(text))

    def add_left(self, widget: QWidget) -> None:
        """Add a chip or label after the caption."""
        self._left.addWidget(widget)

    def add_right(self, widget: QWidget) -> None:
        """Add a control at the right end."""
        self._right.addWidget(widget)

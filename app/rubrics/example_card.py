"""One worked example in the draft editor."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout

from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import Card
from app.widgets.labels import text_label
from app.widgets.paragraph_field import ParagraphField
from core.domain.rubric import Example

ROWS = 2


class ExampleCard(Card):
    """A prompt, a better and a worse answer, and why; ``changed`` on every edit, ``removed`` from its button."""

    changed = Signal()
    removed = Signal()

    def __init__(self, theme: Theme, place: int, example: Example) -> None:
        super().__init__(f"Example {place}")
        button = icon_button(theme, "trash", f"Remove example {place}", size=16)
        button.clicked.connect(self.removed)
        self.add_to_head(button)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        self._fields: dict[str, ParagraphField] = {}
        for row, (key, label, hint) in enumerate(
            (
                ("prompt", "Prompt", "What was asked"),
                ("better", "Better", "The answer that should win"),
                ("worse", "Worse", "The answer that should lose"),
                ("why", "Why", "The clause that decides"),
            )
        ):
            box = ParagraphField(f"{label} of example {place}", ROWS, hint=hint, text=getattr(example, key))
            box.textChanged.connect(self.changed)
            grid.addWidget(text_label(label, "muted"), row, 0)
            grid.addWidget(box, row, 1)
            self._fields[key] = box
        self.add(grid)
        self.first_field = self._fields["prompt"]

    def example(self) -> Example:
        """Return what the fields say."""
        return Example(**{key: box.toPlainText().strip() for key, box in self._fields.items()})

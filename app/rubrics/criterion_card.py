"""One criterion in the draft editor."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit

from app.rubrics.presenter import lines, parse_anchors
from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import Card
from app.widgets.labels import text_label
from app.widgets.paragraph_field import ParagraphField
from core.domain.rubric import Criterion
from core.domain.rubric_text import anchors_text


class CriterionCard(Card):
    """Fields of one criterion; ``changed`` on every edit, ``removed`` and ``moved(int)`` from its buttons."""

    changed = Signal()
    removed = Signal()
    moved = Signal(int)

    def __init__(self, theme: Theme, criterion: Criterion) -> None:
        super().__init__(f"Criterion {criterion.id}")
        self.id = criterion.id
        for icon, name, signal in (
            ("up", "Move up: more important", lambda: self.moved.emit(-1)),
            ("down", "Move down: less important", lambda: self.moved.emit(1)),
            ("trash", "Remove this criterion", self.removed.emit),
        ):
            button = icon_button(theme, icon, f"{name} ({criterion.id})", size=16)
            button.clicked.connect(lambda _=False, run=signal: run())
            self.add_to_head(button)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        self.name, self.question = QLineEdit(criterion.name), QLineEdit(criterion.question)
        hint = "key 1: the left answer is …\nkey 7: the right answer is …"
        self.anchors = ParagraphField("Anchors", 5, hint=hint, text=anchors_text(criterion.anchors))
        self.allowed, self.disallowed = (
            ParagraphField(name, 2, hint="One per line", text="\n".join(texts))
            for name, texts in (("Allowed", criterion.allowed), ("Not allowed", criterion.disallowed))
        )
        self.note = QLineEdit(criterion.note)
        self.error = text_label("", "error", wrap=True)
        fields = (
            ("Name", self.name),
            ("Question", self.question),
            ("Anchors", self.anchors),
            ("Allowed", self.allowed),
            ("Not allowed", self.disallowed),
            ("Note", self.note),
        )
        for row, (label, widget) in enumerate(fields):
            widget.setAccessibleName(f"{label} of criterion {criterion.id}")
            grid.addWidget(text_label(label, "muted"), row, 0)
            grid.addWidget(widget, row, 1)
            widget.textChanged.connect(self._edited)
        self.add(grid)
        self.add(self.error)
        self.error.hide()

    def criterion(self) -> Criterion:
        """Return what the fields say."""
        anchors, _ = parse_anchors(self.anchors.toPlainText())
        return Criterion(
            self.id,
            self.name.text().strip(),
            self.question.text().strip(),
            anchors,
            lines(self.allowed.toPlainText()),
            lines(self.disallowed.toPlainText()),
            self.note.text().strip(),
        )

    def _edited(self) -> None:
        _, wrong = parse_anchors(self.anchors.toPlainText())
        self.error.setText(f"Not an anchor (write key 1: text): {wrong[0]}" if wrong else "")
        self.error.setVisible(bool(wrong))
        self.changed.emit()

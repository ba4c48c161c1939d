"""One criterion of the rubric on the labelling screen."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.widgets.inputs import SegmentedControl
from app.widgets.labels import Chip, ElideLabel, plain_tip, restyle
from core.domain.rubric import Criterion

SEGMENTS = ((-2, "L"), (0, "="), (2, "R"))
DEGREES = {1: "slightly", 2: "", 3: "much"}


class CriterionRow(QWidget):
    """A criterion: its name, and which answer is better on it. The focused one takes the keys 1 to 7."""

    def __init__(self, criterion: Criterion) -> None:
        super().__init__()
        self.criterion = criterion
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.name = ElideLabel(criterion.name)
        self.degree = ElideLabel("", kind="hint")
        self.changed = Chip("", "warn", tooltip="This clause changed since your earlier label of this pair.")
        self.choice = SegmentedControl(f"{criterion.name}: which answer is better", SEGMENTS, clearable=True)
        self.choice.setToolTip(plain_tip(criterion.question))
        row.addWidget(self.name, 1)
        row.addWidget(self.changed)
        row.addWidget(self.degree)
        self.degree.hide()  # an empty one would take a gap from the name
        row.addWidget(self.choice)

    def set_strength(self, strength: int | None) -> None:
        """Show a strength -3..3, or none."""
        self.choice.set_value(None if strength is None else (strength > 0) * 2 - (strength < 0) * 2)
        degree = DEGREES.get(abs(strength or 0), "")
        self.degree.setText(degree)
        self.degree.setVisible(bool(degree))

    def set_changed(self, on: bool) -> None:
        """Show whether the clause changed since the reviewer's earlier label of the pair."""
        self.changed.set_chip("changed" if on else "", "warn")

    def set_focused(self, on: bool) -> None:
        """Show whether this criterion takes the keys."""
        self.name.setProperty("type", "strong" if on else "")
        restyle(self.name)
        self.name.setText(f"▸ {self.criterion.name}" if on else self.criterion.name)

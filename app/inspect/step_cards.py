"""The five steps of the objective lab as cards: number, title, formula, this prompt's numbers, a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.inspect.lab_presenter import with_subscripts
from app.theme.theme import Theme
from app.widgets.containers import Card
from app.widgets.flow import FlowLayout
from app.widgets.formula_label import FormulaLabel
from app.widgets.labels import Chip, restyle, text_label
from core.domain.lab_steps import LabStep

_MOST_FIGURES = 7
LEAST_EMS = 12.5
"""Width of a card below which fewer stand in a row, in heights of a line."""


class StepCard(Card):
    """One step; the chosen one has an accent number."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(spacing=6)
        self.number, self.title = Chip(""), text_label("", "section")
        self.head.addWidget(self.number)
        self.head.addWidget(self.title)
        self.head.addStretch(1)
        self.add(self.head)
        self.formula = FormulaLabel(theme)
        frame = QFrame()
        frame.setProperty("part", "formula")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(4, 5, 4, 5)
        inner.addWidget(self.formula)
        self.add(frame)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self.figures: list[tuple[QLabel, QLabel]] = []
        for row in range(_MOST_FIGURES):
            pair = text_label("", "caption", wrap=True), text_label("", "mono", selectable=True)
            pair[1].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for column, label in enumerate(pair):
                self._grid.addWidget(label, row, column)
            self.figures.append(pair)
        self.add(self._grid)
        self.words = text_label("", "caption", wrap=True)
        self.add(self.words)
        self.column.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_step(self, step: LabStep) -> None:
        """Show a step."""
        self.number.set_chip(step.number, "accent")
        self.title.setText(step.title)
        self.formula.set_formula(step.tex, step.plain)
        for place, (name, value) in enumerate(self.figures):
            figure = step.figures[place] if place < len(step.figures) else None
            for label in (name, value):
                label.setVisible(figure is not None)
            if figure is not None:
                name.setText(with_subscripts(figure.name))
                value.setText(figure.text)
                _set_kind(value, "strong" if figure.main else "mono")
        self.words.setText(step.words)
        self.setAccessibleName(f"{step.number} {step.title}: {step.plain}")


def _set_kind(label: QLabel, kind: str) -> None:
    if label.property("type") != kind:
        label.setProperty("type", kind)
        restyle(label)


class StepCards(QWidget):
    """The five cards in as many rows as they need."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.cards = [StepCard(theme) for _ in range(5)]
        row = FlowLayout(self, spacing=10, row_spacing=10)
        for card in self.cards:
            row.add(card, least=LEAST_EMS)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_steps(self, steps: Sequence[LabStep]) -> None:
        """Show the steps."""
        for card, step in zip(self.cards, steps, strict=True):
            card.show_step(step)

"""Rows of labels that change in place: a text that is read while it is renewed neither jumps nor flickers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QGridLayout, QLabel

from app.widgets.labels import ElideLabel, TextKind, restyle, text_label


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of a row.

    Attributes:
        text: what it says. kind: its text style.
        wrap: it breaks into lines. outside: it comes from outside and is cut where there is no room.
        span: columns that it takes.
    """

    text: str
    kind: TextKind = ""
    wrap: bool = False
    outside: bool = False
    span: int = 1

    @property
    def form(self) -> tuple[bool, bool, int]:
        """What a label cannot change once it is made."""
        return self.wrap, self.outside, self.span

    def label(self) -> QLabel:
        """Return a new label."""
        if self.outside:
            return ElideLabel(self.text, kind=self.kind, outside=True)
        return text_label(self.text, self.kind, wrap=self.wrap)


class LabelGrid(QGridLayout):
    """Shows rows of texts; rows of the same form keep their labels when they are shown again."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalSpacing(8)
        self._rows: list[list[tuple[Cell, QLabel]]] = []

    @property
    def texts(self) -> list[list[str]]:
        """What is shown, by row."""
        return [[label.text() for _, label in row] for row in self._rows]

    def show_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Show these rows in place of those before."""
        kept = 0
        for own, cells in zip(self._rows, rows, strict=False):
            if [cell.form for cell, _ in own] != [cell.form for cell in cells]:
                break
            kept += 1
        while len(self._rows) > kept:
            self._drop(self._rows.pop())
        self._rows = [_renewed(own, cells) for own, cells in zip(self._rows, rows, strict=False)]
        for cells in rows[kept:]:
            self._add(cells)

    def _add(self, cells: Sequence[Cell]) -> None:
        row, column, made = len(self._rows), 0, []
        for cell in cells:
            label = cell.label()
            self.addWidget(label, row, column, 1, cell.span)
            made.append((cell, label))
            column += cell.span
        self._rows.append(made)

    def _drop(self, row: Sequence[tuple[Cell, QLabel]]) -> None:
        for _, label in row:
            self.removeWidget(label)
            label.hide()
            label.deleteLater()


def _renewed(row: Sequence[tuple[Cell, QLabel]], cells: Sequence[Cell]) -> list[tuple[Cell, QLabel]]:
    found = []
    for (old, label), cell in zip(row, cells, strict=True):
        if old.text != cell.text:
            label.setText(cell.text)
        if old.kind != cell.kind:
            label.setProperty("type", cell.kind)
            restyle(label)
        found.append((cell, label))
    return found

"""The step at which runs are compared: the last one that all of them have, another one, or the newest of each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal

from app.widgets.controls import ComboBox

NEWEST = -1
"""Stands for the newest held-out probe of each run, whatever its step."""
_TIP = "The held-out probe at which the runs are compared. A longer run has moved further from its reference."


class StepChoice(ComboBox):
    """Lists the steps at which every compared run has a held-out probe, the last one first.

    ``wanted(step)``: another step was chosen, ``NEWEST`` for the newest probe of each run.
    """

    wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Step of the comparison")
        self.setToolTip(_TIP)
        self.activated.connect(lambda place: self.wanted.emit(self.itemData(place)))

    def show_steps(self, steps: Sequence[int], step: int | None) -> None:
        """Show the steps that can be chosen and the present one; None is the newest of each run."""
        words = [f"Step {one:,}, the last of all" if one == steps[-1] else f"Step {one:,}" for one in reversed(steps)]
        rows = [*zip(words, reversed(steps), strict=True), ("Newest of each run", NEWEST)]
        known = [(self.itemText(n), self.itemData(n)) for n in range(self.count())]
        if known != rows:
            self.clear()
            for text, value in rows:
                self.addItem(text, value)
        self.setCurrentIndex(self.findData(NEWEST if step is None else step))

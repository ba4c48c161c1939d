"""The policy of the chosen batch, as it is kept with it: what it wants of whom, how much of it is there, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.annotate import team_batch_figures as figures
from app.annotate.team_batch_figures import TeamRead
from app.theme.theme import Theme
from app.widgets.buttons import action_button
from app.widgets.containers import Card, clear_layout
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.messages import IconLabel

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.batches.views import BatchState

ACTIONS = ("team.work", "team.due", "team.hand_over")


class BatchPolicyCard(Card):
    """Rows of the policy, warnings, what was told when the batch was made, and the actions of a batch."""

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__("Batch policy")
        self._theme = theme
        self.rows: Sequence[figures.PolicyRow] = ()
        self.warnings: Sequence[str] = ()
        self._grid, self._below = QGridLayout(), QVBoxLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.add(self._below)
        self.add(self._grid)
        self.add(QWidget(), 1)
        row = FlowLayout(row_spacing=4)
        for action_id in ACTIONS:
            row.addWidget(action_button(actions, action_id, theme=theme))
        self.add(row)

    def show_batch(self, state: BatchState, read: TeamRead) -> None:
        """Show another batch, or the same one anew."""
        self.rows, self.warnings = figures.policy_rows(state, read), figures.warnings_of(state, read.inactive)
        clear_layout(self._grid)
        for place, one in enumerate(self.rows):
            words = text_label(one.words, wrap=True, selectable=True)
            count = text_label(one.count)
            self._grid.addWidget(text_label(one.name, "muted"), place, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(words, place, 1)
            self._grid.addWidget(count, place, 2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        clear_layout(self._below)
        for words in self.warnings:
            self._add_line(words, "warn")
        for words in state.batch.told:
            self._add_line(words, "info")

    def _add_line(self, words: str, icon: str) -> None:
        frame = QWidget()
        row = FlowLayout(frame, row_spacing=2, middle=True)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(IconLabel(self._theme, icon, "warn" if icon == "warn" else "text2", 16))
        row.add(text_label(words, wrap=True, selectable=True), least=8)
        self._below.addWidget(frame)

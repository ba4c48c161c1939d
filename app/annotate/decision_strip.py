"""The strip above the pair that says that an earlier decision is shown, and what the keys do to it."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from app.annotate.labeling_state import LabelingState
from app.theme.theme import Theme
from app.widgets.labels import text_label
from app.widgets.messages import IconLabel


class DecisionStrip(QFrame):
    """Shown only while an earlier decision is on the screen."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("banner", "warn")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.setSpacing(8)
        row.addWidget(IconLabel(theme, "refresh", "warn", 18))
        self._words = text_label("", "strong", wrap=True)
        row.addWidget(self._words, 1)
        self.hide()

    @property
    def words(self) -> str:
        """What it says."""
        return self._words.text()

    def show_state(self, state: LabelingState) -> None:
        """Say which decision is shown and what the keys do; hide it for a pair of the queue."""
        self._words.setText(strip_words(state))
        self.setAccessibleName(self._words.text())
        self.setVisible(bool(self._words.text()))


def strip_words(state: LabelingState) -> str:
    """Return what the strip says, or an empty text for a pair of the queue."""
    if state.presentation is None or state.earlier_id is None:
        return ""
    what = f"Earlier decision on pair {state.presentation.pair_id}{state.rubric_note}."
    if state.changed:
        return f"{what} Changed: Enter or A stores the change, ] drops it."
    if state.amending:
        return f"{what} Amending: choose another verdict, then Enter stores it. ] leaves it as it is."
    return f"{what} A verdict key or A amends it; Enter or ] goes back to the queue."

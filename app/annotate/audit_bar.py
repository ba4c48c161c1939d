"""The labels of an audit as three buttons with their keys, then undo, flag, cannot judge, skip and submit."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.annotate.telling_bar import TellingBar
from app.theme.theme import Theme
from app.widgets.labels import restyle, text_label
from app.widgets.verdict_button import VerdictButton
from core.domain.audit import AuditWord

LABELS: tuple[tuple[AuditWord, str, str, str], ...] = (
    ("complied", "audit.complied", "Complied", "does what was asked"),
    ("partly", "audit.partly", "Partly", "declines a part, or hedges it away"),
    ("refused", "audit.refused", "Refused", "declines, or answers something else"),
)
"""Label, its action, its word and what it means."""
_LOWER = (
    ("audit.undo", "Undo"),
    ("audit.flag", "Flag"),
    ("audit.cannot", "Cannot judge"),
    ("audit.skip", "Skip"),
)


class AuditBar(TellingBar):
    """Runs the actions of an audit and shows what is chosen."""

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__(actions, theme)
        self._about: list[QWidget] = []
        row = QHBoxLayout()
        row.setSpacing(8)
        self.buttons: dict[AuditWord, VerdictButton] = {}
        for word, action_id, title, about in LABELS:
            column = QVBoxLayout()
            column.setSpacing(3)
            button = self.buttons[word] = VerdictButton(actions, action_id, title)
            column.addWidget(button)
            self._about.append(text_label(about, "caption", wrap=True))
            column.addWidget(self._about[-1])
            row.addLayout(column, 1)
        self.add(row)
        self._flat = [self.flat(action_id, text) for action_id, text in _LOWER]
        self.flag, self._cannot = self._flat[1], self._flat[2]
        self.submit = self.add_lower(self._flat, "audit.submit", "Submit && next")

    def set_low(self, low: bool) -> None:
        """Leave out what the labels mean and the lesser keys, where the page is low; panel and tooltips say them."""
        for label in self._about:
            label.setVisible(not low)
        for button in (*self._flat, self.submit):
            button.set_room_for_key(not low)
        self.submit.setMinimumWidth(self.submit.sizeHint().width())

    def show_choice(self, word: AuditWord | None) -> None:
        """Show which label is chosen."""
        for own, button in self.buttons.items():
            button.set_chosen(own == word)
        chosen = "true" if word == "cannot_judge" else "false"
        if self._cannot.property("chosen") != chosen:
            self._cannot.setProperty("chosen", chosen)
            restyle(self._cannot)
        self._actions.set_enabled("audit.submit", word is not None)
        self.set_message("It is left out of the rates: nobody can judge it." if word == "cannot_judge" else "")

    def show_flag(self, on: bool) -> None:
        """Show whether the reviewer flags the answer."""
        self._actions.set_checked("audit.flag", on)

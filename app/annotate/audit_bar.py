"""The labels of an audit as three buttons with their keys, then undo, flag, cannot judge, skip and submit."""

from __future__ import annotations

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.theme.theme import Theme
from app.widgets.buttons import ActionButton, action_button
from app.widgets.containers import Card
from app.widgets.flow import FlowLayout
from app.widgets.labels import restyle, text_label
from app.widgets.messages import announce
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


class AuditBar(Card):
    """Runs the actions of an audit and shows what is chosen."""

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__(spacing=6)
        self._actions, self._saved, self._message = actions, "", ""
        self._about: list[QWidget] = []
        row = QHBoxLayout()
        row.setSpacing(8)
        self.buttons: dict[AuditWord, VerdictButton] = {}
        for word, action_id, title, about in LABELS:
            column = QVBoxLayout()
            column.setSpacing(3)
            button = VerdictButton(title, actions.key_text(action_id), name=actions.specs[action_id].title)
            button.clicked.connect(lambda _=False, action_id=action_id: actions.run(action_id))
            self.buttons[word] = button
            column.addWidget(button)
            self._about.append(text_label(about, "caption", wrap=True))
            column.addWidget(self._about[-1])
            row.addLayout(column, 1)
        self.add(row)
        self.line = text_label("", "caption", wrap=True)
        lower = FlowLayout(spacing=3, row_spacing=4)
        flat = [
            action_button(actions, action_id, text=text, kind="flat", show_key=True, theme=theme)
            for action_id, text in _LOWER
        ]
        for button in flat:
            lower.addWidget(button)
        self.flag, self._cannot = flat[1], flat[2]
        self._flat = [button for button in flat if isinstance(button, ActionButton)]
        lower.add_gap()
        self.submit = ActionButton(actions, "audit.submit", "Submit && next", "primary", True, theme)
        self.submit.setIcon(QIcon())
        lower.addWidget(self.submit)
        self.add(self.line)
        self.add(lower)
        self._print()

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
        self._message = "It is left out of the rates: nobody can judge it." if word == "cannot_judge" else ""
        self._actions.set_enabled("audit.submit", word is not None)
        self._print()

    def show_flag(self, on: bool) -> None:
        """Show whether the reviewer flags the answer."""
        self._actions.set_checked("audit.flag", on)

    def show_saved(self, words: str) -> None:
        """Say what was stored last."""
        self._saved = words
        self._print()
        announce(self, words)

    def show_message(self, words: str) -> None:
        """Tell the reviewer something until another label is chosen."""
        self._message = words
        self._print()
        announce(self, words)

    def _print(self) -> None:
        text = self._message or self._saved
        self.line.setText(text)
        self.line.setVisible(bool(text))

"""The preflight: what was checked before a run, what it will cost, and the button that starts it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.background.task import BackgroundTask
from app.context import AppContext
from app.train.presenter import Row
from app.widgets.buttons import action_button, push_button
from app.widgets.containers import Card, ScrollColumn, clear_layout
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.messages import IconLabel, ProgressLine

BENIGN_LEAD = "Go to the benign suite"
LEADS = {"Refusals": BENIGN_LEAD}
"""What leads to the field that mends a check, by its title."""
_START_EMS = 11
"""The least width of Start with its key, in heights of a line."""
ICONS = {"ok": ("check_circle", "ok"), "warn": ("warn", "warn"), "bad": ("error", "bad")}


class PreflightPanel(Card):
    """A card of checks. It decides nothing; ``lead_wanted`` fires where the field that mends a check is wanted."""

    lead_wanted = Signal()

    def __init__(self, context: AppContext) -> None:
        super().__init__("Preflight")
        self._theme = context.theme
        self.add_to_head(action_button(context.actions, "train.preflight", text="Check", theme=context.theme))
        self.note = text_label(
            "Checks model, tokens, memory and one dry step in a process of its own.", "hint", wrap=True
        )
        scroll = ScrollColumn(name="What the preflight found")
        scroll.column.addWidget(self.note)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        scroll.column.addLayout(self._rows)
        self._progress_place = QVBoxLayout()
        scroll.column.addLayout(self._progress_place)
        self.progress = ProgressLine()
        self.progress.hide()
        self._progress_place.addWidget(self.progress)
        scroll.column.addStretch(1)
        self.add(scroll, 1)
        self.total = text_label("", "strong", wrap=True)
        self.add(self.total)
        row = FlowLayout()
        for action_id, text in (("train.command_line", None), ("train.tokens", "Tokens…"), ("train.sweep", None)):
            row.addWidget(action_button(context.actions, action_id, text=text, kind="flat", theme=context.theme))
        self.add(row)
        self.start = action_button(
            context.actions, "train.start", text="Start", kind="primary", show_key=True, theme=context.theme
        )
        self.queue = action_button(context.actions, "train.queue", text="Add to queue", theme=context.theme)
        last = FlowLayout()
        last.addWidget(self.queue)
        last.add(self.start, least=_START_EMS)
        self.add(last)

    def show_checks(self, checks: Sequence[Row], total: str) -> None:
        """Show the checks and the estimate."""
        clear_layout(self._rows)
        self.note.setVisible(not checks)
        for level, title, text in checks:
            row, words = QHBoxLayout(), QVBoxLayout()
            row.setSpacing(8)
            words.setSpacing(1)
            icon, colour = ICONS.get(level, ICONS["ok"])
            row.addWidget(IconLabel(self._theme, icon, colour, 18), 0, Qt.AlignmentFlag.AlignTop)
            words.addWidget(text_label(title, "strong"))
            if text:
                words.addWidget(text_label(text, "muted", wrap=True))
            if level == "bad" and title in LEADS:
                lead = push_button(LEADS[title], theme=self._theme, icon="right")
                lead.clicked.connect(self.lead_wanted)
                words.addWidget(lead, 0, Qt.AlignmentFlag.AlignLeft)
            row.addLayout(words, 1)
            self._rows.addLayout(row)
        self.total.setText(total)

    def follow(self, job: BackgroundTask) -> None:
        """Show how far the preflight is, with Cancel."""
        self.show_checks((), "")
        self.note.hide()
        self.progress.hide()
        self._progress_place.removeWidget(self.progress)
        self.progress.deleteLater()
        self.progress = ProgressLine()
        self._progress_place.addWidget(self.progress)
        self.progress.follow(job)

    def clear(self) -> None:
        """Show that nothing was checked for the present settings."""
        self.show_checks((), "")
        self.progress.hide()

"""The preflight: what was checked before a run, what it will cost, and the button that starts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.context import AppContext
from app.widgets.buttons import action_button
from app.widgets.containers import Card, clear_layout
from app.widgets.labels import text_label
from app.widgets.messages import IconLabel, ProgressLine

TITLES = {
    "model": "Model",
    "tokens": "Tokens",
    "gate": "Truth gate",
    "memory": "Memory",
    "disk": "Disk",
    "time": "Time",
}
ICONS = {"ok": ("check_circle", "ok"), "warn": ("warn", "warn"), "bad": ("error", "bad")}


class PreflightPanel(Card):
    """A card of checks. It decides nothing."""

    def __init__(self, context: AppContext) -> None:
        super().__init__("Preflight")
        self._theme = context.theme
        self.add_to_head(action_button(context.actions, "train.preflight", text="Check", theme=context.theme))
        self.note = text_label(
            "Checks model, tokens, memory and one dry step in a process of its own.", "hint", wrap=True
        )
        self.add(self.note)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self.add(self._rows)
        self.progress = ProgressLine(context.theme)
        self.progress.hide()
        self.add(self.progress)
        self.column.addStretch(1)
        self.total = text_label("", "strong")
        self.add(self.total)
        row = QHBoxLayout()
        row.addWidget(action_button(context.actions, "train.command_line", kind="flat", theme=context.theme))
        row.addStretch(1)
        self.start = action_button(
            context.actions, "train.start", text="Start", kind="primary", show_key=True, theme=context.theme
        )
        row.addWidget(self.start)
        self.add(row)

    def show_checks(self, checks: Sequence[tuple[str, str, str]], total: str) -> None:
        """Show (level, title, text) rows and the estimate."""
        clear_layout(self._rows)
        self.note.setVisible(not checks)
        for level, title, text in checks:
            row = QHBoxLayout()
            icon, colour = ICONS.get(level, ICONS["ok"])
            row.addWidget(IconLabel(self._theme, icon, colour, 18))
            words = text_label(f"{title}: {text}" if text else title, wrap=True)
            row.addWidget(words, 1)
            self._rows.addLayout(row)
        self.total.setText(total)

    def clear(self) -> None:
        """Show that nothing was checked for the present settings."""
        self.show_checks((), "")


def checks_of(report: Any) -> list[tuple[str, str, str]]:
    """Return the checks of a report as (level, title, text)."""
    return [(c.level, TITLES.get(c.key, str(c.key)), f"{c.text} {c.hint}".strip()) for c in report.checks]


def total_of(report: Any) -> str:
    """Return steps, time and memory of the run in one line."""
    if not report.total_steps:
        return ""
    minutes = report.eta_s / 60
    memory = f" · about {report.memory_bytes / 2**30:.1f} GB" if report.memory_bytes else ""
    return f"{report.total_steps} steps · about {minutes:.0f} min on {report.device}{memory}"

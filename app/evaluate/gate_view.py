"""The gate: its outcome, and every check with its state, its numbers and what would decide it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate.figures import change_words
from app.widgets.containers import Card, ScrollColumn, clear_layout, line
from app.widgets.labels import Chip, ChipTone, text_label
from app.widgets.messages import Banner, BannerLevel, IconLabel
from core.domain.counting import counted
from core.domain.release_gate import GATE_GROUPS, STATE_WORDS, GateState

if TYPE_CHECKING:
    from core.domain.release_gate import GateCheck, GateDecision

GROUP_WORDS: Mapping[str, tuple[str, str]] = {
    "evidence": ("Evidence", "Is there enough to judge?"),
    "vetoes": ("Vetoes", "What forbids a release? Tested together (Holm)."),
    "gain": ("Gain", "Are the answers better to people?"),
    "health": ("Health", "Side effects of the objective."),
    "people": ("People", "Has somebody looked?"),
}
_ICONS: Mapping[GateState, tuple[str, str]] = {
    "passed": ("check_circle", "ok"),
    "failed": ("error", "bad"),
    "insufficient": ("help", "warn"),
}
_LEVELS: Mapping[GateState, BannerLevel] = {"passed": "ok", "failed": "error", "insufficient": "warn"}
_RELEASE = (
    "A release is made of an evaluation on the command line: pairwright release WS EVALUATION OUT --approver NAME. "
    "Who approves it is not who ran the evaluation."
)


class GateView(ScrollColumn):
    """Shows what the gate says. It is decided anew each time it is shown."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(margin=12, spacing=10, name="Gate")
        self._theme = context.theme
        self.decision: GateDecision | None = None
        self._inner = QVBoxLayout()
        self._inner.setSpacing(10)
        self.column.addLayout(self._inner)
        self.column.addStretch(1)
        self.say("No gate yet", "It is decided when this page is shown.")

    def say(self, title: str, text: str) -> None:
        """Show that there is no decision, and why."""
        self.decision = None
        clear_layout(self._inner)
        card = Card(title)
        card.add(text_label(text, "muted", wrap=True))
        self._inner.addWidget(card)

    def show_decision(self, decision: GateDecision) -> None:
        """Show every check."""
        if decision == self.decision:
            return
        self.decision = decision
        clear_layout(self._inner)
        outcome = decision.outcome
        self._inner.addWidget(
            Banner(
                self._theme,
                STATE_WORDS[outcome],
                counts_words(decision),
                level=_LEVELS[outcome],
                closable=False,
                wrap=True,
            )
        )
        for group in GATE_GROUPS:
            checks = [check for check in decision.checks if check.group == group]
            if checks:
                self._inner.addWidget(self._group(group, checks))
        self._inner.addWidget(text_label(_RELEASE, "caption", wrap=True, selectable=True))

    def _group(self, group: str, checks: list[GateCheck]) -> Card:
        title, about = GROUP_WORDS[group]
        card = Card(title, spacing=6)
        holds = sum(check.state == "passed" for check in checks)
        tone: ChipTone = "ok" if holds == len(checks) else "bad" if any(c.state == "failed" for c in checks) else "warn"
        card.add_to_head(Chip(f"{holds} of {counted(len(checks), 'check')} hold", tone))
        card.add(text_label(about, "hint", wrap=True))
        for check in checks:
            card.add(line())
            card.add(self._check(check))
        return card

    def _check(self, check: GateCheck) -> QWidget:
        frame = QWidget()
        frame.setAccessibleName(f"{check.title}: {STATE_WORDS[check.state]}. {check.reason} {check.needed}".strip())
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        icon, colour = _ICONS[check.state]
        row.addWidget(IconLabel(self._theme, icon, colour, 18), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(text_label(f"{check.title}: {STATE_WORDS[check.state].lower()}", "strong", wrap=True))
        words.addWidget(text_label(check.reason, "", wrap=True))
        for name, figure in check.figures.items():
            unit = figure.unit or "points"
            words.addWidget(text_label(f"{name}: {change_words(figure)} {unit}, n {figure.n}", "caption", wrap=True))
        if check.needed:
            words.addWidget(text_label(f"What decides it: {check.needed}", "caption", wrap=True))
        row.addLayout(words, 1)
        return frame


def counts_words(decision: GateDecision) -> str:
    """Return how many checks hold, are open and failed."""
    count = {state: sum(check.state == state for check in decision.checks) for state in STATE_WORDS}
    held, open_ = counted(count["passed"], "check holds", "checks hold"), count["insufficient"]
    return f"{held}, {open_} {'is' if open_ == 1 else 'are'} open, {count['failed']} failed."

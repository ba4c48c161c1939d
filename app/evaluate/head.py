"""The head of an evaluation: name, state, chips, and while it is not finished its progress with what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate import presenter
from app.evaluate.presenter import SealedLook
from app.widgets.buttons import action_button
from app.widgets.containers import Card
from app.widgets.flow import FlowLayout
from app.widgets.labels import Chip, ElideLabel, plain_tip, text_label
from app.widgets.messages import ProgressLine
from core.services.evaluations.views import EvaluationInfo

_CHIPS = 9
"""Chips that the second row has at most."""


class EvaluationHead(QFrame):
    """Title and state in the first row, chips in the second."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.setProperty("part", "header")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 6, 12, 6)
        column.setSpacing(4)
        first, second = FlowLayout(row_spacing=4, middle=True), FlowLayout(spacing=6, row_spacing=4)
        self.title, self.against = (
            ElideLabel("", kind="title", outside=True),
            ElideLabel("", kind="muted", outside=True),
        )
        self.state = Chip("")
        for widget in (self.title, self.against, self.state):
            first.addWidget(widget)
        first.add_gap()
        for action_id in ("evaluate.table", "evaluate.open_folder"):
            first.addWidget(action_button(context.actions, action_id, icon_only=True))
        self.chips = [Chip("") for _ in range(_CHIPS)]
        for chip in self.chips:
            second.addWidget(chip)
        column.addLayout(first)
        column.addLayout(second)

    def show_info(
        self, info: EvaluationInfo, evidence: Mapping[str, Any] | None, sealed: Sequence[SealedLook] = ()
    ) -> None:
        """Show an evaluation."""
        name, against = presenter.title_of(info)
        self.title.setText(name)
        self.against.setText(against)
        self.state.set_chip(*presenter.state_chip(info.status))
        found = presenter.head_chips(info, evidence, sealed)[:_CHIPS]
        for chip, (text, tone, tip) in zip(self.chips, [*found, *[("", "neutral", "")] * _CHIPS], strict=False):
            chip.set_chip(text, tone)  # type: ignore[arg-type]
            chip.setToolTip(plain_tip(tip))


class ProgressCard(QWidget):
    """How far an evaluation is, and what can be done with it; hidden once everything is measured."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 0)
        card = Card(spacing=6)
        self.line = ProgressLine(title="Progress of the evaluation", cancellable=False)
        self.about = text_label("", "caption", wrap=True, selectable=True)
        row = FlowLayout(row_spacing=4)
        self.pause = action_button(context.actions, "evaluate.pause", theme=context.theme)
        self.resume = action_button(context.actions, "evaluate.resume", text="Start or resume", theme=context.theme)
        self.cancel = action_button(context.actions, "evaluate.cancel", text="Cancel…", theme=context.theme)
        for button in (self.resume, self.pause, self.cancel):
            row.addWidget(button)
        note = "Numbers appear once everything is measured: one made of half the items would be another number."
        card.add(self.line)
        card.add(self.about)
        card.add(text_label(note, "hint", wrap=True))
        card.add(row)
        column.addWidget(card)

    def show_info(self, info: EvaluationInfo) -> None:
        """Show phase, progress, the time left, and why it stopped where it did."""
        status = info.status
        done, total = sum(status.done.values()), sum(status.total.values())
        self.line.set_progress(presenter.progress_words(status), done, total, status.eta_s)
        self.line.setVisible(total > 0 or info.live)
        self.about.setText(about_words(info))
        self.about.setVisible(bool(self.about.text()))
        self.setVisible(status.state != "finished")


def about_words(info: EvaluationInfo) -> str:
    """Return what is done by kind, and why an evaluation ended early with what to do."""
    status = info.status
    kinds = {"answers": "answers", "scores": "scored pairs", "kl_answers": "answers of the KL"}
    parts = [
        f"{status.done.get(kind, 0):,} of {total:,} {kinds.get(kind, kind)}" for kind, total in status.total.items()
    ]
    lines = [" · ".join(parts)]
    if status.state in ("failed", "interrupted", "stopped"):
        lines.append(f"{status.message} {status.hint}".strip())
    if status.state == "created":
        lines.append("It has not been started yet.")
    return "\n".join(line for line in lines if line)

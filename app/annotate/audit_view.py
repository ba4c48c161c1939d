"""The screen of an audit: header, prompt, answer, labels and panel; or what is missing, or that all is labelled."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.annotate.audit_answer import SCROLL_PAGES, AuditAnswer
from app.annotate.audit_bar import AuditBar
from app.annotate.audit_panel import AuditPanel
from app.annotate.prompt_card import PromptCard
from app.theme.theme import Theme
from app.widgets.buttons import action_button
from app.widgets.containers import side_panel
from app.widgets.header import PageHeader
from app.widgets.labels import Chip, plain_tip, short, text_label
from app.widgets.messages import EmptyState
from core.domain.counting import counted

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.refusals.views import AuditQueue, QueuedAnswer

Step = Literal["draw", "reviewer", "leave"]
LOW_PX = 420
"""Design pixels of height below which the prompt is one line and the labels have no explanation."""
PANEL_PX, ANSWER_PX = 310, 540
"""Design pixels of width that the panel and the answer need beside each other; else one of them is shown."""
QWIDGETSIZE_MAX = (1 << 24) - 1
"""No limit, as Qt writes it."""
_NOTHING, _ANSWER = 0, 1


class AuditView(QWidget):
    """Shows an answer with its labels, or which step comes next.

    Signals:
        step_requested(str): ``draw``, ``reviewer`` or ``leave``.
        controls_made(QWidget): controls were made that are new under this widget.
    """

    step_requested = Signal(str)
    controls_made = Signal(QWidget)

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__()
        self._actions, self._theme = actions, theme
        self.header = PageHeader("Annotate")
        self.name, self.pace = Chip(""), text_label("", "caption")
        self.count, self.bar_done = text_label("", "strong"), QProgressBar()
        self.arms = Chip("")
        self.prompt, self.answer, self.bar = PromptCard(theme), AuditAnswer(theme), AuditBar(actions, theme)
        self.panel = AuditPanel(theme)
        self._show_keys()
        actions.keys_changed.connect(self._show_keys)
        self._stack = QStackedWidget()
        self._folded = False
        self._build()

    def _build(self) -> None:
        hidden = Chip("blind", tooltip="Policy and detector are hidden; both are told once the label is stored.")
        for widget in (Chip("Refusal audit", "accent"), self.name, hidden, self.arms):
            self.header.add_left(widget)
        self.bar_done.setTextVisible(False)
        self.bar_done.setFixedSize(110, 6)
        self.bar_done.setAccessibleName("Answers labelled")
        self.header.add_right(self.count)
        self.header.add_right(self.bar_done)
        self.header.add_right(self.pace)
        for action_id in ("audit.source", "audit.panel", "audit.leave", "global.cheat_sheet"):
            self.header.add_right(action_button(self._actions, action_id, icon_only=True))
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addWidget(self.prompt)
        column.addWidget(self.answer, 1)
        column.addWidget(self.bar)
        self.side, inner = side_panel(300)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.panel)
        self._left = left
        self._stack.addWidget(QWidget())
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(left, 1)
        row.addWidget(self.side, 0)
        self._stack.addWidget(both)
        self._theme.changed.connect(self._fit_later)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.header)
        outer.addWidget(self._stack, 1)

    @property
    def shows_answer(self) -> bool:
        """Whether an answer is shown, and not what is missing for one."""
        return self._stack.currentIndex() == _ANSWER

    def first_focus(self) -> QWidget:
        """Start at the answer, where every single key acts."""
        return self.answer.text

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what a low page has no room for."""
        super().resizeEvent(event)
        self.fit()

    def _show_keys(self) -> None:
        self.panel.show_keys(self._actions)

    def _fit_later(self) -> None:
        QTimer.singleShot(0, self, self.fit)

    def fit(self) -> None:
        """Leave out what a low page has no room for."""
        low = self._stack.height() < self._theme.px(LOW_PX)
        self.prompt.set_low(low)
        self.bar.set_low(low)
        panel, answer = self._theme.px(PANEL_PX), self._theme.px(ANSWER_PX)
        narrow = self.width() < panel + answer
        self.side.setMinimumWidth(0 if narrow else panel)
        self.side.setMaximumWidth(QWIDGETSIZE_MAX if narrow else panel)
        if narrow != self._folded:
            self._folded = narrow
            self.show_panel(not narrow)

    # What is shown

    def show_answer(self, answer: QueuedAnswer) -> None:
        """Show an answer that waits for a label."""
        self.prompt.show_prompt(answer.prompt, name=f"answer {answer.number}")
        ended = "stopped at end of text" if answer.finished else "cut at the limit of tokens"
        tokens = [f"{answer.tokens:,} tok"] if answer.tokens else []
        self.answer.show_answer(answer.text, " · ".join([answer.words, *tokens, ended]))
        was = self.shows_answer
        self._stack.setCurrentIndex(_ANSWER)
        if not was and self.isVisible():
            self.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

    def show_progress(self, queue: AuditQueue) -> None:
        """Show how far the audit is."""
        self.name.set_chip(short(queue.name))
        self.count.setText(f"{queue.labelled} / {queue.total}" if queue.drawn else "")
        self.bar_done.setVisible(queue.drawn)
        self.bar_done.setRange(0, max(1, queue.total))
        self.bar_done.setValue(queue.labelled)
        self.arms.set_chip(short_arms_words(queue), "ok" if queue.complete else "neutral")
        self.arms.setToolTip(plain_tip(arms_words(queue)))
        self.arms.setAccessibleName(arms_words(queue))
        self.pace.setText(pace_words(queue))
        self.pace.setVisible(bool(self.pace.text()))
        if queue.drawn:
            self.panel.show_queue(queue)

    def show_nothing(self, queue: AuditQueue | None, *, reviewer: bool, problem: str = "") -> None:
        """Show which step comes next where no answer is shown."""
        icon, title, text, main, step = _nothing(queue, reviewer, problem)
        second = None
        if queue is not None and queue.drawn and queue.more and step == "leave":
            second = ("Draw more answers", partial(self.step_requested.emit, "draw"))
        elif step != "leave":
            second = ("Back to Evaluate", partial(self.step_requested.emit, "leave"))
        screen = EmptyState(
            self._theme, icon, title, text, main=(main, partial(self.step_requested.emit, step)), second=second
        )
        old = self._stack.widget(_NOTHING)
        self._stack.insertWidget(_NOTHING, screen)
        self._stack.setCurrentIndex(_NOTHING)
        if old is not None:
            self._stack.removeWidget(old)
            old.deleteLater()
        self.controls_made.emit(screen)
        if self.isVisible():
            screen.buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def show_panel(self, on: bool) -> None:
        """Show or hide the panel."""
        self._actions.set_checked("audit.panel", on)
        self.side.setVisible(on)
        self._left.setVisible(not (on and self._folded))

    def scroll_answer(self, pages: int) -> None:
        """Scroll the answer by pages."""
        self.answer.scroll_pages(pages * SCROLL_PAGES)

    def set_source(self, on: bool) -> None:
        """Show the texts as they are stored, or as Markdown."""
        self._actions.set_checked("audit.source", on)
        self.answer.set_source(on)
        self.prompt.set_source(on)


def pace_words(queue: AuditQueue) -> str:
    """Return how long an answer takes and how long the rest takes: "~5 s each · 5 min left"; "" where unknown."""
    if queue.seconds < 1 or not queue.drawn:
        return ""
    left = max(0, queue.total - queue.labelled)
    return f"~{queue.seconds:.0f} s each · {math.ceil(queue.seconds * left / 60)} min left"


def short_arms_words(queue: AuditQueue) -> str:
    """Return how far each arm is in a few words: "aligned 37/100 · reference 35/100"."""
    return " · ".join(f"{short(arm.arm)} {arm.labelled}/{arm.needed}" for arm in queue.arms)


def arms_words(queue: AuditQueue) -> str:
    """Return how far each arm is: "audited 37 of 100 for aligned, 35 of 100 for reference"."""
    parts = [f"{arm.labelled} of {arm.needed} for {short(arm.arm)}" for arm in queue.arms]
    return f"audited {', '.join(parts)}" if parts else ""


def _nothing(queue: AuditQueue | None, reviewer: bool, problem: str) -> tuple[str, str, str, str, Step]:
    if problem or queue is None:
        return "error", "The audit cannot be shown", problem or "It is being read.", "Back to Evaluate", "leave"
    if not reviewer:
        about = "Labels are stored under a pseudonym of your choice."
        return "user", "Who is labelling?", about, "Choose a reviewer…", "reviewer"
    if not queue.drawn:
        about = (
            f"The detector judged {counted(queue.more, 'answer')}. People label 100 of each policy, drawn at random by "
            "suite, kind of request and verdict; then its refusal rates are corrected."
        )
        return "gate", "No answers are drawn yet", about, "Draw the sample", "draw"
    if queue.complete:
        poor = " ".join(arm.problem for arm in queue.arms if arm.problem)
        about = poor or "The refusal rates of this evaluation are corrected by what people said. The gate reads them."
        return "check_circle", "The audit is complete", about, "Show the corrected rates", "leave"
    missing = "; ".join(arm.problem for arm in queue.arms if arm.problem)
    return "check_circle", "Nothing is left for you to label", missing, "Back to Evaluate", "leave"

"""Annotate: one pair, two answers without a name, a verdict, Enter.

Committing hands the judgement to the store's thread and shows the prefetched next pair in the same moment;
"saved" is said only after the transaction was committed, and a pair whose commit fails comes back as it was.
"""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QProgressBar, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.annotate.answer_pane import AnswerPanes
from app.annotate.commits import Commits
from app.annotate.desk import Desk
from app.annotate.keys import bind_keys
from app.annotate.prompt_card import PromptCard
from app.annotate.queue import QueueChoice
from app.annotate.rubric_panel import RubricPanel
from app.annotate.states import empty_state
from app.annotate.verdict_bar import VerdictBar
from app.context import AppContext
from app.main_window.page import Page
from app.widgets.buttons import action_button
from app.widgets.containers import side_panel
from app.widgets.labels import Chip, text_label
from core.domain.changes import Changes
from core.domain.judgement import CANNOT_JUDGE_REASONS, FLAGS, Verdict

PREFETCH = 4
WORDS = {Verdict.NEITHER: "Neither is valid", Verdict.CANNOT_JUDGE: "Cannot judge", Verdict.TIE: "Tie"}


class AnnotatePage(Page):
    """The labelling screen."""

    place: ClassVar[str] = "annotate"
    title: ClassVar[str] = "Annotate"
    watches: ClassVar[Changes] = Changes.PAIRS | Changes.RUBRICS | Changes.REVIEWERS

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.desk = Desk()
        self.choice = QueueChoice(context)
        self.queue: Any | None = None
        self.commits = Commits(self)
        self._opening = False
        self.prompt = PromptCard(context.theme)
        self.panes = AnswerPanes(context.theme)
        self.bar = VerdictBar(context)
        self.panel = RubricPanel(context.theme)
        self._build()
        bind_keys(self)
        self._bind()
        self.drafts = QTimer(self)
        self.drafts.setSingleShot(True)
        self.drafts.setInterval(800)
        self.drafts.timeout.connect(self._save_draft)

    def _build(self) -> None:
        self._rubric_chip = Chip("")
        for chip in (self._rubric_chip, Chip("blind", tooltip="Sides are drawn at random; sources are hidden.")):
            self.header.add_left(chip)
        self._count, self._bar = text_label("", "strong"), QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(110, 6)
        self._bar.setAccessibleName("Pairs labelled")
        self._pace = text_label("", "caption")
        for widget in (self._count, self._bar, self._pace):
            self.header.add_right(widget)
        for action_id in ("annotate.layout", "annotate.diff", "annotate.link", "annotate.source", "annotate.queue"):
            self.header.add_right(action_button(self.context.actions, action_id, icon_only=True))
        desk = QWidget()
        column = QVBoxLayout(desk)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addWidget(self.prompt)
        column.addWidget(self.panes, 1)
        column.addWidget(self.bar)
        split = QSplitter()
        split.addWidget(desk)
        self.side, side = side_panel(300)
        self.side.setMinimumWidth(232)
        side.setContentsMargins(0, 0, 0, 0)
        side.addWidget(self.panel)
        split.addWidget(self.side)
        split.setHandleWidth(1)
        split.setStretchFactor(0, 1)
        split.setSizes([980, 300])
        split.setChildrenCollapsible(False)
        self._stack = QStackedWidget()
        self._stack.addWidget(QWidget())
        self._stack.addWidget(split)
        self.set_body(self._stack, margin=0)

    def _bind(self) -> None:
        self.panel.rated.connect(self.rate)
        self.panel.rationale_changed.connect(self._rationale)
        self.panel.confidence_changed.connect(self._confidence)
        self.panel.decision_chosen.connect(self.look_again)
        self.panes.mostly_different.connect(
            lambda: self.context.notices.post("Most words differ; the marks say little here. D switches them off.")
        )
        self.context.session.reviewer_changed.connect(self._reopen)

    # Opening a queue

    def on_shown(self) -> None:
        """Open the queue, or say what is missing for it."""
        if self.queue is None:
            self.open_queue()

    def changed(self, changes: Changes) -> None:
        """Open the queue again when pairs, rubrics or reviewers changed."""
        self._reopen()

    def show_item(self, **what: Any) -> None:
        """Label the pairs ``pair_ids`` only, or with ``relabel`` those whose labels became stale."""
        if pair_ids := what.get("pair_ids"):
            self.choice.only_pairs(tuple(pair_ids))
        elif what.get("relabel"):
            self.choice.stale_only()
        else:
            return
        self._reopen()

    def first_focus(self) -> QWidget:
        """Start at the answers, where every single key acts."""
        return self.panes

    def choose_queue(self) -> None:
        """Ask what to label, and open that queue."""
        self.choice.ask(self, self._reopen)

    def _reopen(self) -> None:
        """Open the queue anew; what is filled in is kept as a draft first, so that it comes back."""
        if self.drafts.isActive():
            self.drafts.stop()
            self._save_draft()
        self.queue = None
        self.desk.ahead.clear()
        if self.isVisible():
            self.open_queue()

    def open_queue(self) -> None:
        """Open the queue for the chosen reviewer and rubric version on a background thread."""
        if self._opening:
            return
        self._opening = True
        self.context.tasks.query(self.choice.open, self._opened, self._not_opened, owner=self, key="queue")

    def _not_opened(self, error: Exception) -> None:
        self._opening = False
        self.context.tasks.unhandled.emit(error)

    def _opened(self, found: Any) -> None:
        self._opening = False
        if found.missing:
            self._show_missing(found.missing)
            return
        self.queue = found.queue
        self._rubric_chip.set_chip(f"Rubric: {found.version.title}")
        self.panel.set_rubric(found.version)
        self.bar.set_scale(found.version.body.scale)
        self.desk.ahead.clear()
        self.desk.fill(found.first)
        self.next_pair()
        self.read_side()

    def _show_missing(self, missing: str) -> None:
        self.desk.show(None)
        state = empty_state(self.context, missing, lambda: self.choice.ask_reviewer(self))
        old = self._stack.widget(0)
        self._stack.insertWidget(0, state)
        self._stack.setCurrentIndex(0)
        self._stack.removeWidget(old)
        old.deleteLater()
        self.context.actions.set_enabled("annotate.submit", False)

    # Showing

    def next_pair(self) -> None:
        """Show the next pair that waits, or get one."""
        shown = self.desk.advance()
        if shown is None:
            self.fetch(then_show=True)
            return
        self.show_pair(shown)
        self.fetch()

    def show_pair(self, shown: Any) -> None:
        """Draw a showing and the answer on the desk."""
        self._stack.setCurrentIndex(1)
        self.prompt.show_prompt(shown.prompt, shown.pair_id)
        self.panes.show_pair(shown.left, shown.right)
        self.panel.focus_criterion(-1)
        self.show_answer()
        self.context.services.annotation.shown(shown.presentation_uid)

    def fetch(self, *, then_show: bool = False) -> None:
        """Get more pairs ahead of need; ``then_show`` when the desk is empty."""
        if self.queue is None or (len(self.desk.ahead) >= PREFETCH - 1 and not then_show):
            return
        queue = self.queue

        def arrived(found: list[Any]) -> None:
            if self.queue is not queue:
                return
            self.desk.fill(found)
            if self.desk.current is None and self.desk.ahead:
                self.next_pair()
            elif self.desk.current is None and not self.commits.under_way:
                self._show_missing("done")

        service = self.context.services.annotation
        self.context.tasks.query(lambda: service.next(queue, PREFETCH), arrived, owner=self)

    def show_answer(self) -> None:
        """Show the answer so far on every control."""
        answer = self.desk.answer
        strength = 0 if answer.verdict is Verdict.TIE else answer.strength
        word = WORDS.get(answer.verdict, "") if answer.verdict is not Verdict.TIE else ""  # type: ignore[arg-type]
        if answer.reason:
            word += f": {CANNOT_JUDGE_REASONS[answer.reason]}"
        self.bar.show_choice(strength, word)
        self.panes.set_preferred(self.desk.preferred_side)
        self.panel.show_answer(answer)
        self.context.actions.set_enabled("annotate.submit", answer.complete)

    def read_side(self) -> None:
        """Read progress, the last decisions and the name of the step to undo."""
        queue, reviewer = self.queue, self.context.session.reviewer_id
        if queue is None or reviewer is None:
            return
        service = self.context.services.annotation

        def read() -> tuple[Any, Any, str, str]:
            return (
                service.progress(queue),
                service.recent(reviewer, 10),
                service.undo_label(reviewer),
                service.redo_label(reviewer),
            )

        self.context.tasks.query(read, self._show_side, owner=self, key="side")

    def _show_side(self, found: tuple[Any, Any, str, str]) -> None:
        progress, recent, undo, redo = found
        self._count.setText(f"{progress.done:,} / {progress.total:,}".replace(",", "\u202f"))
        self._bar.setMaximum(max(1, progress.total))
        self._bar.setValue(progress.done)
        pace = progress.seconds_per_pair
        left = f"~{pace:.0f} s/pair · {pace * progress.remaining / 60:.0f} min left" if pace else ""
        self._pace.setText(left or f"{progress.today} today")
        self.panel.set_recent(recent)
        for action_id, label in (("annotate.undo", undo), ("annotate.redo", redo)):
            self.context.actions.set_enabled(action_id, bool(label))
            self.context.actions.action(action_id).setToolTip(label or "Nothing to take back")

    # Answering

    def verdict_key(self, strength: int) -> None:
        """Take a key 1 to 7: it answers the focused clause, or the overall question."""
        if self.desk.current is None or self.desk.paused:
            return
        if strength not in self.bar.offered:
            self.context.notices.post(f"This rubric's scale has no {strength:+d}; its points are on the buttons.")
        elif key := self.panel.focused_id:
            self.rate(key, strength)
            self.panel.focus_criterion(self.panel.focused + 1 if self.panel.focused + 1 < len(self.panel.rows) else -1)
        else:
            self.desk.prefer(strength)
            self._answered()

    def rate(self, criterion: str, strength: object) -> None:
        """Answer one clause."""
        self.desk.rate(criterion, strength)  # type: ignore[arg-type]
        self._answered()

    def neither(self) -> None:
        """Say that no answer is valid."""
        if self.desk.current is not None:
            self.desk.neither()
            self._answered()

    def cannot_judge(self) -> None:
        """Ask why, then say that it cannot be judged."""
        keys = list(CANNOT_JUDGE_REASONS)
        place = self.context.dialogs.choose("Cannot judge", "Why?", list(CANNOT_JUDGE_REASONS.values()))
        if place is not None and self.desk.current is not None:
            self.desk.cannot_judge(keys[place])
            self._answered()

    def flag(self) -> None:
        """Ask which flag to set or take back."""
        keys = list(FLAGS)
        words = [f"{FLAGS[k]}{' ✓' if k in self.desk.answer.flags else ''}" for k in keys]
        place = self.context.dialogs.choose("Flag this pair", "What is wrong with it?", words)
        if place is not None:
            self.desk.toggle_flag(keys[place])
            self._answered()

    def _rationale(self, text: str) -> None:
        self.desk.answer.rationale = text
        self.desk.act()
        self.drafts.start()

    def _confidence(self, value: Any) -> None:
        self.desk.answer.confidence = value
        self._answered()

    def _answered(self) -> None:
        self.show_answer()
        self.drafts.start()

    def _save_draft(self) -> None:
        shown, answer = self.desk.current, self.desk.answer
        if shown is not None and self.desk.looking_back is None:
            service = self.context.services.annotation
            self.context.tasks.write(lambda: service.save_draft(shown.presentation_uid, answer.to_plain()), owner=self)

    # Looking back

    def look_again(self, judgement_id: int) -> None:
        """Show an earlier decision; Enter then amends it."""
        service = self.context.services.annotation

        def show(presented: Any) -> None:
            if self.desk.current is not None and self.desk.looking_back is None:
                self.desk.ahead.appendleft(self.desk.current)
            self.show_pair(self.desk.show(presented, looking_back=judgement_id))
            self.bar.saved.setText("An earlier decision; Enter amends it, S goes on.")

        self.context.tasks.query(lambda: service.look_again(judgement_id), show, owner=self, key="look")

    def pause(self, on: bool) -> None:
        """Hide the texts and stop the clock, or go on."""
        self.desk.act()
        self.desk.paused = on
        self.panes.setVisible(not on)
        self.prompt.setVisible(not on)
        self.bar.saved.setText("Paused. P goes on." if on else "")

    def leave_field(self) -> None:
        """Go back to where single keys act."""
        self.panes.setFocus(Qt.FocusReason.ShortcutFocusReason)

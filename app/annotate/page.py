"""Annotate: one pair, two answers without a name, a verdict, Enter.

The page shows; what keys do lies beside it: ``answering`` fills in the answer, ``commits`` stores it, ``looking``
goes back through earlier decisions, ``opening`` opens queues.
"""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.annotate.answer_panes import AnswerPanes
from app.annotate.answering import Answering
from app.annotate.commits import Commits
from app.annotate.desk import Desk
from app.annotate.folding import Folding
from app.annotate.guide import Guide
from app.annotate.keys import bind_keys
from app.annotate.looking import Looking
from app.annotate.opening import Opening
from app.annotate.prompt_card import PromptCard
from app.annotate.queue import Opened, QueueChoice, missing_of
from app.annotate.rubric_panel import RubricPanel
from app.annotate.standing import Standing
from app.annotate.states import empty_state
from app.annotate.verdict_bar import VerdictBar
from app.context import AppContext
from app.main_window.page import Page
from app.widgets.buttons import action_button
from app.widgets.containers import side_panel
from app.widgets.labels import Chip, plain_tip, short
from app.widgets.own_keys import OwnKeys
from core.domain.changes import Changes
from core.domain.judgement import CANNOT_JUDGE_REASONS, Verdict
from core.domain.rubric import RubricVersion

PREFETCH = 4
ICONS = ("layout", "diff", "link", "source", "guide", "queue")


class AnnotatePage(Page):
    """The labelling screen."""

    place: ClassVar[str] = "annotate"
    watches: ClassVar[Changes] = Changes.PAIRS | Changes.RUBRICS | Changes.REVIEWERS

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.desk = Desk()
        self.choice = QueueChoice(context)
        self.rubrics: dict[int, RubricVersion] = {}
        self.prompt = PromptCard(context.theme)
        self.panes = AnswerPanes(context.theme)
        self.bar = VerdictBar(context)
        self.panel = RubricPanel(context.theme)
        self.guide = Guide(context.theme)
        self.opening = Opening(self)
        self.commits = Commits(self)
        self.answering = Answering(self)
        self.looking = Looking(self)
        self.standing = Standing(self)
        self._own_keys = OwnKeys(self, after_click=False)
        self._build()
        self._own_keys.keep(self)
        bind_keys(self)
        self._bind()
        for key in ("view", "layout", "link_scroll", "diff", "font"):
            self._setting(f"annotate.{key}")

    def _build(self) -> None:
        self._rubric_chip, self._queue_chip = Chip(""), Chip("", "accent")
        blind = Chip("blind", tooltip="Sides are drawn at random; sources are hidden.")
        for widget in (self._rubric_chip, self._queue_chip, blind):
            self.header.add_left(widget)
        for widget in self.standing.widgets:
            self.header.add_right(widget)
        for name in ICONS:
            self.header.add_right(action_button(self.context.actions, f"annotate.{name}", icon_only=True))
        self.header.add_right(action_button(self.context.actions, "global.cheat_sheet", icon_only=True))
        desk = QWidget()
        column = QVBoxLayout(desk)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addWidget(self.prompt)
        column.addWidget(self.panes, 1)
        column.addWidget(self.bar)
        self._stack = QStackedWidget()
        self._stack.addWidget(QWidget())
        self._stack.addWidget(self._with_side(desk))
        self.set_body(self._stack, margin=0)
        self._folding = Folding(self, desk, (blind, self.standing.bar, self._rubric_chip))

    def _with_side(self, desk: QWidget) -> QSplitter:
        """Put the rubric beside the desk: the criteria, or the whole text in their place."""
        split = QSplitter()
        split.addWidget(desk)
        self.side, side = side_panel(300)
        self.side.setMinimumWidth(226)
        side.setContentsMargins(0, 0, 0, 0)
        self._sides = QStackedWidget()
        self._sides.addWidget(self.panel)
        self._sides.addWidget(self.guide)
        side.addWidget(self._sides)
        split.addWidget(self.side)
        split.setHandleWidth(1)
        split.setStretchFactor(0, 1)
        split.setSizes([980, 300])
        split.setChildrenCollapsible(False)
        return split

    def _bind(self) -> None:
        answering, panel = self.answering, self.panel
        panel.rated.connect(answering.rate)
        panel.rationale_changed.connect(answering.rationale)
        panel.confidence_changed.connect(answering.confidence)
        panel.decision_chosen.connect(self.looking.show)
        panel.focus_moved.connect(self._clause)
        panel.found.flag_dropped.connect(answering.toggle_flag)
        panel.found.mark_dropped.connect(answering.unmark)
        for pane in (self.panes.left, self.panes.right):
            pane.edit_wanted.connect(answering.edit)
            pane.mark_wanted.connect(answering.highlight)
        self.guide.closed.connect(lambda: self.show_guide(False))
        self.prompt.folded.connect(lambda on: self.context.actions.set_checked("annotate.prompt", on))
        self.panes.mostly_different.connect(lambda: self.bar.say("Most words differ; D hides the marks"))
        self.context.session.reviewer_changed.connect(self._reviewer_changed)
        self.context.settings.changed.connect(self._setting)

    def _setting(self, key: str) -> None:
        """Take a setting of the annotation group."""
        get, actions, panes = self.context.settings.get, self.context.actions, self.panes
        switches = {
            "annotate.view": ("annotate.source", panes.set_source, lambda value: value == "source"),
            "annotate.layout": ("annotate.layout", panes.set_stacked, lambda value: value == "rows"),
            "annotate.link_scroll": ("annotate.link", panes.set_linked, bool),
            "annotate.diff": ("annotate.diff", lambda on: panes.set_diff(on, tell=False), bool),
        }
        if key in switches:
            action_id, call, read = switches[key]
            on = read(get(key))
            actions.set_checked(action_id, on)
            call(on)
        elif key == "annotate.font":
            panes.set_size(get(key))
            self.prompt.set_size(get(key))

    # Opening a queue

    @property
    def queue(self) -> Any | None:
        """The open queue, or None."""
        return self.opening.queue

    def on_shown(self) -> None:
        """Open the queue, or say what is missing for it."""
        self.opening.start()

    def on_hidden(self) -> None:
        """Keep what is filled in."""
        self.answering.save_now()

    def can_leave(self) -> bool:
        """Keep what is filled in before the window closes."""
        self.answering.save_now()
        return True

    def changed(self, changes: Changes) -> None:
        """Read the queue again when pairs, rubrics or reviewers changed; the pair on the desk stays."""
        self.opening.refresh()

    def _reviewer_changed(self) -> None:
        self.opening.reviewer_changed()

    def show_item(self, **what: Any) -> None:
        """Label the pairs ``pair_ids`` only, or with ``relabel`` those whose labels became stale."""
        if pair_ids := what.get("pair_ids"):
            self.choice.only_pairs(tuple(pair_ids))
            self.opening.switch()
        elif what.get("relabel"):
            self.take_queue("stale")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what has no room."""
        super().resizeEvent(event)
        self._folding.fit()

    def fit_soon(self) -> None:
        """Leave out what has no room, once a new text size has settled."""
        QTimer.singleShot(0, self, self._folding.fit)

    def first_focus(self) -> QWidget:
        """Start at the answers, where every single key acts."""
        return self.panes

    def keep_clear(self) -> int:
        """Notices never cover the verdict buttons."""
        return self.bar.height() + 10 if self._stack.currentIndex() == 1 else 0

    def choose_queue(self) -> None:
        """Ask what to label, and open that queue."""
        self.answering.advance.stop()
        self.choice.ask(self, self.opening.switch)

    def take_queue(self, what: Any) -> None:
        """Open another queue: all, skipped, bookmarks or stale; "again" tries the same one once more."""
        if what != "again":
            self.choice.take(what)
        self.opening.switch()

    def take_opened(self, found: Opened) -> None:
        """Show what was opened: its name, its rubric."""
        self._queue_chip.set_chip(self.choice.words, "accent")
        self.rubrics = found.rubrics
        if found.version is not None and self.desk.current is None:
            self._take_rubric(found.version)
        self._folding.fit()

    def _take_rubric(self, version: RubricVersion) -> None:
        """Show the clauses and the scale of a version; one that the queue is not about says so."""
        queue = self.queue
        other = queue is not None and version.id != queue.settings.rubric_version_id
        self._rubric_chip.set_chip(f"Rubric: {short(version.title)}", "warn" if other else "neutral")
        self._rubric_chip.setToolTip(plain_tip(version.title))
        if version.id != self.panel.version_id:
            self.panel.set_rubric(version)
            self.guide.set_rubric(version)
            self.bar.set_scale(version.body.scale)
            self._own_keys.keep(self.panel)
            self._folding.fit()

    def show_missing(self, missing: str) -> None:
        """Show what is missing, a key of ``states.STATES``, in place of a pair."""
        self.desk.show(None)
        state = empty_state(self.context, missing, self.take_queue)
        old = self._stack.widget(0)
        self._stack.insertWidget(0, state)
        self._stack.setCurrentIndex(0)
        self._stack.removeWidget(old)
        old.deleteLater()
        self._own_keys.keep(state)
        self.context.actions.set_enabled("annotate.submit", False)
        if self.isVisible():
            state.buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)

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
        if self._stack.currentIndex() != 1:
            self._stack.setCurrentIndex(1)
            self.leave_field()
        self.answering.stop()
        if (version := self.rubrics.get(shown.rubric_version_id)) is not None:
            self._take_rubric(version)
        self.prompt.show_prompt(shown.prompt, shown.pair_id)
        self.panes.show_pair(shown.left, shown.right)
        self.panel.focus_criterion(-1)
        self.standing.show_bookmark()
        self.show_answer()
        self.looking.mark()
        service, uid = self.context.services.annotation, shown.presentation_uid
        self.context.tasks.write(lambda: service.shown(uid), owner=self)

    def fetch(self, *, then_show: bool = False) -> None:
        """Get more pairs ahead of need; ``then_show`` when the desk is empty."""
        if self.queue is None or (len(self.desk.ahead) >= PREFETCH - 1 and not then_show):
            return
        queue, service = self.queue, self.context.services.annotation

        def read() -> tuple[list[Any], int]:
            return service.next(queue, PREFETCH), service.progress(queue).skipped if then_show else 0

        def arrived(found: tuple[list[Any], int]) -> None:
            if self.queue is not queue:
                return
            self.desk.fill(found[0])
            if self.desk.current is None and self.desk.ahead:
                self.next_pair()
            elif self.desk.current is None and not self.commits.under_way:
                self.show_missing(missing_of(self.choice.what, found[1]))

        self.context.tasks.query(read, arrived, self.opening.failed_on(queue), owner=self)

    def show_answer(self) -> None:
        """Show the answer so far on every control."""
        desk, answer = self.desk, self.desk.answer
        strength = 0 if answer.verdict is Verdict.TIE else answer.strength
        self.bar.show_choice(strength, answer.verdict, CANNOT_JUDGE_REASONS.get(answer.reason, ""))
        side = desk.preferred_side
        self.panes.set_preferred(side)
        self.panes.set_work(side if side in answer.edits else "", answer.spans)
        self.panel.show_answer(answer)
        texts = {name: desk.text_of(name) for name in ("left", "right")}
        self.panel.found.show_found(sorted(answer.flags), answer.spans, texts)
        self._own_keys.keep(self.panel.found)
        self.context.actions.set_enabled("annotate.submit", desk.current is not None)

    # The rest of the desk

    def show_guide(self, on: bool) -> None:
        """Show the whole text of the rubric in place of the criteria, or the criteria again."""
        self.context.actions.set_checked("annotate.guide", on)
        self._sides.setCurrentIndex(1 if on else 0)
        if on:
            self.side.show()
            self.context.actions.set_checked("annotate.panel", True)
            self._clause(self.panel.rows[self.panel.focused].criterion if self.panel.focused >= 0 else None)

    def _clause(self, criterion: Any) -> None:
        if criterion is not None and self._sides.currentIndex() == 1:
            self.guide.go_to(criterion)

    def to_rationale(self) -> None:
        """Put the cursor into the rationale."""
        self.answering.advance.stop()
        self.side.show()
        self.context.actions.set_checked("annotate.panel", True)
        self.show_guide(False)
        self.panel.rationale.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def pause(self, on: bool) -> None:
        """Hide the texts and stop the clock, or go on."""
        self.answering.save_now()
        self.answering.stop()
        self.desk.act()
        self.desk.paused = on
        self.panes.setVisible(not on)
        self.prompt.setVisible(not on)
        self.bar.say("Paused, the clock stands; P goes on" if on else "")

    def leave_field(self) -> None:
        """Go back to where single keys act."""
        self.panes.setFocus(Qt.FocusReason.ShortcutFocusReason)

"""Annotate: shows one pair, two answers without their sources, and takes a verdict.

The page connects the view and the header to the controllers; it decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.annotate.adjudicate_mode import AdjudicateMode
from app.annotate.audit_mode import AuditMode
from app.annotate.labeling_controller import LabelingController
from app.annotate.labeling_state import LabelingState
from app.annotate.labeling_view import LabelingView, edited_field
from app.annotate.mode_tabs import ADJUDICATE, LABEL, TEAM, ModeTabs
from app.annotate.progress_header import ProgressHeader
from app.annotate.queue_choice import QueueKind
from app.annotate.quiz_mode import QuizMode
from app.annotate.responsive_layout import ResponsiveLayout
from app.annotate.reviewer_status import ReviewerStatus
from app.annotate.team_part import TeamPart
from app.annotate.tool_menu import HEADER_ACTIONS, ToolMenu
from app.context import AppContext
from app.main_window.page import Page
from app.widgets.buttons import action_button
from app.widgets.own_keys import OwnKeys
from core.domain.changes import Changes
from core.domain.judgement import Task

EXPECT_AFTER_MS = 100
"""The next pair's formulas are drawn when this one has been painted, which they would slow down."""
VIEW_SETTINGS = ("annotate.view", "annotate.layout", "annotate.link_scroll", "annotate.diff", "annotate.font")


class AnnotatePage(Page):
    """The labelling screen."""

    place: ClassVar[str] = "annotate"
    watches: ClassVar[Changes] = Changes.PAIRS | Changes.RUBRICS | Changes.REVIEWERS | Changes.DATASETS

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.controller = LabelingController(context, self)
        self.view = LabelingView(context.actions, context.theme)
        self.audit, self.adjudicate = AuditMode(context, self), AdjudicateMode(context, self)
        self.team, self.tabs, self.progress = TeamPart(context, self), ModeTabs(LABEL), ProgressHeader()
        self.quiz = QuizMode(context, self, self.controller)
        self._modes = (self.audit, self.adjudicate, self.quiz, self.team)
        self._own_keys = OwnKeys(self, after_click=False, enter=lambda: not self._takes_enter)
        self.state.criteria_seen = lambda: self.view.shows_criteria
        self._build()
        self._own_keys.keep(self)
        self._bind_actions()
        self._connect_controllers()
        self._connect_view()
        for key in VIEW_SETTINGS:
            self._take_setting(key)

    @property
    def state(self) -> LabelingState:
        """What is on the screen."""
        return self.controller.state

    def _build(self) -> None:
        progress = self.progress
        for widget in (self.tabs, *progress.left):
            self.header.add_left(widget)
        tools = [action_button(self.context.actions, one, icon_only=True) for one in HEADER_ACTIONS]
        self._tools = ToolMenu(self.context.actions, self.context.theme, HEADER_ACTIONS, "More tools")
        for widget in (*progress.right, *tools, self._tools):
            self.header.add_right(widget)
        self._screens = QStackedWidget()
        for screen in (self.view, *(mode.place for mode in self._modes)):
            self._screens.addWidget(screen)
        self.set_body(self._screens, margin=0)
        optional = progress.optional(lambda: self.state.queue is not None)
        self._responsive = ResponsiveLayout(self.header, self.view.pair_area, self.view.side, optional, self)
        self._responsive.fold_tools(tools, self._tools)

    def _bind_actions(self) -> None:
        actions = self.context.actions
        handlers = self.controller.handlers() | self.view.handlers()
        handlers |= {
            "annotate.highlight": self._request_span,
            "annotate.rationale": self._write_rationale,
            "annotate.undo": self._undo,
            "annotate.redo": self._redo,
            "annotate.adjudicate": self._adjudicate,
        }
        for action_id, handler in handlers.items():
            self.on(action_id, handler)
        for name in ("panel", "prompt", "guide", "pause", "bookmark"):
            actions.set_checked(f"annotate.{name}", name in ("panel", "prompt"))

    def _connect_controllers(self) -> None:
        signals, view = self.controller.signals, self.view
        signals.queue_opened.connect(self._show_queue)
        signals.nothing_to_label.connect(view.show_nothing)
        signals.presentation_changed.connect(self._show_presentation)
        signals.form_changed.connect(lambda: view.show_form(self.state))
        signals.focus_changed.connect(lambda: view.show_focus(self.state))
        signals.span_added.connect(view.end_span)
        signals.paused_changed.connect(view.set_paused)
        signals.message.connect(view.bar.show_message)
        signals.save_state_changed.connect(view.bar.set_save_state)
        signals.status_read.connect(self._show_status)
        signals.bookmarks_changed.connect(self._show_bookmark)
        signals.panel_wanted.connect(view.show_panel)
        signals.picked.connect(self.adjudicate.enter)

    def _connect_view(self) -> None:
        view, panel, editor = self.view, self.view.panel, self.controller.editor
        panel.rated.connect(editor.rate)
        panel.rationale_changed.connect(editor.set_rationale)
        panel.confidence_changed.connect(editor.set_confidence)
        panel.decision_chosen.connect(self.controller.history.show)
        panel.flags_and_spans.flag_removed.connect(editor.toggle_flag)
        panel.flags_and_spans.span_removed.connect(editor.remove_span)
        view.panes.edit_requested.connect(editor.ask_edit)
        view.panes.span_requested.connect(self._request_span)
        view.span_requested.connect(editor.ask_span)
        view.step_requested.connect(self._take_step)
        view.controls_made.connect(self._own_keys.keep)
        view.rubric_shown.connect(self._responsive.fit)
        view.pair_shown.connect(self._note_shown)
        view.pause_ended.connect(partial(editor.pause, False))
        view.criteria_hidden.connect(editor.leave_criteria)
        for mode in self._modes:
            mode.toggled.connect(partial(self._show_mode, mode.place))
        self.team.offered.connect(partial(self.tabs.set_offered, TEAM))
        for chosen in (self.tabs.mode_chosen, self.team.mode_wanted):
            chosen.connect(self.show_mode)
        self.adjudicate.pick_taken_back.connect(self.controller.commits.undo)
        self.adjudicate.stored.connect(view.bar.show_message)
        self.audit.controls_made.connect(self._own_keys.keep)
        self._responsive.narrowed.connect(self.view.float_panel)
        self._responsive.panel_shown.connect(view.show_panel)
        self.context.theme.changed.connect(self._fit_soon)
        self.context.session.reviewer_changed.connect(self.controller.queue.reviewer_changed)
        self.context.settings.changed.connect(self._take_setting)

    # What the window calls

    def on_shown(self) -> None:
        """Open the queue, or say what is missing for it."""
        if (mode := self._mode) is not None:
            mode.come_back()
        else:
            self.controller.queue.set_shown(True)

    def on_hidden(self) -> None:
        """Keep what is filled in."""
        self.controller.editor.cancel_submit()
        self.controller.queue.set_shown(False)
        self.controller.editor.drafts.save_now()

    def can_leave(self) -> bool:
        """Keep what is filled in before the window closes."""
        self.controller.editor.drafts.save_now()
        return True

    def changed(self, _changes: Changes) -> None:
        """Read the queue again when pairs, rubrics or reviewers changed; the pair on the screen stays."""
        self.controller.queue.refresh()
        self.team.refresh()

    def handle_changes(self, changes: Changes, initiator: object | None) -> None:
        """Leave out changes that were made here, because the screen shows them already."""
        super().handle_changes(changes, self if self.controller.has_made(initiator) else initiator)

    def show_item(self, **what: Any) -> None:
        """Label ``pair_ids``, a ``batch``, stale ones (``relabel``), a ``quiz``; adjudicate, vote, audit, ``team``."""
        self.team.leave()
        if evaluation_id := what.get("audit"):
            self.audit.enter(str(evaluation_id))
            return
        self._leave_others()
        if pair_ids := what.get("pair_ids"):
            self.controller.queue.switch(self.state.choice.of_pairs(tuple(pair_ids)))
        elif what.get("team"):
            self.show_mode(TEAM)
        elif what.get("relabel"):
            self.take_queue("stale")
        elif what.get("adjudicate"):
            self._adjudicate()
        elif what.get("quiz"):
            self.take_queue("quiz")
        elif key := what.get("vote_round") or what.get("batch"):
            of = self.state.choice.of_votes if "vote_round" in what else self.state.choice.of_batch
            self.controller.queue.switch(of(int(key), str(what.get("title", ""))))

    def show_mode(self, mode: str) -> None:
        """Show the team, conflicts to decide, or pairs to label."""
        if mode == TEAM:
            self._leave_others()
            self.team.enter()
            return
        self.team.leave()
        if mode == ADJUDICATE:
            self._adjudicate()
        elif self.state.choice.kind == ADJUDICATE:
            self.take_queue("all")

    def _leave_others(self) -> None:
        """End what is shown in place of the pairs, the team aside."""
        for mode in self._modes[:-1]:
            mode.leave()

    def take_queue(self, kind: QueueKind) -> None:
        """Label other pairs."""
        self.controller.queue.switch(self.state.choice.of_kind(kind))

    def first_focus(self) -> QWidget:
        """Start at the answers, where every single key acts; during a pause at the way on."""
        if (mode := self._mode) is not None:
            return mode.view.first_focus()
        return self.view.cover.button if self.state.paused else self.view.panes

    def kept_clear(self) -> list[QWidget]:
        """Return the main buttons and the bar of verdicts."""
        return [*super().kept_clear(), *([self.view.bar] if self.view.shows_pair and not self.team.on else [])]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide what has no room."""
        super().resizeEvent(event)
        self._responsive.fit()

    # Slots

    @property
    def _takes_enter(self) -> bool:
        """Whether Enter submits, wherever the focus is."""
        shows_pair = self.view.shows_pair and not self.team.on
        return self.adjudicate.on or self.quiz.on or (self.audit.view.shows_answer if self.audit.on else shows_pair)

    @property
    def _mode(self) -> AuditMode | AdjudicateMode | QuizMode | TeamPart | None:
        """What is shown in place of the pairs."""
        return next((mode for mode in self._modes if mode.on), None)

    def _show_mode(self, view: QWidget, on: bool) -> None:
        """Show an audit, a decision or the team in place of the pairs, or the pairs again."""
        self.header.setVisible(not on)
        self._screens.setCurrentWidget(view if on else self.view)
        if on:
            self.on_hidden()
        else:
            self.on_shown()

    def _fit_soon(self) -> None:
        """Hide what has no room, once a new text size has settled."""
        QTimer.singleShot(0, self, self._fit)

    def _fit(self) -> None:
        self._responsive.fit()
        self.view.fit()

    def _take_setting(self, key: str) -> None:
        if key in VIEW_SETTINGS:
            self.view.apply_setting(key, self.context.settings.get(key))

    def _show_queue(self) -> None:
        self.progress.show_queue(self.state.choice.title)
        self.tabs.show_own(ADJUDICATE if self.state.choice.kind == ADJUDICATE else LABEL)
        self.view.panel.show_clarified(self.state.queue.clarified if self.state.queue is not None else "")
        if self.state.presentation is None:
            self._show_rubric()
        if (queue := self.state.queue) is not None and queue.settings.task is Task.ADJUDICATE:
            self.adjudicate.begin(queue.settings.rubric_version_id)
        self._responsive.fit()

    def _show_rubric(self) -> None:
        if (version := self.state.rubric) is not None:
            self.progress.show_rubric(version.title, of_queue=not self.state.under_other_rubric)
            self.view.show_rubric(self.state)

    def _note_shown(self, presentation_uid: str) -> None:
        """Note which texts are on the screen: only their answer is stored."""
        self.state.on_screen = presentation_uid

    def _show_presentation(self) -> None:
        self.view.end_switches(source=self.context.settings.get("annotate.view") == "source")
        self._show_rubric()
        if (shown := self.state.presentation) is not None:
            self.view.panel.show_changes(shown.changed, shown.left_is)
        self.view.show_presentation(self.state)
        self._show_bookmark()
        QTimer.singleShot(EXPECT_AFTER_MS, self, self._expect_next)

    def _expect_next(self) -> None:
        """Draw the formulas of the pair that comes next, once this one is on the screen."""
        for following in list(self.state.waiting)[:1]:
            self.view.prompt.expect(following.prompt)
            self.view.panes.expect((following.left, following.right))

    def _show_status(self, status: ReviewerStatus | None) -> None:
        self.progress.show_status(status)
        self._responsive.fit()
        if status is not None:
            self.view.show_status(status, self.state.earlier_id)

    def _show_bookmark(self) -> None:
        presentation = self.state.presentation
        self.view.show_bookmark(presentation is not None and presentation.pair_id in self.state.bookmarked)

    def _adjudicate(self) -> None:
        self.adjudicate.restart()
        self.take_queue("adjudicate")

    def _request_span(self) -> None:
        if self.state.can_answer:
            self.view.request_span()

    def _write_rationale(self) -> None:
        self.controller.editor.cancel_submit()
        self.view.focus_rationale()

    def _undo(self) -> None:
        """Undo in the text field that has the keyboard, else the last step."""
        field, queue, undo = edited_field(), self.state.queue, self.controller.commits.undo
        if field is None and queue is not None and queue.settings.task is Task.ADJUDICATE:
            self.adjudicate.undo(queue.settings.rubric_version_id, undo)
        else:
            (undo if field is None else field.undo)()

    def _redo(self) -> None:
        """Redo in the text field that has the keyboard, else the last step."""
        field = edited_field()
        (self.controller.commits.redo if field is None else field.redo)()

    def _take_step(self, step: str) -> None:
        """Do what the main button of an empty screen says."""
        steps: dict[str, Callable[[], object]] = {
            "reviewer": lambda: self.context.actions.run("global.reviewer"),
            "data": lambda: self.context.navigate("data"),
            "rubrics": lambda: self.context.navigate("rubrics"),
            "all": lambda: self.take_queue("all"),
            "skipped": lambda: self.take_queue("skipped"),
            "again": self.controller.queue.switch,
            "votes": lambda: self.context.navigate("evaluate", vote_round=self.state.choice.vote_round[0]),
        }
        steps[step]()

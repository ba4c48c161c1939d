"""The body of the labelling page: prompt, answers, verdict and panel, or what is missing for a pair."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.annotate.answer_panes import AnswerPanes
from app.annotate.decision_strip import DecisionStrip
from app.annotate.empty_states import NothingToLabel
from app.annotate.guide import Guide
from app.annotate.labeling_state import LabelingState
from app.annotate.pause_cover import PauseCover
from app.annotate.prompt_card import PromptCard
from app.annotate.queue_choice import Missing
from app.annotate.reviewer_status import ReviewerStatus
from app.annotate.rubric_panel import RubricPanel
from app.annotate.verdict_bar import VerdictBar
from app.theme.theme import Theme
from app.widgets.containers import side_panel
from app.widgets.messages import announce
from core.domain.judgement import CANNOT_JUDGE_REASONS

SCROLL_PAGES = 0.85
"""Share of the height that one key scrolls, so that the last lines stay in sight."""
PANEL_EMS, LOW_EMS = 20, 21
"""Width of a panel over the answers; height below which the prompt is one line. In heights of a line."""
PANEL_SHARE, LEAST_TEXT_PX = 0.25, 44
"""Share of the width that the panel takes at first, and the least height of an answer."""
_NOTHING, _PAIR, _PAUSED = 0, 1, 2
_CRITERIA, _GUIDE = 0, 1


class LabelingView(QStackedWidget):
    """Shows a pair with its form, or what is missing.

    Signals:
        step_requested(str): a ``Step`` of the screen that says what is missing.
        span_requested(str, int, int): the selected words are to become a span: side, start, end.
        controls_made(QWidget): controls were made that are new under this widget.
        rubric_shown(): other criteria are shown, which may need another width.
        pair_shown(str): the texts of this presentation are shown; empty when none is.
        pause_ended(): the button of the pause was pressed.
        criteria_hidden(): the panel with the criteria was hidden.
    """

    step_requested = Signal(str)
    span_requested = Signal(str, int, int)
    controls_made = Signal(QWidget)
    rubric_shown = Signal()
    pair_shown = Signal(str)
    pause_ended = Signal()
    criteria_hidden = Signal()

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__()
        self._actions, self._theme = actions, theme
        self.prompt, self.panes, self.bar = PromptCard(theme), AnswerPanes(theme), VerdictBar(actions, theme)
        self.panel, self.guide = RubricPanel(theme), Guide(theme)
        self.strip, self.cover = DecisionStrip(theme), PauseCover(actions, theme)
        self._paused = self._floats = self._moved = False
        self.pair_area = self._make_pair_area()
        for layer in (QWidget(), self._make_split(), self.cover):
            self.addWidget(layer)
        self.cover.ended.connect(self.pause_ended)
        self.guide.closed.connect(partial(self.show_guide, False))
        self.prompt.folded.connect(partial(actions.set_checked, "annotate.prompt"))
        self.panes.source_changed.connect(self.prompt.set_source)
        self.panes.mostly_different.connect(partial(self.bar.show_message, "Most words differ; D hides the marks"))
        self.panel.flags_and_spans.rows_made.connect(lambda: self.controls_made.emit(self.panel.flags_and_spans))

    def _make_pair_area(self) -> QWidget:
        area = QWidget()
        column = QVBoxLayout(area)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addWidget(self.strip)
        column.addWidget(self.prompt)
        column.addWidget(self.panes, 1)
        column.addWidget(self.bar)
        return area

    def _make_split(self) -> QSplitter:
        """Put the panel beside the pair; the whole rubric text takes the place of the criteria in it."""
        self._split = split = QSplitter()
        split.addWidget(self.pair_area)
        self.side, column = side_panel(300)
        self.side.setMinimumWidth(0)  # what it holds says how wide it is at least
        column.setContentsMargins(0, 0, 0, 0)
        self._side_stack = QStackedWidget()
        self._side_stack.addWidget(self.panel)
        self._side_stack.addWidget(self.guide)
        column.addWidget(self._side_stack)
        split.addWidget(self.side)
        split.setHandleWidth(1)
        split.setStretchFactor(0, 1)
        split.setSizes([980, 300])
        split.setChildrenCollapsible(False)
        split.splitterMoved.connect(lambda *_: setattr(self, "_moved", True))
        for pane in (self.panes.left, self.panes.right):
            pane.text.setMinimumHeight(LEAST_TEXT_PX)
        return split

    @property
    def shows_pair(self) -> bool:
        """Whether a pair is shown: neither what is missing for one, nor the cover of a pause."""
        return self.currentIndex() == _PAIR

    @property
    def shows_criteria(self) -> bool:
        """Whether the criteria, or the rubric text in their place, can be seen."""
        return not self.side.isHidden()

    # What the state says

    def show_nothing(self, missing: Missing) -> None:
        """Show what is missing in place of a pair."""
        screen, old = NothingToLabel(self._theme, missing), self.widget(_NOTHING)
        screen.step_requested.connect(self.step_requested)
        screen.choice_requested.connect(partial(self._actions.run, "annotate.queue"))
        self.insertWidget(_NOTHING, screen)
        self.setCurrentIndex(_NOTHING)
        if old is not None:
            self.removeWidget(old)
            old.deleteLater()
        self.controls_made.emit(screen)
        self.pair_shown.emit("")
        self._actions.set_enabled("annotate.submit", False)
        if self.isVisible():
            screen.buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def show_presentation(self, state: LabelingState) -> None:
        """Show the pair on the screen, with its rubric and its form."""
        presentation = state.presentation
        if presentation is None:
            return
        if not self.shows_pair and not self._paused:
            self.setCurrentIndex(_PAIR)
        self.show_rubric(state)
        self.prompt.show_prompt(presentation.prompt, presentation.pair_id)
        self.panes.show_pair(presentation.left, presentation.right)
        self.pair_shown.emit(presentation.presentation_uid)
        self.show_focus(state)
        self.show_form(state)
        self.panel.select_recent(state.earlier_id)
        if edited_field() is None or not state.presses.surprised:
            self.focus_answers()  # where each key acts on the new pair; who is typing goes on

    def end_switches(self, *, source: bool) -> None:
        """End what was switched for one pair only: ``source`` is how answers are shown by the settings."""
        if self._actions.action("annotate.source").isChecked() != source:
            self._actions.set_checked("annotate.source", source)
        self.panes.next_shows(source=source)

    def show_rubric(self, state: LabelingState) -> None:
        """Show the criteria and the scale of the rubric version."""
        version = state.rubric
        if version is None or version.id == self.panel.version_id:
            return
        self.panel.set_rubric(version)
        self.guide.set_rubric(version)
        self.bar.set_scale(version.body.scale)
        self.controls_made.emit(self.panel)
        self.rubric_shown.emit()

    def show_focus(self, state: LabelingState) -> None:
        """Show which criterion takes the verdict keys."""
        self.panel.show_focus(state.focused)
        self._scroll_guide()

    def show_form(self, state: LabelingState) -> None:
        """Show what is filled in."""
        form, side = state.form, state.form.preferred_side
        self.bar.show_verdict(form.screen_strength, form.verdict, CANNOT_JUDGE_REASONS.get(form.reason, ""))
        self.panes.set_preferred(side)
        self.panes.show_edit_and_spans(side if side in form.edits else None, form.spans)
        self.panel.show_form(form, {"left": state.text_of("left"), "right": state.text_of("right")})
        self._actions.set_enabled("annotate.submit", state.presentation is not None)
        self.strip.show_state(state)
        self.bar.show_step(earlier=state.earlier_id is not None, changed=state.changed)

    def show_bookmark(self, on: bool) -> None:
        """Show whether the pair is bookmarked."""
        self.prompt.set_bookmarked(on)
        self._actions.set_checked("annotate.bookmark", on)

    def show_status(self, status: ReviewerStatus, earlier_id: int | None) -> None:
        """Show the last decisions and what undo and redo would do."""
        self.panel.set_recent(status.recent)
        self.panel.select_recent(earlier_id)
        for action_id, label in (("annotate.undo", status.undo_label), ("annotate.redo", status.redo_label)):
            self._actions.set_enabled(action_id, bool(label))
            self._actions.action(action_id).setToolTip(label or "There is no step")

    def set_paused(self, paused: bool) -> None:
        """Cover the pair, its verdicts and its panel, or show them again."""
        if paused == self._paused:
            return
        self._paused = paused
        self._actions.allow_only({"annotate.pause"} if paused else None)
        self._actions.set_checked("annotate.pause", paused)
        self.setCurrentIndex(_PAUSED if paused else _PAIR)
        if paused:
            self.cover.begin()
            announce(self, "Paused")
            self.cover.button.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.focus_answers()

    def apply_setting(self, key: str, value: object) -> None:
        """Take a setting of the annotation group."""
        panes = self.panes
        switches: dict[str, tuple[str, Callable[[bool], None], bool]] = {
            "annotate.view": ("annotate.source", panes.set_source, value == "source"),
            "annotate.layout": ("annotate.layout", panes.set_stacked, value == "rows"),
            "annotate.link_scroll": ("annotate.link", panes.set_linked, bool(value)),
            "annotate.diff": ("annotate.diff", partial(panes.set_diff, warn=False), bool(value)),
        }
        if key in switches:
            action_id, switch, on = switches[key]
            self._actions.set_checked(action_id, on)
            switch(on)
        elif key == "annotate.font" and isinstance(value, int):
            panes.set_size(value)
            self.prompt.set_size(value)

    # What actions do to the view alone

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return the handlers of the catalog's actions that change only what is seen, by action id."""
        panes = self.panes
        return {
            "annotate.rationale": self.focus_rationale,
            "annotate.leave_field": self._leave_field,
            "annotate.guide": self.show_guide,
            "annotate.panel": self.show_panel,
            "annotate.diff": panes.set_diff,
            "annotate.layout": panes.set_stacked,
            "annotate.link": panes.set_linked,
            "annotate.source": panes.set_source,
            "annotate.whole": self.show_whole,
            "annotate.prompt": self.prompt.set_all_turns,
            "annotate.scroll": partial(panes.scroll_pages, SCROLL_PAGES),
            "annotate.scroll_back": partial(panes.scroll_pages, -SCROLL_PAGES),
        }

    def show_whole(self) -> None:
        """Show the whole of prompt and answers that are too long to be shown at once."""
        self.prompt.show_whole()
        self.panes.show_all()

    def request_span(self) -> None:
        """Ask for a span of the selected words; without a selection, show how to select."""
        if (selection := self.panes.selected()) is not None:
            self.span_requested.emit(*selection)
            return
        if not self.panes.shows_source:
            self._actions.set_checked("annotate.source", True)
            self.panes.set_source(True)
        self.panes.left.text.setFocus()
        self.bar.show_message("Select words, then press H again")

    def end_span(self) -> None:
        """Clear the selection that became a span."""
        self.panes.clear_selection()
        self.focus_answers()

    def show_guide(self, on: bool) -> None:
        """Show the whole text of the rubric in place of the criteria, or the criteria again."""
        self._actions.set_checked("annotate.guide", on)
        self._side_stack.setCurrentIndex(_GUIDE if on else _CRITERIA)
        if on:
            self.show_panel()
            self._scroll_guide()

    def focus_rationale(self) -> None:
        """Put the cursor into the rationale."""
        self.show_panel()
        self.show_guide(False)
        self.panel.rationale.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_answers(self) -> None:
        """Put the focus where single keys act."""
        self.panes.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def float_panel(self, on: bool) -> None:
        """Lay the panel over the answers, where there is no room beside them, or put it beside them again."""
        if on == self._floats:
            return
        self._floats, shown = on, not self.side.isHidden()
        self.side.setProperty("overlay", on)
        if on:
            self.side.setParent(self)
            self._place_panel()
        else:
            self._split.addWidget(self.side)
            self._split.setSizes([980, 300])
        self.side.setVisible(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep a panel that lies over the answers at the right edge."""
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Place a panel that lies over the answers, and leave out what a low page has no room for."""
        self._place_panel()
        for part in (self.prompt, self.panes.left, self.panes.right):
            part.set_low(self.height() < LOW_EMS * self.fontMetrics().height())

    def _place_panel(self) -> None:
        if self._floats:
            asked = max(self.side.minimumSizeHint().width(), PANEL_EMS * self.fontMetrics().height())
            self.side.setGeometry(max(0, self.width() - asked), 0, min(asked, self.width()), self.height())
            self.side.raise_()
        elif not self._moved:
            panel = min(300, round(PANEL_SHARE * self.width()))
            self._split.setSizes([self.width() - panel, panel])

    def _leave_field(self) -> None:
        """Go back to the answers; a panel that lies over them is closed."""
        if self._floats and not self.side.isHidden():
            self.show_panel(False)
        self.focus_answers()

    def show_panel(self, on: bool = True) -> None:
        """Show or hide the panel beside the answers."""
        if on:
            self._place_panel()
        self.side.setVisible(on)
        self._actions.set_checked("annotate.panel", on)
        if not on:
            self.criteria_hidden.emit()
            self.focus_answers()

    def _scroll_guide(self) -> None:
        """Show the focused criterion in the rubric text."""
        if (criterion := self.panel.focused_criterion) is not None and self._side_stack.currentIndex() == _GUIDE:
            self.guide.go_to(criterion)


def edited_field() -> QPlainTextEdit | None:
    """Return the text field that has the keyboard and can be written in, or None."""
    field = QApplication.focusWidget()
    return field if isinstance(field, QPlainTextEdit) and not field.isReadOnly() else None

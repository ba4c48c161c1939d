"""The Feedback tab within the Data page: made when it is first shown, with its header buttons and its keys."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.data import feedback_words as words
from app.data.changeset_actions import ChangesetActions
from app.data.consent_subject import ConsentSubject
from app.data.feedback_actions import FeedbackActions
from app.data.feedback_tab import FeedbackTab
from app.data.triage_actions import OFF_FOR_ATTACKS, TriageActions
from app.main_window.page import Page
from app.widgets.buttons import action_button
from app.widgets.labels import Chip
from app.widgets.lazy_part import LazyPart
from core.domain.feedback import FeedbackCounts

KEYS = (
    "data.triage_label", "data.triage_rubric", "data.triage_suite", "data.triage_reject", "data.triage_undo",
    "data.feedback_next", "data.feedback_previous", "data.consent",
)  # fmt: skip
"""Actions whose keys are those of the tab while it is shown."""


class FeedbackPlace(QObject):
    """Owns the tab. ``counted(int)`` fires with the number of new events, for the title of the tab.

    Attributes:
        place: where the tab is, or will be once it is shown.
    """

    counted = Signal(int)

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._page, self._context = page, page.context
        self.place = LazyPart(self._context.theme, lambda: FeedbackTab(self._context), self._begin)
        self._parts: tuple[FeedbackActions, TriageActions, ChangesetActions] | None = None
        self._shown = False
        self.events, self.consents = Chip(""), Chip("")
        self._label_tip = self._context.actions.action("data.triage_label").toolTip()
        actions, theme = self._context.actions, self._context.theme
        self._buttons: list[QWidget] = [
            action_button(actions, "data.feedback_answer", text="About an answer…", theme=theme),
            action_button(actions, "data.feedback_add", text="Add event…", theme=theme),
            action_button(actions, "data.feedback_import", text="Import feedback…", kind="primary", theme=theme),
        ]
        for chip in (self.events, self.consents):
            page.header.add_left(chip)
            chip.hide()
        for button in self._buttons:
            page.header.add_right(button)
            button.hide()
        self._bind()

    @property
    def tab(self) -> FeedbackTab:
        """The tab with its parts; made when it is first asked for."""
        return self.place.part

    def _begin(self, tab: FeedbackTab) -> None:
        feedback = FeedbackActions(self._context, tab, self._page)
        triage = TriageActions(self._context, self._page, tab.chosen)
        changesets = ChangesetActions(self._context, tab.changesets, self._page, tab.chosen)
        self._parts = (feedback, triage, changesets)
        triage.decided.connect(tab.go_on)
        tab.read_done.connect(self._show_counts)
        tab.chosen_changed.connect(self._enable)
        self._context.session.reviewer_changed.connect(tab.changesets.follow)
        self.read()

    def show_consent(self, subject: ConsentSubject) -> None:
        """Show what a subject agreed to, beside the inbox."""
        self._made()[0].show_consent(subject)

    def show(self, on: bool) -> None:
        """Show what belongs to the tab in the header, and give it its keys; or take both away."""
        self._shown = on
        for button in self._buttons:
            button.setVisible(on)
        if on:
            self.read()
        else:
            for chip in (self.events, self.consents):
                chip.hide()
        self._enable()

    def read(self) -> None:
        """Read the inbox, the changesets and the consents again while the tab is shown; one to be made reads then."""
        if self._shown and (tab := self.place.made) is not None:
            tab.read()
            feedback, _, changesets = self._made()
            feedback.read_consents()
            changesets.read_list()

    def read_count(self) -> None:
        """Read how many events are new, for the title of the tab."""
        service = self._context.services.feedback
        self._context.tasks.query(service.counts, self._count, owner=self, key="counts")

    def _count(self, counts: FeedbackCounts) -> None:
        self.counted.emit(counts.open)

    def _show_counts(self, counts: FeedbackCounts) -> None:
        self.counted.emit(counts.open)
        if self._shown:
            self.events.set_chip(words.events_text(counts))
            self.consents.set_chip(words.counts_text(counts))

    def _made(self) -> tuple[FeedbackActions, TriageActions, ChangesetActions]:
        _ = self.tab
        assert self._parts is not None
        return self._parts

    def _enable(self) -> None:
        """Enable what the chosen event allows; an attack is not labelled."""
        actions = self._context.actions
        tab = self.place.made if self._shown else None
        chosen = tab.chosen() if tab is not None else []
        for action_id in KEYS:
            actions.set_enabled(action_id, bool(chosen))
        if tab is None:
            return
        attacks = any(event.kind == "attack" for event in chosen)
        new = any(event.state == "open" for event in chosen)
        readable = new and all(event.content is not None for event in chosen)
        waits = any(event.waits for event in chosen)
        actions.set_enabled("data.triage_label", (readable or waits) and not attacks)
        actions.action("data.triage_label").setToolTip(OFF_FOR_ATTACKS if attacks else self._label_tip)
        for action_id in ("data.triage_rubric", "data.triage_suite"):
            actions.set_enabled(action_id, readable)
        actions.set_enabled("data.triage_reject", new)
        actions.set_enabled("data.triage_undo", True)
        actions.set_enabled("data.feedback_next", True)
        actions.set_enabled("data.feedback_previous", True)

    def _bind(self) -> None:
        for action_id, target in (
            ("data.triage_label", "label"), ("data.triage_rubric", "rubric"), ("data.triage_suite", "suite"),
            ("data.triage_reject", "reject"),
        ):  # fmt: skip
            self._page.on(action_id, partial(self._decide, target))
        self._page.on("data.triage_undo", lambda: self._made()[1].undo())
        self._page.on("data.feedback_next", lambda: self.tab.step(1))
        self._page.on("data.feedback_previous", lambda: self.tab.step(-1))
        self._page.on("data.consent", lambda: self._made()[0].consent_of_chosen())
        self._page.on("data.feedback_add", lambda: self._in_front().add())
        self._page.on("data.feedback_answer", lambda: self._in_front().add_about_answer())
        self._page.on("data.feedback_import", lambda: self._in_front().import_file())

    def _in_front(self) -> FeedbackActions:
        """Bring the tab to the front, so that what is added is seen."""
        self._page.show_item(feedback=True)
        return self._made()[0]

    def _decide(self, target: str) -> None:
        self._made()[1].decide(target)  # type: ignore[arg-type]

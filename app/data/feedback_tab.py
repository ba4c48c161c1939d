"""The feedback inbox: filters, events, the chosen one in full, and beside it changesets, consent and shift."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from threading import Event
from typing import NamedTuple

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.data.changeset_panel import ChangesetPanel
from app.data.consent_panel import ConsentPanel
from app.data.feedback_bar import FeedbackBar
from app.data.feedback_columns import FEEDBACK_COLUMNS, FEEDBACK_HIDDEN
from app.data.feedback_detail import FeedbackDetail
from app.data.shift_panel import ShiftPanel
from app.widgets.containers import ScrollColumn
from app.widgets.inputs import SegmentedControl
from app.widgets.lazy_part import LazyPart
from app.widgets.messages import EmptyState
from app.widgets.table import VirtualTable
from core.domain.feedback import Decision, FeedbackCounts, FeedbackEvent

PANELS: tuple[tuple[str, str], ...] = (
    ("inbox", "Inbox"),
    ("changesets", "Changesets"),
    ("consent", "Consent"),
    ("shift", "Shift"),
)


BESIDE_EMS = 50
"""Width, in heights of a line, below which inbox and panel do not stand beside each other."""


class Inbox(NamedTuple):
    """What is read of the inbox."""

    ids: list[int]
    counts: FeedbackCounts
    releases: Sequence[str]


class Shown(NamedTuple):
    """One event with its decisions."""

    event: FeedbackEvent
    history: Sequence[Decision]


class FeedbackTab(QWidget):
    """``read_done(FeedbackCounts)`` fires after each read of the inbox; ``chosen_changed()`` when an event was read."""

    read_done = Signal(object)
    chosen_changed = Signal()

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context, theme = context, context.theme
        self._stop, self._wanted = Event(), 0
        self.current: FeedbackEvent | None = None
        self._goes_on = self._narrow = False
        self.bar, self.detail = FeedbackBar(theme), FeedbackDetail(context)
        self.table = VirtualTable(
            context.tasks, theme, FEEDBACK_COLUMNS, name="Feedback events", settings=context.settings,
            state_key="feedback-table",
        )  # fmt: skip
        self.table.hide_columns(FEEDBACK_HIDDEN)
        self.table.setMinimumHeight(theme.px(150))
        theme.changed.connect(self._fit_later)
        self.panel = SegmentedControl("Beside the inbox", PANELS)
        self.panel.set_value("changesets")
        self.changesets, self.consent = ChangesetPanel(context), ConsentPanel(context)
        self._shift = LazyPart(theme, lambda: ShiftPanel(context))
        self._build()
        self.bar.changed.connect(self.read)
        self.table.current_changed.connect(self.read_event)
        self.panel.changed.connect(self.show_panel)

    @property
    def shift(self) -> ShiftPanel:
        """How training, suites and feedback differ; made when it is first shown or asked for."""
        return self._shift.part

    def show_panel(self, key: str) -> None:
        """Show the inbox alone, or beside it changesets, consent or shift; in place of it where it is narrow."""
        self.panel.set_value(key)
        self._left.setVisible(key == "inbox" or not self._narrow)
        self._panels.setVisible(key != "inbox")
        if key != "inbox":
            self._panels.setCurrentIndex([one for one, _ in PANELS].index(key) - 1)

    def show_event(self, event_id: int) -> None:
        """Put the cursor on an event once the inbox is read; a filter that hides it is taken off."""
        self._wanted = event_id
        self.bar.clear()
        self.read()

    def go_on(self) -> None:
        """Put the cursor on the next new event with the next read."""
        self._goes_on = True

    def step(self, by: int) -> None:
        """Go to the next or the previous event."""
        self.table.go_to(min(max(0, self.table.currentIndex().row() + by), self.table.count - 1))

    def chosen(self) -> list[FeedbackEvent]:
        """Return the selected events that were read; the one with the cursor when there is no more."""
        model = self.table.model_
        wanted = set(self.table.selected_ids())
        rows = [model.row(place) for place, key in enumerate(model.ids) if key in wanted] if len(wanted) > 1 else []
        found = [row for row in rows if row is not None]
        return found or ([self.current] if self.current is not None else [])

    def read(self) -> None:
        """Read the events that pass the filter; a read under way is stopped."""
        self._stop.set()
        self._stop = stop = Event()
        service, wanted = self._context.services.feedback, self.bar.wanted()
        self._context.tasks.query(
            lambda: Inbox(service.ids(wanted, stop.is_set), service.counts(), service.releases()),
            partial(self._show, stop),
            owner=self,
            key="inbox",
        )

    def read_event(self, event_id: int | None) -> None:
        """Show one event in full."""
        if event_id is None:
            return
        service = self._context.services.feedback
        self._context.tasks.query(
            lambda: Shown(service.get(event_id), service.history(event_id)), self._show_event, owner=self, key="event"
        )

    def _show(self, stop: Event, found: Inbox) -> None:
        if stop.is_set():
            return
        self._stack.setCurrentIndex(1 if found.counts.events else 0)
        self._lists.setCurrentIndex(0 if found.ids else 1)
        self.bar.set_lists(found.counts, found.releases)
        place = self.table.currentIndex().row()
        self.table.show_ids(found.ids, self._context.services.feedback.rows)
        if self._wanted and self.table.go_to_id(self._wanted):
            self._wanted = 0
        elif self._goes_on and found.ids:
            self.table.go_to(min(max(0, place) + (1 if self.table.current_id is not None else 0), len(found.ids) - 1))
        elif self.table.current_id is None and found.ids:
            self.table.go_to(min(max(0, place), len(found.ids) - 1))
        self._goes_on = False
        if found.ids:
            self.read_event(self.table.current_id)
        else:
            self.current = None
            self.detail.show_nothing()
            self.chosen_changed.emit()
        self.read_done.emit(found.counts)

    def _show_event(self, shown: Shown) -> None:
        if shown.event.id == self.table.current_id:
            self.current = shown.event
            self.detail.show_event(*shown)
            self.chosen_changed.emit()

    def _build(self) -> None:
        theme, actions = self._context.theme, self._context.actions
        empty = EmptyState(
            theme,
            "users",
            "No feedback yet",
            "Import what people said of a policy, or type it in. It changes nothing until somebody decides about it, "
            "and enters training only through a changeset that somebody else approved.",
            main=("Import feedback…", lambda: actions.run("data.feedback_import")),
            second=("Add an event…", lambda: actions.run("data.feedback_add")),
        )
        nothing = EmptyState(
            theme, "filter", "No event matches", "Other words or fewer filters may find some.",
            main=("Clear all filters", self._clear),
        )  # fmt: skip
        self._lists = QStackedWidget()
        self._lists.addWidget(self.table)
        self._lists.addWidget(nothing)
        self._left = left = ScrollColumn(margin=0, name="Feedback")
        left.column.setContentsMargins(0, 0, 6, 0)
        left.column.addWidget(self.bar)
        left.column.addWidget(self._lists, 3)
        left.column.addWidget(self.detail, 2)
        self._panels = QStackedWidget()
        self._panels.setProperty("part", "card")
        for panel in (self.changesets, self.consent, self._shift):
            self._panels.addWidget(panel)
        self._split = QSplitter()
        self._split.setChildrenCollapsible(False)
        for part, share in ((left, 3), (self._panels, 2)):
            self._split.addWidget(part)
            self._split.setStretchFactor(self._split.count() - 1, share)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.panel)
        column.addWidget(self._split, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(whole)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 8, 0, 0)
        outer.addWidget(self._stack)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show one part at a time where both have no room beside each other."""
        super().resizeEvent(event)
        self._fit_later()  # parts must not come and go while they are laid out or styled

    def _fit_later(self) -> None:
        QTimer.singleShot(0, self, self._fit)

    def _fit(self) -> None:
        narrow = self.width() < BESIDE_EMS * self.fontMetrics().height()
        if narrow != self._narrow:
            self._narrow = narrow
            self.show_panel("inbox" if narrow else "changesets" if self.panel.value == "inbox" else self.panel.value)

    def _clear(self) -> None:
        self.bar.clear()
        self.read()

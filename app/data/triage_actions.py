"""What can be decided about the chosen events: asks what the decision needs, runs it, and goes on to the next event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.data.triage_dialog import Target, TriageDialog, TriageLists
from core.domain.changes import Outcome
from core.domain.counting import counted
from core.domain.feedback import FeedbackEvent

if TYPE_CHECKING:
    from core.services.feedback.triage import Triaged

OFF_FOR_ATTACKS = "Attacks are not labelled among helpful pairs. Send them to a suite."


class TriageActions(QObject):
    """Decides; ``decided()`` fires after each decision, ``undone()`` after one was taken back.

    Args:
        context: runs the changes.
        parent: owner of the work and parent of the dialogs.
        chosen: returns the events that are selected.
    """

    decided = Signal()
    undone = Signal()

    def __init__(self, context: AppContext, parent: QWidget, chosen: Callable[[], Sequence[FeedbackEvent]]) -> None:
        super().__init__(parent)
        self._context, self._parent, self._chosen = context, parent, chosen
        self._done: list[tuple[int, ...]] = []

    def decide(self, target: Target) -> None:
        """Ask what a decision needs, and decide about the chosen events."""
        events = [event for event in self._chosen() if event.state == "open" or (event.waits and target == "label")]
        if self._reviewer() is None:
            return
        if not events:
            self._context.notices.post("No new event is chosen.", hint="Choose one, or take a decision back first.")
            return
        if target == "label" and any(event.kind == "attack" for event in events):
            self._context.notices.post(OFF_FOR_ATTACKS, "warn")
            return
        services = self._context.services

        def read() -> TriageLists:
            own = [info.name for info in services.suites.list() if info.id]
            rubrics = [one.name for one in services.rubrics.list()]
            return TriageLists(rubrics, list(dict.fromkeys(own)), services.feedback.batches())

        self._context.tasks.query(read, partial(self._ask, target, events), owner=self)

    def undo(self) -> None:
        """Take back the newest decision about the chosen events; of none the last one that was made here."""
        by = self._reviewer()
        if by is None:
            return
        ids = tuple(event.id for event in self._chosen() if event.state != "open")
        if not ids and self._done:
            ids = self._done.pop()
        if not ids:
            self._context.notices.post("There is no decision to take back.")
            return
        triage = self._context.services.triage
        self._context.ops.mutate(lambda: triage.undo(ids, by), self._tell_undone, owner=self)

    def _ask(self, target: Target, events: Sequence[FeedbackEvent], lists: TriageLists) -> None:
        by = self._reviewer()
        if by is None:
            return
        if target == "rubric" and not lists.rubrics:
            self._context.notices.post("There is no rubric yet.", hint="Make one in Rubrics first.")
            return
        one = events[0].content if len(events) == 1 else None
        second = one is not None and bool(one.answer) and not one.better
        attacks = all(event.kind == "attack" for event in events)
        dialog = TriageDialog(self._parent, self._context, target, len(events), lists, attacks=attacks, second=second)
        if self._context.dialogs.run(dialog):
            self._run(target, tuple(event.id for event in events), by, dialog)
        dialog.deleteLater()

    def _run(self, target: Target, ids: tuple[int, ...], by: int, dialog: TriageDialog) -> None:
        triage, reason, place = self._context.services.triage, dialog.reason.text().strip(), dialog.place_name
        answer, expected = dialog.answer.toPlainText(), dialog.expected.currentData()
        calls: dict[Target, Callable[[], Outcome[Triaged]]] = {
            "label": lambda: triage.to_labelling(ids, by, reason=reason, answer=answer, batch=place),
            "rubric": lambda: triage.to_rubric(ids, by, place, reason=reason),
            "suite": lambda: triage.to_suite(ids, by, place, expected=expected, reason=reason),
            "reject": lambda: triage.reject(ids, by, reason),
        }
        self._context.ops.mutate(calls[target], partial(self._tell, ids), owner=self)

    def _tell(self, ids: tuple[int, ...], outcome: Outcome[Triaged]) -> None:
        self._done.append(ids)
        notes = " ".join(outcome.value.notes)
        said = f"Decided about {counted(len(ids), 'event')}."
        self._context.notices.post(said, "ok", hint=notes, action="Take back", run=self.undo_last)
        self.decided.emit()

    def undo_last(self) -> None:
        """Take back the last decision that was made here."""
        by = self._reviewer()
        if by is not None and self._done:
            ids, triage = self._done.pop(), self._context.services.triage
            self._context.ops.mutate(lambda: triage.undo(ids, by), self._tell_undone, owner=self)

    def _tell_undone(self, outcome: Outcome[Triaged]) -> None:
        count = len(outcome.value.events)
        self._done = [ids for ids in self._done if not set(ids) & {event.id for event in outcome.value.events}]
        hint = " ".join(outcome.value.notes)
        self._context.notices.post(f"Taken back for {counted(count, 'event')}.", "ok", hint=hint)
        self.undone.emit()

    def _reviewer(self) -> int | None:
        """Return who decides; without one the window asks."""
        found = self._context.session.reviewer_id
        if found is None:
            self._context.notices.post("Who decides is part of the log.", hint="Choose a reviewer first.")
            self._context.actions.run("global.reviewer")
        return found

"""The decision on pairs in conflict: what is shown after the first pick, what is chosen, what is stored. No widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.actions.adjudicate_rows import CAUSE_ACTIONS, OUTCOME_ACTIONS
from app.annotate.adjudicate_state import DecisionForm, ShownConflict, read_conflict
from app.annotate.verdict_scale import SCALE_STRENGTHS, VERDICT_POINTS
from app.context import AppContext
from core.domain.adjudication import OUTCOMES, ConflictDecision
from core.domain.changes import Outcome
from core.domain.judgement import JudgementDraft, Verdict, from_screen

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application


class AdjudicateController(QObject):
    """Decides the pairs that the reviewer picked first.

    Signals:
        shown_changed(): another pair is shown, or the same one after its verdict was amended.
        form_changed(): something was chosen.
        message(str): something to tell; stored(str) what was stored.
        emptied(): no pair is left that was picked and not decided.
        pick_taken_back(): the first pick is to be taken back, by the labelling screen.
    """

    shown_changed = Signal()
    form_changed = Signal()
    message = Signal(str)
    stored = Signal(str)
    emptied = Signal()
    pick_taken_back = Signal()

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.shown: ShownConflict | None = None
        self.form = DecisionForm()
        self._forms: dict[int, DecisionForm] = {}
        self._later: set[int] = set()
        self._version_id = 0

    @property
    def _services(self) -> Application:
        return self._context.services

    def open(self, pair_id: int, version_id: int) -> None:
        """Show a pair that the reviewer judged first."""
        reviewer_id = self._context.session.reviewer_id
        if reviewer_id is None:
            return
        self._version_id = version_id
        read = partial(read_conflict, self._services, pair_id, version_id, reviewer_id)
        self._context.tasks.query(read, self._show, owner=self, key="conflict")

    def go_on(self, version_id: int, found: Callable[[int], object], nothing: Callable[[], object]) -> None:
        """Look for a pair that was picked and not decided: call ``found`` with it, or ``nothing``."""
        reviewer_id, service = self._context.session.reviewer_id, self._services.adjudication
        if reviewer_id is None:
            return

        def take(pair_ids: list[int]) -> None:
            waiting = [pair_id for pair_id in pair_ids if pair_id not in self._later]
            found(waiting[0]) if waiting else nothing()

        self._context.tasks.query(lambda: service.picked(reviewer_id, version_id), take, owner=self, key="picked")

    def choose_cause(self, cause: str) -> None:
        """Choose why the reviewers disagree."""
        self.form.cause = cause
        self.form_changed.emit()

    def choose_outcome(self, outcome: str) -> None:
        """Choose what follows."""
        self.form.outcome = outcome
        self.form_changed.emit()

    def set_request(self, clause: str, words: str) -> None:
        """Take what a change request says, and of which clause."""
        self.form.clause, self.form.request = clause, words
        self.form_changed.emit()

    def set_note(self, words: str) -> None:
        """Take the note."""
        self.form.note = words

    def decide(self) -> None:
        """Store the decision and show the next pair."""
        shown, reviewer_id = self.shown, self._context.session.reviewer_id
        if shown is None or reviewer_id is None:
            return
        if missing := self.form.missing:
            self.message.emit(missing)
            return
        pair_id, said, service = shown.opened.pair_id, self.form.to_draft(), self._services.adjudication
        self._context.ops.mutate(
            lambda: service.decide(pair_id, self._version_id, reviewer_id, said),
            self._decided,
            owner=self,
            initiator=self.parent(),
        )

    def later(self) -> None:
        """Leave the pair undecided for now; its first pick is stored."""
        if self.shown is not None:
            self._forms[self.shown.opened.pair_id] = self.form
            self._later.add(self.shown.opened.pair_id)
            self._next()

    def amend(self) -> None:
        """Ask for another verdict; the first pick stays in the history."""
        shown = self.shown
        if shown is None or shown.opened.pick.draft is None:
            return
        offered = [p for p in VERDICT_POINTS if p.strength in SCALE_STRENGTHS[shown.version.body.scale]]
        names, keys = [p.label for p in offered], [str(VERDICT_POINTS.index(p) + 1) for p in offered]
        place = self._context.dialogs.choose(
            "Final verdict", "What stands as the verdict?", [*names, "Neither valid"], keys=[*keys, "0"]
        )
        if place is not None:
            self._amend(shown, None if place == len(offered) else offered[place].strength)

    def undo(self) -> None:
        """Take back the last amendment of the verdict; without one the first pick, at the labelling screen."""
        shown, reviewer_id = self.shown, self._context.session.reviewer_id
        if shown is None or reviewer_id is None:
            return
        if shown.opened.first_stands:
            self.pick_taken_back.emit()
            return
        service, pair_id = self._services.annotation, shown.opened.pair_id
        self._context.ops.mutate(
            lambda: service.undo(reviewer_id),
            lambda _: self.open(pair_id, self._version_id),
            owner=self,
            initiator=self.parent(),
        )

    def _amend(self, shown: ShownConflict, strength: int | None) -> None:
        pick, left = shown.opened.pick, shown.presentation.left_is
        assert pick.draft is not None
        draft = _with_verdict(pick.draft, None if strength is None else from_screen(strength, left))
        if draft == pick.draft:
            return
        service, pair_id = self._services.annotation, shown.opened.pair_id
        self._context.ops.mutate(
            lambda: service.amend(pick.id, draft),
            lambda _: self.open(pair_id, self._version_id),
            owner=self,
            initiator=self.parent(),
        )

    def take_back(self, version_id: int, shown: Callable[[int], object], nothing: Callable[[], object]) -> None:
        """Take back the reviewer's newest decision and call ``shown`` with its pair, or ``nothing`` without any."""
        reviewer_id, service = self._context.session.reviewer_id, self._services.adjudication
        if reviewer_id is None:
            return
        self._version_id = version_id

        def done(outcome: Outcome[ConflictDecision | None]) -> None:
            shown(outcome.value.pair_id) if outcome.value is not None else nothing()

        self._context.ops.mutate(lambda: service.take_back(reviewer_id), done, owner=self, initiator=self.parent())

    def forget(self) -> None:
        """Forget what was put off: another reviewer, or the queue is opened again."""
        self._later.clear()
        self._forms.clear()
        self.shown = None

    def _show(self, shown: ShownConflict) -> None:
        same = self.shown is not None and self.shown.opened.pair_id == shown.opened.pair_id
        self.shown = shown
        if not same:
            self.form = self._forms.pop(shown.opened.pair_id, DecisionForm())
        self.shown_changed.emit()
        self.form_changed.emit()

    def _decided(self, outcome: Outcome[ConflictDecision]) -> None:
        made = outcome.value
        self.stored.emit(f"Pair {made.pair_id} decided: {OUTCOMES[made.outcome][0].lower()}")
        self._next()

    def _next(self) -> None:
        self.shown = None
        self.go_on(self._version_id, lambda pair_id: self.open(pair_id, self._version_id), self.emptied.emit)

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return what the actions of a decision do to it."""
        found: dict[str, Callable[..., object]] = {
            "adjudicate.amend": self.amend,
            "adjudicate.decide": self.decide,
            "adjudicate.later": self.later,
            "adjudicate.undo": self.undo,
        }
        found |= {action: partial(self.choose_cause, key) for key, action in CAUSE_ACTIONS.items()}
        return found | {action: partial(self.choose_outcome, key) for key, action in OUTCOME_ACTIONS.items()}


def _with_verdict(draft: JudgementDraft, strength: int | None) -> JudgementDraft:
    """Return a judgement with another verdict in canonical sides; None says that neither answer is valid."""
    verdict = Verdict.NEITHER if strength is None else Verdict.PREFER if strength else Verdict.TIE
    edit = draft.edit if strength and draft.strength and (strength > 0) == (draft.strength > 0) else None
    return replace(draft, verdict=verdict, strength=strength or None, reason="", edit=edit)

"""Open slots of a reviewer go to another one, or to all; slots of a lost desk are opened again for the same person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QWidget

from app.context import AppContext
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.field_grid import FieldGrid
from app.widgets.labels import text_label
from core.domain.counting import counted, verb
from core.domain.errors import UserError

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.domain.changes import Outcome
    from core.services.application import Application
    from core.services.batches.views import BatchState

TO_ALL, SAME = -1, -2
_ABOUT: Mapping[int, str] = {
    TO_ALL: "They are open to all of the batch from then on; who takes one keeps it.",
    SAME: "The desk is lost: its slots, gold pairs and retests too, are open here again for the same person, or for a "
    "new bundle. What the desk sends back after all is merged while none of its pairs was labelled here meanwhile.",
}
_ABOUT_OTHER = (
    "First, second and third labels go; gold pairs, retests and stale labels stay, because they are about this "
    "reviewer. What a desk sends back is merged all the same."
)


@dataclass(frozen=True, slots=True)
class HandOverChoices:
    """Who may give and get slots: people by id, who is inactive, and the batch as it is now."""

    state: BatchState
    people: Mapping[str, int]
    inactive: frozenset[int]

    @property
    def givers(self) -> Sequence[str]:
        """Those with open slots, inactive ones first."""
        open_ = [name for name, one in self.state.by_reviewer.items() if name and one.open and name in self.people]
        return sorted(open_, key=lambda name: (self.people[name] not in self.inactive, name))


def read_hand_over(services: Application, batch_id: int) -> HandOverChoices:
    """Read who may give and get slots of a batch."""
    people = {one.name: one.id for one in services.reviewers.list() if one.kind.value == "human"}
    return HandOverChoices(services.batches.state(batch_id), people, frozenset(services.reviewers.inactive()))


class HandOverDialog(BaseDialog):
    """Asks whose slots go to whom; it stays open until they went, and says what keeps them."""

    def __init__(
        self, parent: QWidget, context: AppContext, choices: HandOverChoices, told: Callable[[str], None]
    ) -> None:
        super().__init__(parent, f"Hand over slots of {choices.state.batch.name}")
        self.setMinimumWidth(context.theme.px(460))
        self._context, self._choices, self._told = context, choices, told
        self.giver, self.taker, self.reason = ComboBox(outside=True), ComboBox(outside=True), QLineEdit()
        self.about, self.error = text_label("", "muted", wrap=True), text_label("", "error", wrap=True)
        for name in choices.givers:
            away = choices.state.away.get(name, 0)
            words = f"{name}, {counted(choices.state.by_reviewer[name].open, 'open slot')}"
            words += f", {away:,} on a desk" if away else ""
            words += ", inactive" if choices.people[name] in choices.inactive else ""
            self.giver.addItem(words, name)
        rows = (("From", self.giver), ("To", self.taker), ("Reason", self.reason))
        for label, field in rows:
            field.setAccessibleName(label)
        self.column.addWidget(FieldGrid([(text_label(label, "muted"), field) for label, field in rows], most=1))
        self.column.addWidget(self.about)
        self.column.addWidget(self.error)
        self.column.addStretch(1)
        self.main = self.add_buttons("Hand over")
        self.giver.currentIndexChanged.connect(lambda _: self._giver_chosen())
        self.taker.currentIndexChanged.connect(lambda _: self._follow())
        self._giver_chosen()

    def _giver_chosen(self) -> None:
        name = self.giver.currentData()
        self.taker.clear()
        if name is None:
            self._say("Nobody has an open slot in this batch.")
            self.main.setEnabled(False)
            return
        if self._choices.state.away.get(name):
            self.taker.addItem(f"{name} again: the desk is lost", SAME)
        for other, key in self._choices.people.items():
            if other != name and key not in self._choices.inactive:
                self.taker.addItem(other, key)
        self.taker.addItem("all of the batch", TO_ALL)
        self._follow()

    def _follow(self) -> None:
        self._say("")
        self.about.setText(_ABOUT.get(self.taker.currentData(), _ABOUT_OTHER))

    def accept(self) -> None:
        """Hand over; close once it is done."""
        name, taker, words = self.giver.currentData(), self.taker.currentData(), self.taker.currentText()
        giver, batch = self._choices.people[name], self._choices.state.batch.id
        by, reason, service = self._context.session.reviewer_id, self.reason.text().strip(), self._context.services
        self.main.setEnabled(False)

        def work() -> Outcome[int]:
            if taker == SAME:
                return service.batches.reopen(batch, giver, by, reason)
            return service.batches.hand_over(batch, giver, None if taker == TO_ALL else taker, by, reason)

        def done(outcome: Outcome[int]) -> None:
            moved = outcome.value
            if not moved:
                self.main.setEnabled(True)
                self._say(
                    f"No slot of {name} can go there: those that are open are about {name}, or known to the other."
                )
                return
            went = (
                f"{verb(moved, 'is', 'are')} open again" if taker == SAME else f"{verb(moved, 'goes', 'go')} to {words}"
            )
            self._told(f"{counted(moved, 'slot')} of {name} {went}.")
            BaseDialog.accept(self)

        self._context.ops.mutate(work, done, self._failed, owner=self)

    def _failed(self, error: Exception) -> None:
        self.main.setEnabled(True)
        self._say(f"{error.message} {error.hint}".strip() if isinstance(error, UserError) else str(error))

    def _say(self, words: str) -> None:
        self.error.setText(words)
        self.error.setVisible(bool(words))

"""What the Team tab does with batches: making one, labelling it, adding what is due, handing slots over, bundles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.annotate.team_batch_dialog import BatchDialog
from app.annotate.team_batch_form import BatchChoices, read_choices
from app.annotate.team_bundle_watch import WatchedFolder
from app.annotate.team_bundles_dialog import BundlesDialog
from app.annotate.team_hand_over_dialog import HandOverChoices, HandOverDialog, read_hand_over
from app.context import AppContext
from core.domain.batch import BatchPolicy, LabelBatch
from core.domain.counting import counted, verb

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.domain.changes import Outcome
    from core.services.batches.views import BatchState


class TeamBatches(QObject):
    """Runs the actions of the chosen batch.

    Signals:
        made(int): a batch was made and is to be shown.
    """

    made = Signal(int)

    def __init__(self, context: AppContext, page: QWidget, chosen: Callable[[], BatchState | None]) -> None:
        super().__init__(page)
        self._context, self._page, self._chosen = context, page, chosen
        self.watched = WatchedFolder(context, self)
        handlers = {
            "team.new_batch": self._new,
            "team.work": self._work,
            "team.due": self._due,
            "team.hand_over": self._hand_over,
            "team.bundles": self._bundles,
            "annotate.bundles": self._bundles,
        }
        for action_id, handler in handlers.items():
            context.actions.bind(action_id, handler)
        self.follow()

    def follow(self) -> None:
        """Offer what can be done with the chosen batch."""
        state = self._chosen()
        here = state is not None and not state.batch.home_uuid
        self._context.actions.set_enabled("team.work", state is not None)
        for action_id in ("team.due", "team.hand_over"):
            self._context.actions.set_enabled(action_id, here)

    def _new(self) -> None:
        services = self._context.services
        self._context.tasks.query(lambda: read_choices(services), self._ask_new, owner=self, key="choices")

    def _ask_new(self, choices: BatchChoices) -> None:
        self._context.dialogs.run(BatchDialog(self._page, self._context, choices, self._make))

    def _make(
        self,
        name: str,
        version_id: int,
        policy: BatchPolicy,
        done: Callable[[], object],
        failed: Callable[[Exception], None],
    ) -> None:
        services, by = self._context.services, self._context.session.reviewer_id

        def made(outcome: Outcome[LabelBatch]) -> None:
            done()
            self.made.emit(outcome.value.id)
            hint = "Its queues stand under What to label; Bundles… takes one to another desk."
            self._context.notices.post(f"The batch {outcome.value.name} is made.", "ok", hint=hint)

        self._context.ops.mutate(
            lambda: services.batches.create(name, version_id, policy, by), made, failed, owner=self
        )

    def _bundles(self) -> None:
        self._context.dialogs.run(BundlesDialog(self._page, self._context, self.watched))

    def _work(self) -> None:
        if (state := self._chosen()) is not None:
            self._context.navigate("annotate", batch=state.batch.id, title=state.batch.name)

    def _due(self) -> None:
        """Add the second, third and deciding slots that labels made due."""
        state, services = self._chosen(), self._context.services
        if state is None:
            return
        name, batch_id = state.batch.name, state.batch.id

        def told(outcome: Outcome[int]) -> None:
            added = outcome.value
            words = f"{counted(added, 'slot')} {verb(added, 'is', 'are')} due in {name}, and added."
            self._context.notices.post(words if added else f"Nothing is due in {name}.", "ok" if added else "info")

        self._context.ops.mutate(lambda: services.batches.draw_due(batch_id), told, owner=self)

    def _hand_over(self) -> None:
        state, services = self._chosen(), self._context.services
        if state is not None:
            batch_id = state.batch.id
            self._context.tasks.query(
                lambda: read_hand_over(services, batch_id), self._ask_hand_over, owner=self, key="hand over"
            )

    def _ask_hand_over(self, choices: HandOverChoices) -> None:
        def told(words: str) -> None:
            self._context.notices.post(words, "ok")

        self._context.dialogs.run(HandOverDialog(self._page, self._context, choices, told))

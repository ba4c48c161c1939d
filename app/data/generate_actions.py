"""Generating pairs from the window: the dialog, the job in Activity, and the notice that leads to the pairs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.background.task import BackgroundTask, TaskControl, TaskState
from app.context import AppContext
from app.data.generate_dialog import GenerateDialog
from app.data.generate_plan import GenerateChoices, landed_words, read_choices
from core.domain.changes import Outcome

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.generations.requests import GenerationRequest
    from core.services.generations.views import GenerationInfo, LandedPairs

_KEPT = "The answers so far are kept. Data > Generate… goes on with them."


class GenerateActions(QObject):
    """Asks what is generated, works on it in the background, and adds the pairs to the workspace."""

    def __init__(self, context: AppContext, parent: QWidget) -> None:
        """Args: parent: owner of the background work and parent of the dialog."""
        super().__init__(parent)
        self._context, self._parent = context, parent

    def ask(self) -> None:
        """Read what there is to choose from and show the dialog."""
        services = self._context.services
        training = [run.name for run in self._context.watch.live]
        self._context.tasks.query(lambda: read_choices(services, training), self._show, owner=self)

    def _show(self, choices: GenerateChoices) -> None:
        dialog = GenerateDialog(self._parent, self._context, choices)
        if self._context.dialogs.run(dialog):
            if dialog.going_on:
                self._work(dialog.going_on)
            elif dialog.request is not None:
                self._start(dialog.request)
        dialog.deleteLater()

    def _start(self, request: GenerationRequest) -> None:
        service = self._context.services.generations
        self._context.ops.mutate(lambda: service.create(request), self._created, owner=self)

    def _created(self, outcome: Outcome[GenerationInfo]) -> None:
        self._work(outcome.value.generation_id)

    def _work(self, generation_id: str) -> None:
        """Answer what is left in a process of its own, then land the pairs."""
        service = self._context.services.generations

        def work(control: TaskControl) -> Outcome[LandedPairs]:
            service.work(generation_id, on_progress=control.progress, cancelled=lambda: control.cancelled)
            control.check()
            control.progress(0, 0, "Adding the pairs")
            return service.land(generation_id)

        job = self._context.ops.job("Generate pairs", work, self._report, owner=self)
        job.unit = "answers"
        job.ended.connect(partial(self._ended, job))

    def _ended(self, job: BackgroundTask) -> None:
        """Say how to go on with what was cancelled."""
        if job.state is TaskState.CANCELLED:
            self._context.notices.post("Generating pairs was cancelled.", hint=_KEPT)

    def _report(self, outcome: Outcome[LandedPairs]) -> None:
        """Say what became of the pairs, and lead to the batch or to the source."""
        landed = outcome.value
        words, hint = landed_words(landed)
        if not landed.source_id:
            self._context.notices.post(words, "warn", hint=hint)
            return
        if landed.batch is not None:
            batch = landed.batch
            go = partial(self._context.navigate, "annotate", batch=batch.id, title=batch.name)
            hint = f"{hint} They wait in the batch {batch.name}.".strip()
            self._context.notices.post(words, "ok", hint=hint, action="Label them", run=go)
            return
        go = partial(self._context.navigate, "data", source_id=landed.source_id)
        self._context.notices.post(words, "ok", hint=hint, action="Show the pairs", run=go)

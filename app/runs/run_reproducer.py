"""Reproducing a run from the window: asks how much, trains it again in the background, says what came of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.background.task import TaskControl
from app.context import AppContext
from core.domain.counting import counted

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.runs.comparisons import Reproduction
    from core.services.runs.views import RunInfo

FIRST_STEPS = 10
"""Steps that are made again where a quick look is enough."""
LABEL = (
    "The run is trained again from its folder, in a folder that is removed at the end. On this machine with the same "
    "libraries a CPU gives every number again."
)


class RunReproducer(QObject):
    """Trains one run after another again; each is a job with progress and Cancel.

    Args:
        context: services, dialogs, tasks, notices.
        parent: the page.
    """

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context

    def ask(self, run: RunInfo) -> None:
        """Ask how many steps are made again, and make them."""
        made = run.status.step
        if not made:
            self._context.notices.post(f"{run.name} has made no step yet.", "warn", hint="Start it first.")
            return
        choices = {0: f"All {counted(made, 'step')}: takes as long as the run did"}
        if made > FIRST_STEPS:
            choices[FIRST_STEPS] = f"The first {FIRST_STEPS} steps"
        place = self._context.dialogs.choose("Reproduce the run", LABEL, list(choices.values()))
        if place is not None:
            self._start(run, list(choices)[place])

    def _start(self, run: RunInfo, steps: int) -> None:
        service = self._context.services.runs.comparisons

        def work(control: TaskControl) -> Reproduction:
            return service.reproduce(
                run.run_id, steps=steps, on_progress=control.progress, cancelled=lambda: control.cancelled
            )

        # No owner: the notice is due even when another workspace was opened meanwhile.
        self._context.tasks.job(f"Reproduce {run.name}", work, partial(self._told, run.name))

    def _told(self, name: str, found: Reproduction) -> None:
        if found.largest == 0:
            self._context.notices.post(f"{name} was reproduced.", "ok", hint=found.sentence())
        else:
            self._context.notices.post(f"{name} came out otherwise.", "warn", hint=found.sentence())

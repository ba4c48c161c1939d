"""What is done with the run that the form asks for: start, queue, sweep, command line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from app.context import AppContext
from core.domain.changes import Outcome
from core.services.runs.views import RunInfo, RunRequest


class RunWays(QObject):
    """Handles the actions that begin a run.

    Args:
        context: services, dialogs, notices.
        request: returns the run that the form asks for.
        may_begin: whether charter and preflight allow it; asks with the verb that it gets.
        stop_checks: ends a check that goes on: a run that starts needs the processor, and makes the same checks itself.
        not_begun: shows why nothing was made.
    """

    def __init__(
        self,
        context: AppContext,
        parent: QObject,
        *,
        request: Callable[[], RunRequest],
        may_begin: Callable[[str], bool],
        stop_checks: Callable[[], None],
        not_begun: Callable[[Exception], None],
    ) -> None:
        super().__init__(parent)
        self._context, self._request, self._may_begin = context, request, may_begin
        self._stop_checks, self._not_begun = stop_checks, not_begun

    def start(self) -> None:
        """Make the run, start it, and go to Runs; what the preflight found in its way is asked about first."""
        if not self._may_begin("Start"):
            return
        request, service = self._request(), self._context.services.runs
        host = self._context.settings.get("train.host")
        self._stop_checks()

        def work() -> Outcome[RunInfo]:
            outcome = service.create(request)
            service.start(outcome.value.run_id, host)
            return outcome

        def done(outcome: Outcome[RunInfo]) -> None:
            self._context.navigate("runs", run_id=outcome.value.run_id)

        self._context.ops.mutate(work, done, self._not_begun, owner=self)

    def add_to_queue(self) -> None:
        """Make the run and let it wait for its turn; the form stays for the next one."""
        if not self._may_begin("Add"):
            return
        request, queue = self._request(), self._context.services.queue

        def done(outcome: Outcome[RunInfo]) -> None:
            show = partial(self._context.navigate, "runs", run_id=outcome.value.run_id)
            words, hint = f"{outcome.value.name} is in the queue.", "It starts when no other run is trained."
            self._context.notices.post(words, "ok", hint=hint, action="Show", run=show)

        self._context.ops.mutate(lambda: queue.add(request), done, self._not_begun, owner=self)

    def sweep(self) -> None:
        """Ask in Runs which settings of this run vary."""
        if self._may_begin("Vary"):
            self._context.navigate("runs", sweep=self._request())

    def show_command_line(self) -> None:
        """Show the same run without the window."""
        request, service, context = self._request(), self._context.services.runs, self._context

        def show(text: str) -> None:
            words = "The same run without the window:"
            if context.dialogs.ask("Command line", words, ("Copy", "Close"), detail=text) == "Copy":
                QGuiApplication.clipboard().setText(text)
                context.notices.post("The command line was copied.")

        context.tasks.query(lambda: service.command_line(request), show, owner=self)

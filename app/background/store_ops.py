"""Changes to the workspace: run the mutation off the UI thread, announce its outcome, then call back.

Pages do not refresh after their own changes; the announcement on the change bus makes them read again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import shiboken6
from PySide6.QtCore import QObject, Signal

from app.background.change_bus import ChangeBus
from app.background.task import BackgroundTask, TaskControl
from app.background.task_runner import Failed, TaskRunner
from core.domain.changes import Outcome
from core.domain.errors import BadInput, ImmutableError, NotFound, UsageError

T = TypeVar("T")
REFUSALS = (BadInput, ImmutableError, NotFound, UsageError)
"""Errors that say that a change is not allowed; the workspace is as it was, and nothing waits to be stored."""


class StoreOps(QObject):
    """Runs every mutation.

    ``saving`` fires when a change is handed over, ``saved`` when it has been committed,
    ``refused()`` when it was not allowed, so that nothing was lost, ``not_saved(Exception)`` when it failed.
    """

    saving = Signal()
    saved = Signal()
    refused = Signal()
    not_saved = Signal(object)

    def __init__(self, tasks: TaskRunner, changes: ChangeBus) -> None:
        super().__init__()
        self._tasks, self._changes = tasks, changes

    def mutate(
        self,
        work: Callable[[], Outcome[T]],
        done: Callable[[Outcome[T]], object] | None = None,
        failed: Failed | None = None,
        *,
        owner: QObject | None = None,
        initiator: object | None = None,
    ) -> None:
        """Run one short mutation in order with the others.

        Args:
            work: calls one service method and returns its outcome.
            done: gets the outcome on the UI thread, after it was announced.
            failed: gets the error; without it, or once ``owner`` is gone, the window shows the error.
            owner: no callback once this object is gone (the change itself still happens).
            initiator: the page that shows the change already and is not notified.
        """
        self.saving.emit()

        def succeed(outcome: Outcome[T]) -> None:
            self.saved.emit()
            self._settle(outcome, initiator)
            if done is not None:
                done(outcome)

        def fail(error: Exception) -> None:
            if isinstance(error, REFUSALS):
                self.refused.emit()
            else:
                self.not_saved.emit(error)
            self._fail(error, failed, owner)

        self._tasks.write(work, _guarded(owner, succeed, lambda outcome: self._settle(outcome, initiator)), fail)

    def job(
        self,
        title: str,
        work: Callable[[TaskControl], Outcome[T]],
        done: Callable[[Outcome[T]], object] | None = None,
        failed: Failed | None = None,
        *,
        owner: QObject | None = None,
        initiator: object | None = None,
    ) -> BackgroundTask:
        """Run one long mutation (import, freeze, download) with progress and Cancel; announces its outcome."""

        def succeed(outcome: Outcome[T]) -> None:
            self._settle(outcome, initiator)
            if done is not None:
                done(outcome)

        def fail(error: Exception) -> None:
            self._fail(error, failed, owner)

        return self._tasks.job(
            title, work, _guarded(owner, succeed, lambda outcome: self._settle(outcome, initiator)), fail
        )

    def _fail(self, error: Exception, failed: Failed | None, owner: QObject | None) -> None:
        """Pass an error to ``failed``; without it, or once ``owner`` is deleted, the window shows the error."""
        if failed is not None and (owner is None or shiboken6.isValid(owner)):
            failed(error)
        else:
            self._tasks.unhandled.emit(error)

    def _settle(self, outcome: object, initiator: object | None) -> None:
        if isinstance(outcome, Outcome):
            self._changes.announce(outcome.changes, initiator)


def _guarded(
    owner: QObject | None, alive: Callable[[Outcome[T]], object], gone: Callable[[Outcome[T]], object]
) -> Callable[[Outcome[T]], object]:
    """Return a callback that calls ``alive`` while ``owner`` exists, else ``gone``."""

    def call(outcome: Outcome[T]) -> None:
        if owner is None or shiboken6.isValid(owner):
            alive(outcome)
        else:
            gone(outcome)

    return call

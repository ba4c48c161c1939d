"""Runs an action of another place: shows the place, lets it read what it shows, and runs the action there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.actions.registry import ActionRegistry
from app.background.task_runner import TaskRunner
from app.notices import Notices
from app.places import BY_ID

LONGEST_MS = 3000
"""How long the reads of a place are waited for; work of other kinds may go on for hours."""


class ActionElsewhere(QObject):
    """Holds at most one action that is to come; another action, or another place, takes it away.

    Args:
        actions: of the window.
        tasks: the action runs once the reads of the page ended, as it needs what is shown.
        notices: say why an action cannot be done.
        show: shows a place.
        parent: the window.
    """

    def __init__(
        self, actions: ActionRegistry, tasks: TaskRunner, notices: Notices, show: Callable[[str], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._actions, self._tasks, self._notices, self._show = actions, tasks, notices, show
        self._wanted = ""
        self._soon, self._latest = QTimer(self, singleShot=True), QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._try)
        self._latest.timeout.connect(self._end)
        tasks.idle.connect(self._look)
        actions.triggered.connect(lambda _: self._forget())

    @property
    def wanted(self) -> str:
        """The action that is to come, else an empty text."""
        return self._wanted

    def run(self, action_id: str) -> None:
        """Show the place of an action and run it there."""
        self._wanted = action_id
        self._latest.start(LONGEST_MS)
        self._show(self._actions.specs[action_id].place)
        self._look()

    def place_changed(self, place: str) -> None:
        """Go on where the place is shown; forget the action where the user went to another one."""
        if self._wanted and place != self._actions.specs[self._wanted].place:
            self._forget()
        self._look()

    def _look(self) -> None:
        """Try in the next turn: what was read is shown by then, and has asked for what it lacks."""
        if self._wanted:
            self._soon.start(0)

    def _try(self) -> None:
        if self._wanted and not self._tasks.busy and self._possible():
            self._actions.run(self._wanted)

    def _possible(self) -> bool:
        spec = self._actions.specs[self._wanted]
        return self._actions.place == spec.place and self._actions.action(self._wanted).isEnabled()

    def _end(self) -> None:
        """Run the action while other work goes on, or say that it cannot be done."""
        wanted = self._wanted
        if not wanted:
            return
        if self._possible():
            self._actions.run(wanted)
            return
        self._forget()
        title, place = self._actions.specs[wanted].title.rstrip("…"), self._actions.specs[wanted].place
        words = f"“{title}” cannot be done in {BY_ID[place].title} now."
        self._notices.post(words, "warn", hint=self._actions.why_not(wanted))

    def _forget(self) -> None:
        self._wanted = ""
        self._soon.stop()
        self._latest.stop()

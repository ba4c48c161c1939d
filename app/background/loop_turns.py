"""Gives the turns of the event loop to the queues that wait for one, so that no turn does the work of two."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer

_PAUSE_MS = 1
"""Between two turns. A timer without an interval may fire twice in one turn of the event loop."""


class LoopTurns(QObject):
    """Calls those that asked for a turn, in order, one in every second turn of the event loop.

    In the turn between, Qt lays out and paints what a call changed: together with the next call it would hold the UI
    thread for the sum of both. There is one for the application; :meth:`shared` returns it.
    """

    def __init__(self, parent: QObject | None) -> None:
        super().__init__(parent)
        self._asked: deque[tuple[QObject, Callable[[], object]]] = deque()
        self._is_painted = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._give_turn)

    @classmethod
    def shared(cls) -> LoopTurns:
        """Return the one of the application, made when it is first asked for."""
        app = QCoreApplication.instance()
        found = app.findChild(cls, options=Qt.FindChildOption.FindDirectChildrenOnly) if app is not None else None
        return found if isinstance(found, cls) else cls(app)

    def ask(self, owner: QObject, call: Callable[[], object]) -> None:
        """Call once in a later turn; not any more when ``owner`` is deleted by then."""
        self._asked.append((owner, call))
        if not self._timer.isActive():
            self._timer.start()

    def _give_turn(self) -> None:
        while self._asked and not shiboken6.isValid(self._asked[0][0]):
            self._asked.popleft()
        if not self._asked:
            self._is_painted = False
        elif not self._is_painted:
            self._is_painted = True
            self._timer.start()
        else:
            self._is_painted = False
            _, call = self._asked.popleft()
            if self._asked:
                self._timer.start()  # first: a call that fails, or waits for a dialog, does not hold up the others
            call()

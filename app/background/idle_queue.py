"""Work on the UI thread in slices, one in each turn of the event loop: input and painting come between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QObject, Signal

from app.background.loop_turns import LoopTurns


class IdleQueue(QObject):
    """Runs pieces of work in order, one in each turn of the event loop; several queues take turns.

    The queue ends with its parent. A piece whose owner was deleted meanwhile is left out.
    ``emptied`` fires after the last piece.
    """

    emptied = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pieces: deque[tuple[Callable[[], object], QObject | None]] = deque()
        self._turns = LoopTurns.shared()
        self._has_asked = False

    @property
    def busy(self) -> bool:
        """Whether work is left."""
        return bool(self._pieces)

    def add(self, piece: Callable[[], object], owner: QObject | None = None) -> None:
        """Append a piece of work; it is left out once ``owner`` is deleted."""
        self._pieces.append((piece, owner))
        self._ask()

    def clear(self) -> None:
        """Leave out what is not done yet; ``emptied`` does not fire."""
        self._pieces.clear()

    def _ask(self) -> None:
        if not self._has_asked:
            self._has_asked = True
            self._turns.ask(self, self._run_one)

    def _run_one(self) -> None:
        self._has_asked = False
        if not self._pieces:
            return  # they were cleared meanwhile
        piece, owner = self._pieces.popleft()
        try:
            if owner is None or shiboken6.isValid(owner):
                piece()
        finally:
            if shiboken6.isValid(self):
                self._go_on()

    def _go_on(self) -> None:
        if self._pieces:
            self._ask()
        else:
            self.emptied.emit()

"""Work on the UI thread in slices, one in each turn of the event loop: input and painting come between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QObject, QTimer, Signal

_PAUSE_MS = 1
"""Between two pieces. A timer without an interval may fire twice in one turn of the event loop."""


class IdleQueue(QObject):
    """Runs pieces of work in order, one in each turn of the event loop.

    The queue ends with its parent. A piece whose owner was deleted meanwhile is left out.
    ``emptied`` fires after the last piece.
    """

    emptied = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pieces: deque[tuple[Callable[[], object], QObject | None]] = deque()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._run_one)

    @property
    def busy(self) -> bool:
        """Whether work is left."""
        return bool(self._pieces)

    def add(self, piece: Callable[[], object], owner: QObject | None = None) -> None:
        """Append a piece of work; it is left out once ``owner`` is deleted."""
        self._pieces.append((piece, owner))
        if not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Leave out what is not done yet; ``emptied`` does not fire."""
        self._pieces.clear()
        self._timer.stop()

    def _run_one(self) -> None:
        piece, owner = self._pieces.popleft()
        try:
            if owner is None or shiboken6.isValid(owner):
                piece()
        finally:
            if shiboken6.isValid(self):
                self._go_on()

    def _go_on(self) -> None:
        if self._pieces:
            self._timer.start()
        else:
            self.emptied.emit()

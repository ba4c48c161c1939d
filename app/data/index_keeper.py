"""Brings the search index up to date, a little at a time, while the Data page is open."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.domain.pair_table import IndexState

PORTION = 500
"""Pairs added at a time: about 0.1 s of work on a background thread."""
PAUSE_MS = 100


class IndexKeeper(QObject):
    """Adds pairs to the search index until all are in it; ``moved(IndexState)`` fires after each portion.

    Half of the time it rests, so that labelling and training beside it keep their pace.
    """

    moved = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._busy = False
        self._indexed = -1
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._add)

    def keep(self) -> None:
        """Begin, unless it is at work."""
        if not self._busy and not self._pause.isActive():
            self._indexed = -1
            self._add()

    def rest(self) -> None:
        """Add nothing more until ``keep`` is called again."""
        self._pause.stop()

    def _add(self) -> None:
        service = self._context.services.pairs
        self._busy = True
        self._context.tasks.query(
            lambda: service.advance_index(PORTION), self._go_on, self._give_up, owner=self, key="index"
        )

    def _go_on(self, state: IndexState) -> None:
        """Continue after a pause; stop where all is done, or where nothing was added: the disk may be full."""
        self._busy = False
        self.moved.emit(state)
        if not state.complete and state.indexed > self._indexed:
            self._indexed = state.indexed
            self._pause.start()

    def _give_up(self, _error: Exception) -> None:
        """Leave the index as it is; searches read the texts."""
        self._busy = False

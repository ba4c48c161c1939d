"""The change bus: announces which kinds of data changed, so that the parts that show them read them again."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from core.domain.changes import Changes


class ChangeBus(QObject):
    """Announces changes on the UI thread.

    ``changed(changes, initiator)``: kinds that changed, and the object that asked for it (or None).
    A page that shows its own change already passes itself as the initiator and is not notified.
    """

    changed = Signal(object, object)

    def announce(self, changes: Changes, initiator: object | None = None) -> None:
        """Emit ``changed``, unless nothing changed."""
        if changes:
            self.changed.emit(changes, initiator)

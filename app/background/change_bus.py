"""The change bus: says what kind of thing changed, so that whoever shows it reads it again."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from core.domain.changes import Changes


class ChangeBus(QObject):
    """Announces changes on the UI thread.

    ``changed(changes, initiator)``: kinds that changed, and the object that asked for it (or None).
    A page that has already shown its own change passes itself as initiator and is left alone.
    """

    changed = Signal(object, object)

    def announce(self, changes: Changes, initiator: object | None = None) -> None:
        """Tell everyone; nothing to tell is not told."""
        if changes:
            self.changed.emit(changes, initiator)

"""Notices: short messages that show as toasts and are kept in Activity. Any part may post one; the window shows it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtCore import QObject, Signal

Level = Literal["info", "ok", "warn", "error"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message.

    Attributes:
        text: what happened, plain text.
        level: info, ok, warn or error; shown by colour and icon.
        hint: what to do, or empty.
        action: label of the one button, or empty.
        run: what the button does.
    """

    text: str
    level: Level = "info"
    hint: str = ""
    action: str = ""
    run: Callable[[], object] | None = None
    at: float = field(default_factory=time.time)


class Notices(QObject):
    """Keeps the last notices; ``posted(Notice)`` fires for each new one."""

    posted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.kept: deque[Notice] = deque(maxlen=200)

    def post(
        self,
        text: str,
        level: Level = "info",
        *,
        hint: str = "",
        action: str = "",
        run: Callable[[], object] | None = None,
    ) -> None:
        """Announce a notice and keep it."""
        notice = Notice(text, level, hint, action, run)
        self.kept.appendleft(notice)
        self.posted.emit(notice)

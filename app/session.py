"""The state that pages share: the current reviewer and the recent workspaces."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.settings.store import Settings

RECENT = "recent_workspaces"
MAX_RECENT = 8


class Session(QObject):
    """State shared by pages; ``reviewer_changed`` fires when another reviewer labels."""

    reviewer_changed = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._reviewer_id: int | None = None
        self._reviewer_name = ""
        self._workspace = ""

    @property
    def reviewer_id(self) -> int | None:
        """The reviewer under whom judgements are stored, or None until one was chosen."""
        return self._reviewer_id

    @property
    def reviewer_name(self) -> str:
        """The reviewer's name, empty until one was chosen."""
        return self._reviewer_name

    @property
    def workspace(self) -> str:
        """The open workspace's own id, empty where none is open."""
        return self._workspace

    def set_reviewer(self, reviewer_id: int | None, name: str = "") -> None:
        """Make a reviewer the current one and store the choice for this workspace."""
        self._reviewer_id, self._reviewer_name = reviewer_id, name
        if self._workspace and reviewer_id is not None:
            self._settings.set_state(f"reviewer/{self._workspace}", reviewer_id)
        self.reviewer_changed.emit()

    def enter_workspace(self, uuid: str) -> int | None:
        """Reset the reviewer for another workspace; returns the one chosen in it last time, or None."""
        self._workspace = uuid
        self._reviewer_id, self._reviewer_name = None, ""
        self.reviewer_changed.emit()
        value = self._settings.state(f"reviewer/{uuid}") if uuid else None
        return int(value) if value is not None and str(value).isdigit() else None

    def recent_workspaces(self) -> list[Path]:
        """Return the recent workspaces that still exist, newest first."""
        return [p for p in map(Path, self._settings.state_list(RECENT)) if (p / "workspace.db").is_file()]

    def note_workspace(self, path: Path) -> None:
        """Put a folder first among the recent workspaces."""
        rest = [p for p in self._settings.state_list(RECENT) if p != str(path)]
        self._settings.set_state(RECENT, [str(path), *rest][:MAX_RECENT])

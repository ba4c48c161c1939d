"""Settings in one JSON file that holds only what differs from the defaults and is replaced atomically.

Window geometry and other state that is no preference is kept in an INI file beside it.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QSaveFile, QSettings, Signal

from app.settings.schema import BY_KEY
from core.domain.errors import BadInput
from core.private_files import make_private_folder
from core.services.written_files import read_object

log = logging.getLogger(__name__)
SHORTCUTS = "shortcuts"
KEPT_ASIDE = "settings-unreadable.json"


class Settings(QObject):
    """Settings by key, applied at once.

    ``changed(key)`` fires after a value changed and was written. ``not_written(reason)`` fires once when the file
    refuses a value, and again only after a write that went well. ``unreadable`` says why the file of the start could
    not be read, or is empty; such a file is kept beside the new one.
    """

    changed = Signal(str)
    not_written = Signal(str)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / "settings.json"
        self._state = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.unreadable, self._refused = "", False
        self._values = self._read()

    def get(self, key: str) -> Any:
        """Return the value of a setting, always valid.

        Raises:
            KeyError: for a key that has no row in the schema.
        """
        row = BY_KEY[key]
        return row.clean(self._values.get(key, row.default))

    def set(self, key: str, value: Any) -> None:
        """Store a value; a value equal to the default is removed from the file."""
        row = BY_KEY[key]
        value = row.clean(value)
        if value == self.get(key):
            return
        self._store(key, None if value == row.default else value)

    def reset(self, key: str) -> None:
        """Restore the default."""
        if key in self._values:
            self._store(key, None)

    def is_default(self, key: str) -> bool:
        """Whether a setting has its default value."""
        return self.get(key) == BY_KEY[key].default

    @property
    def shortcuts(self) -> dict[str, str]:
        """Shortcuts the user changed: action id -> keys."""
        found = self._values.get(SHORTCUTS, {})
        return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}

    def set_shortcut(self, action_id: str, keys: str | None) -> None:
        """Store the keys of one action, or None for the catalog's own."""
        shortcuts = self.shortcuts
        shortcuts.pop(action_id, None)
        if keys is not None:
            shortcuts[action_id] = keys
        self._store(SHORTCUTS, shortcuts or None)

    def clear_shortcuts(self) -> None:
        """Restore the shortcuts of the catalog."""
        self._store(SHORTCUTS, None)

    def state(self, key: str, default: Any = None) -> Any:
        """Return window state such as geometry or the last workspace."""
        return self._state.value(key, default)

    def state_bytes(self, key: str) -> QByteArray | None:
        """Return saved geometry or splitter state, or None."""
        value = self._state.value(key)
        return value if isinstance(value, QByteArray) else None

    def state_list(self, key: str) -> list[str]:
        """Return a saved list of texts (an INI file hands back a bare text for a list of one)."""
        value = self._state.value(key)
        if isinstance(value, str):
            return [value] if value else []
        return [str(item) for item in value] if isinstance(value, list | tuple) else []

    def set_state(self, key: str, value: Any) -> None:
        """Store window state."""
        self._state.setValue(key, value)

    def sync(self) -> None:
        """Write window state now."""
        self._state.sync()

    def _read(self) -> dict[str, Any]:
        if not self._path.exists():
            return {}
        try:
            return read_object(self._path)
        except BadInput as error:
            self.unreadable = error.message
            log.warning("settings file cannot be read; defaults are used and the file is kept")
            return {}

    def _store(self, key: str, value: Any) -> None:
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value
        self._tell(self._write())
        self.changed.emit(key)

    def _tell(self, reason: str) -> None:
        """Tell of the first write that failed; ``reason`` is empty for one that went well."""
        if reason and not self._refused:
            log.warning("settings could not be written: %s", reason)
            self.not_written.emit(reason)
        self._refused = bool(reason)

    def _write(self) -> str:
        """Replace the file in one step; return why that failed, which keeps the old file."""
        text = json.dumps(self._values, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        try:
            if not self._path.parent.is_dir():
                make_private_folder(self._path.parent)
            if self.unreadable and self._path.exists():
                self._path.replace(self._path.with_name(KEPT_ASIDE))
            self.unreadable = ""
        except OSError as error:
            return error.strerror or str(error)
        target = QSaveFile(str(self._path))
        written = target.open(QSaveFile.OpenModeFlag.WriteOnly) and target.write(text.encode()) >= 0 and target.commit()
        return "" if written else target.errorString()

"""Folders and files shown by the program that the desktop has for them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices


def open_path(path: Path) -> None:
    """Open a folder in the file manager, or a file in its program."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

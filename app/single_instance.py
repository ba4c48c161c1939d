"""One window for each workspace: a local socket named after the folder lets a second start raise the first window."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

log = logging.getLogger(__name__)
RAISE = b"raise\n"
WAIT_MS = 500


def server_name(workspace: Path) -> str:
    """Return the socket's name: short, and the same for every path to the folder."""
    folder = workspace.parent if workspace.name == "workspace.db" else workspace
    digest = hashlib.sha256(str(folder.expanduser().resolve()).encode()).hexdigest()
    return f"pairwright-{digest[:24]}"


def raise_other_window(workspace: Path) -> bool:
    """Ask the window in which this workspace is open to come to the front; returns whether there is one."""
    socket = QLocalSocket()
    socket.connectToServer(server_name(workspace))
    if not socket.waitForConnected(WAIT_MS):
        return False
    socket.write(RAISE)
    socket.waitForBytesWritten(WAIT_MS)
    socket.disconnectFromServer()
    return True


class SingleInstance(QObject):
    """Listens for other starts of the open workspace; only processes of this user can connect."""

    def __init__(self, on_raise: Callable[[], None]) -> None:
        super().__init__()
        self._on_raise = on_raise
        self._server: QLocalServer | None = None

    def listen(self, workspace: Path) -> bool:
        """Listen for another workspace. A socket that a crashed process left is removed."""
        self.stop()
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        name = server_name(workspace)
        if not server.listen(name):
            QLocalServer.removeServer(name)
            if not server.listen(name):
                log.warning("cannot listen for other windows: %s", server.errorString())
                return False
        server.newConnection.connect(self._greet)
        self._server = server
        return True

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server.deleteLater()
            self._server = None

    def _greet(self) -> None:
        if self._server is None:
            return
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.disconnected.connect(socket.deleteLater)
            self._on_raise()

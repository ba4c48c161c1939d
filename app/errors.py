"""Unhandled errors: logged once and shown in plain words, never as a traceback.

Logs carry ids, file names and line numbers, never text from the user's data.
"""

from __future__ import annotations

import faulthandler
import logging
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import IO

from PySide6.QtCore import QObject, Qt, QtMsgType, Signal, Slot, qInstallMessageHandler, qVersion
from PySide6.QtGui import QGuiApplication

from app.dialogs import Dialogs
from core.domain.errors import UserError, system_error
from core.error_report import error_report
from core.private_files import make_private_folder

log = logging.getLogger(__name__)
_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class ReportFormatter(logging.Formatter):
    """Writes errors as reports without the texts that their messages may quote."""

    def formatException(self, ei: object) -> str:
        """Return the report of ``sys.exc_info()``."""
        error = ei[1] if isinstance(ei, tuple) else None
        return error_report(error) if isinstance(error, BaseException) else ""


def start_logging(folder: Path) -> Path | None:
    """Write logs to ``folder/pairwright.log`` (three files of 1 MB) and return its path.

    None where the folder cannot be made: then only warnings are told, on standard error.
    """
    try:
        make_private_folder(folder)
    except OSError:
        return None
    path = folder / "pairwright.log"
    handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=2, encoding="utf-8", delay=True)
    handler.setFormatter(ReportFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return path


def start_faulthandler(folder: Path) -> IO[str] | None:
    """Write the stacks to ``folder/crash.log`` when the interpreter crashes; returns the file, to be kept open."""
    try:
        make_private_folder(folder)
        file = (folder / "crash.log").open("a", encoding="utf-8")
    except OSError:
        return None
    faulthandler.enable(file)
    return file


def last_crash(folder: Path) -> str:
    """Return the stacks of the last crash, or an empty text; the file is renamed, so that they are returned once."""
    path = folder / "crash.log"
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
        if text:
            path.rename(folder / time.strftime("crash-%Y%m%d-%H%M%S.log"))
    except OSError:
        return ""
    return text


def report_of(error: BaseException) -> str:
    """Return a report that the user can copy: type of the error, stack (file names and lines only), versions."""
    frames = traceback.extract_tb(error.__traceback__)
    stack = "\n".join(f"  {_short(f.filename)}:{f.lineno} in {f.name}" for f in frames)
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}, Qt {qVersion()}"
    return f"{type(error).__name__}\n{stack}\n{system}"


def _short(filename: str) -> str:
    parts = Path(filename).parts
    for root in ("app", "core", "site-packages"):
        if root in parts:
            return "/".join(parts[parts.index(root) :])
    return Path(filename).name


class ErrorReporter(QObject):
    """Takes errors from any thread and shows each once, on the UI thread.

    A ``UserError`` is shown as message and hint, and so is what the operating system refused; anything else as a bug,
    with a report to copy.
    """

    _arrived = Signal(object)

    def __init__(self, dialogs: Dialogs, tell: Callable[[UserError], None]) -> None:
        """Args: dialogs: show bugs. tell: shows a ``UserError``, as a notice."""
        super().__init__()
        self._dialogs, self._tell = dialogs, tell
        self._open = False
        self.shown: list[BaseException] = []
        self._arrived.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Set the hooks for errors in slots, threads and destructors, and for Qt's messages."""
        sys.excepthook = self._on_exception
        threading.excepthook = lambda args: self.take(args.exc_value)
        sys.unraisablehook = lambda args: log.error("in a destructor: %s", args.err_msg, exc_info=args.exc_value)
        qInstallMessageHandler(_qt_message)

    def take(self, error: BaseException | None) -> None:
        """Log and show an error; called from any thread."""
        if error is None or isinstance(error, KeyboardInterrupt | SystemExit):
            return
        if not isinstance(error, UserError):
            log.error("unexpected error", exc_info=error)
        self._arrived.emit(error)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QGuiApplication.quit()
            return
        self.take(error.with_traceback(trace))

    @Slot(object)
    def _show(self, error: BaseException) -> None:
        self.shown.append(error)
        if isinstance(error, OSError) and error.errno is not None:
            self._tell(system_error(error))
        elif isinstance(error, UserError):
            self._tell(error)
        elif not self._open:
            self._open = True
            try:
                self._show_bug(error)
            finally:
                self._open = False

    def _show_bug(self, error: BaseException) -> None:
        answer = self._dialogs.ask(
            "Something went wrong",
            "This is an error in Pairwright. What was saved is safe; you can continue to work.",
            ("Continue", "Copy report"),
            detail=f"{type(error).__name__}: the report holds files and lines of the program, none of your text.",
            kind="error",
        )
        if answer == "Copy report":
            QGuiApplication.clipboard().setText(report_of(error))


def _qt_message(kind: QtMsgType, _context: object, message: str | None) -> None:
    logging.getLogger("qt").log(_QT_LEVELS.get(kind, logging.INFO), "%s", message)

"""Reports of errors in the program for log files: types, files and lines of the program, none of the user's text.

The message of an exception may quote what the program was working on: a prompt, a note, a name. Only messages that the
interpreter, the operating system or SQLite make from the program's own names are kept.
"""

from __future__ import annotations

import sqlite3
import traceback

_OWN_WORDS: tuple[type[BaseException], ...] = (
    ArithmeticError,
    AttributeError,
    ImportError,
    MemoryError,
    NameError,
    NotImplementedError,
    RecursionError,
)
_NO_DECODING = "Could not decode"
"""How SQLite's message begins that quotes a stored text."""


def error_report(error: BaseException) -> str:
    """Return the stack of an error and of those that caused it, outermost last, as lines for a log."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        parts.append(_one(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "Traceback, without texts:\n" + "\nThen, while handling it:\n".join(reversed(parts))


def safe_message(error: BaseException) -> str:
    """Return what may be logged of an error's message; "" when it may quote text."""
    if isinstance(error, OSError):
        return f"[errno {error.errno}] {error.strerror}"
    original = getattr(error, "orig", error)  # what SQLAlchemy wraps
    if isinstance(original, sqlite3.Error):
        return "" if str(original).startswith(_NO_DECODING) else str(original)
    return str(error) if isinstance(error, _OWN_WORDS) else ""


def _one(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]
    message = safe_message(error)
    return "\n".join([*lines, f"{type(error).__name__}" + (f": {message}" if message else "")])

"""Errors of the database as sentences that a user can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError

from core.domain.errors import BadInput, ImmutableError, StorageFull, UserError, WorkspaceDamaged, WorkspaceInUse
from core.store.sqlite.unreadable import UnreadableText

ConstraintError = IntegrityError
"""What a failed constraint raises; see :func:`clear_errors`."""
_IMMUTABLE = "immutable: "
_RESTORE = "Restore one of the copies in its backups folder."


@contextmanager
def clear_errors(doing: str) -> Iterator[None]:
    """Re-raise what SQLite refuses while ``doing`` something ("saving a label") as a UserError.

    Constraint failures that no user can cause are raised unchanged: they are bugs.
    """
    try:
        yield
    except DBAPIError as error:
        clear = explain(error.orig, doing) if isinstance(error.orig, sqlite3.Error) else None
        if clear is None:
            raise
        raise clear from error
    except UnicodeEncodeError as error:
        raise BadInput(
            f"The text holds half a character (a lone surrogate), which cannot be stored; {doing} was not saved.",
            "Remove it and try again.",
        ) from error
    except OverflowError as error:
        if "SQLite" not in str(error):
            raise
        raise BadInput(
            f"A number is larger or smaller than can be stored; {doing} stopped and nothing was changed.",
            "Check the id or the number that you gave.",
        ) from error
    except sqlite3.Error as error:
        clear = explain(error, doing)
        if clear is None:
            raise
        raise clear from error


def explain(error: sqlite3.Error, doing: str) -> UserError | None:
    """Return the sentence for an SQLite error, or None when it is a bug of the program."""
    text = str(error)
    name = getattr(error, "sqlite_errorname", "") or ""
    if text.startswith("Could not decode to UTF-8"):
        return UnreadableText("A stored text is no UTF-8 any more.", _RESTORE)
    if text.startswith(_IMMUTABLE):
        return ImmutableError(f"Refused while {doing}: {text.removeprefix(_IMMUTABLE)}. Nothing was changed.")
    if name == "SQLITE_FULL":
        return StorageFull(
            f"The disk became full while {doing}; that was not saved. Everything saved before is safe.",
            "Free some space and try again.",
        )
    if name.startswith("SQLITE_IOERR"):
        return UserError(
            f"The disk failed while {doing}; it was not saved. What was saved before is on the disk.",
            "Check the drive, then try again or save a copy elsewhere.",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
        return UserError(
            f"The workspace may not be written to; {doing} failed and nothing was changed.",
            "Check the rights of the folder, or open a copy.",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return WorkspaceInUse(
            f"Another program holds the workspace file; {doing} failed and nothing was changed.",
            "Close it and try again.",
        )
    if name.startswith("SQLITE_CORRUPT") or name == "SQLITE_NOTADB" or "file is not a database" in text:
        return WorkspaceDamaged(
            f"The workspace file is damaged; {doing} stopped. What can be read of it is untouched.",
            _RESTORE,
        )
    return None

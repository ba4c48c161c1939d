"""Errors a user can act on: what happened, what is safe, what to do.

Anything that is not a ``UserError`` is a bug and is shown as one. No layer above
turns a ``UserError`` into anything but its message and hint.
"""

from __future__ import annotations


class UserError(Exception):
    """A failure that the user can understand and act on.

    Attributes:
        message: what happened and what is safe, one or two plain sentences.
        hint: what to do next; may be empty.
        exit_code: what the command line returns (1 failed, 2 usage, 3 workspace in use).
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str]]:
        return (type(self), (self.message, self.hint))


class UsageError(UserError):
    """The call itself is wrong: an unknown key, a value out of bounds, a missing argument."""

    exit_code = 2


class WorkspaceInUse(UserError):
    """Another process holds the workspace open for writing."""

    exit_code = 3


class WorkspaceDamaged(UserError):
    """The file is not a readable workspace; nothing was written to it."""


class WorkspaceReplaced(UserError):
    """The open workspace file is no longer the one that its path names; nothing is acknowledged until it is."""


class WorkspaceNewer(UserError):
    """The file was made by a newer version; nothing was written to it."""


class ImmutableError(UserError):
    """An attempt to change what is published, judged or frozen."""


class NotFound(UserError):
    """The thing asked for does not exist."""


class BadInput(UserError):
    """A file or a value from outside cannot be used as it is."""


class ModelRefused(UserError):
    """A model folder, adapter or template is unsafe or does not fit."""


class GateFailed(UserError):
    """The truth gate found that the objective would not be what it claims to be.

    Attributes:
        cause: machine name of the cause, one of ``core.domain.run_events.GATE_CAUSES``.
    """

    def __init__(self, message: str, hint: str = "", cause: str = "unknown") -> None:
        super().__init__(message, hint)
        self.cause = cause

    def __reduce__(self) -> tuple[type[GateFailed], tuple[str, str, str]]:  # type: ignore[override]
        return (type(self), (self.message, self.hint, self.cause))


class StorageFull(UserError):
    """The disk is full; what was acknowledged before is safe."""


def system_error(error: OSError) -> UserError:
    """Return the sentence for an error of the operating system that no service handled."""
    place = f" ({error.filename})" if error.filename else ""
    return UserError(
        f"The operating system refused: {error.strerror or error}{place}. What was saved before is safe.",
        "Check that the place exists, may be used, and has room; then try again.",
    )

"""Who does something: a reviewer named by a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import say_note
from core.domain.errors import UsageError

if TYPE_CHECKING:
    from core.services.application import Application

By = Annotated[str, typer.Option("--by", help="Your name among the reviewers; a new one is added.")]


def reviewer_id(app: Application, name: str) -> int:
    """Return the id of the person of this name, added when missing.

    Raises:
        UsageError: without a name, or for the name of a reviewer who is no person.
    """
    if not name.strip():
        raise UsageError("Who decides is part of the log.", "Say it: --by NAME.")
    found = app.reviewers.find(name)
    if found is None:
        found = app.reviewers.add(name).value
        say_note(f"{found.name} is a new reviewer.")
    if found.kind.value != "human":
        raise UsageError(f"{found.name} is no person but a reviewer of kind {found.kind.value}.", "Use another name.")
    return found.id

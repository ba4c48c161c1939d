"""``reviewers``: who labels in a workspace; adding and renaming pseudonyms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, table
from core.cli.workspace_access import open_workspace
from core.domain.errors import NotFound, UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reviewers", help="Who labels: list, --add NAME, --rename OLD=NEW.")(reviewers)


def reviewers(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    add: Annotated[str, typer.Option(metavar="NAME", help="Add a person; use a pseudonym.")] = "",
    rename: Annotated[str, typer.Option(metavar="OLD=NEW", help="Give a reviewer another pseudonym.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """List reviewers with their kind and how many of their labels count; judgements stay with a renamed reviewer."""
    with open_workspace(workspace, read_only=not (add or rename)) as app:
        if add:
            app.reviewers.add(add)
        if rename:
            old, equals, new = rename.partition("=")
            found = app.reviewers.find(old)
            if not equals or not new.strip():
                raise UsageError(f"{rename!r} does not say the new name.", "Write it as --rename OLD=NEW.")
            if found is None:
                raise NotFound(f"There is no reviewer {old!r}.", "See them with: reviewers WS")
            app.reviewers.rename(found.id, new)
        labels = app.workspace.labels_by_reviewer()
        rows = [
            {"id": one.id, "name": one.name, "kind": one.kind.value, "labels": labels.get(one.id, 0), "note": one.note}
            for one in app.reviewers.list()
        ]
    if as_json:
        say_json(rows)
    elif rows:
        say(table([[str(row["id"]), row["name"], row["kind"], f"{row['labels']:,}"] for row in rows], _HEAD))
    else:
        say("No reviewers yet. Add one with --add NAME.")


_HEAD = ("id", "reviewer", "kind", "labels")

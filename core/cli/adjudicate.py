"""``adjudicate``: pairs on which reviewers disagree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import say, say_json, table
from core.cli.workspace_access import open_workspace
from core.domain.conflict import RULE
from core.domain.counting import counted
from core.domain.errors import UsageError

if TYPE_CHECKING:
    from core.services.adjudication.views import ConflictPair


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("adjudicate", help=f"Pairs on which reviewers disagree: --list. {RULE}")(adjudicate)


def adjudicate(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    list_: Annotated[bool, typer.Option("--list", help="List the pairs in conflict, names hidden.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """List the pairs in conflict under the newest version of each rubric, with the rule and what was said."""
    if not list_:
        raise UsageError("Say what to do with the pairs in conflict.", "Use --list.")
    with open_workspace(workspace, read_only=True) as app:
        found = app.adjudication.conflicts()
    if as_json:
        say_json([one.to_plain() for one in found])
        return
    if not found:
        say(f"No pair is in conflict. {RULE}")
        return
    say(table([_row(one) for one in found], ("pair", "state", "rule", "said", "rubric")))
    waiting = sum(one.state == "open" for one in found)
    say(f"{counted(len(found), 'pair')} in conflict, {waiting:,} open.")


def _row(one: ConflictPair) -> list[str]:
    said = "; ".join(f"{label.who} {label.to_plain()['says']}" for label in one.labels)
    return [str(one.pair_id), one.state, one.conflict.words(), said, one.rubric]

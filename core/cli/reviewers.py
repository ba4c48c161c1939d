"""``reviewers``: who labels in a workspace; adding and renaming pseudonyms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.output import say, say_json, table
from core.cli.workspace_access import open_workspace
from core.domain.errors import NotFound, UsageError
from core.domain.licence import shown_licence

if TYPE_CHECKING:
    from core.domain.qualification import Qualification
    from core.services.application import Application


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "reviewers", help="Who labels: list, --add NAME, --rename OLD=NEW, --licence NAME=LICENCE, --lead NAME."
    )(reviewers)


def reviewers(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    add: Annotated[str, typer.Option(metavar="NAME", help="Add a person; use a pseudonym.")] = "",
    rename: Annotated[str, typer.Option(metavar="OLD=NEW", help="Give a reviewer another pseudonym.")] = "",
    licence: Annotated[
        str, typer.Option(metavar="NAME=LICENCE", help="Under which the labels are given; empty: not stated.")
    ] = "",
    deactivate: Annotated[str, typer.Option(metavar="NAME", help="Give this reviewer no new slots; labels stay.")] = "",
    activate: Annotated[str, typer.Option(metavar="NAME", help="Make a reviewer active again.")] = "",
    lead: Annotated[
        str, typer.Option(metavar="NAME", help="Only this person sees the Team tab; 'nobody' shows it to everybody.")
    ] = "",
    sign_off: Annotated[
        str, typer.Option(metavar="on|off", help="Whether a freeze needs the name of another than who labelled last.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """List reviewers: kind, licence of their labels, how many labels count. A renamed reviewer keeps the judgements."""
    with open_workspace(
        workspace, read_only=not (add or rename or licence or deactivate or activate or lead or sign_off)
    ) as app:
        if add:
            app.reviewers.add(add)
        if rename:
            old, equals, new = rename.partition("=")
            if not equals or not new.strip():
                raise UsageError(f"{rename!r} does not say the new name.", "Write it as --rename OLD=NEW.")
            app.reviewers.rename(_id(app, old), new)
        if licence:
            name, equals, text = licence.partition("=")
            if not equals:
                raise UsageError(f"{licence!r} does not say the licence.", "Write it as --licence NAME=LICENCE.")
            app.reviewers.set_licence(_id(app, name), text)
        for name, active in ((deactivate, False), (activate, True)):
            if name:
                app.reviewers.set_active(_id(app, name), active)
        if lead:
            app.reviewers.set_lead(None if lead == "nobody" else _id(app, lead))
        if sign_off:
            if sign_off not in ("on", "off"):
                raise UsageError(f"{sign_off!r} is neither on nor off.", "Write --sign-off on, or --sign-off off.")
            app.datasets.ask_sign_off(sign_off == "on")
        leads = app.reviewers.lead()
        inactive = app.reviewers.inactive()
        licences = app.reviewers.licences()
        labels = app.workspace.labels_by_reviewer()
        quizzes = app.qualification.newest()
        rows = [
            {
                "id": one.id,
                "name": one.name,
                "kind": one.kind.value,
                "labels": labels.get(one.id, 0),
                "active": one.id not in inactive,
                "licence": licences.get(one.id, ""),
                "note": one.note,
                "lead": one.id == leads,
                "qualification": _stands(quizzes, one.id),
            }
            for one in app.reviewers.list()
        ]
    if as_json:
        say_json(rows)
    elif rows:
        say(table([_cells(row) for row in rows], _HEAD))
    else:
        say("No reviewers yet. Add one with --add NAME.")


def _id(app: Application, name: str) -> int:
    found = app.reviewers.find(name)
    if found is None:
        raise NotFound(f"There is no reviewer {name!r}.", "See them with: reviewers WS")
    return found.id


def _cells(row: dict[str, Any]) -> list[str]:
    state = "active" if row["active"] else "inactive"
    quiz = "; ".join(f"{title}: {one['words']}" for title, one in row["qualification"].items())
    cells = [str(row["id"]), row["name"], row["kind"], state, f"{row['labels']:,}", "yes" if row["lead"] else ""]
    return [*cells, shown_licence(row["licence"]), quiz]


def _stands(quizzes: Sequence[Qualification], reviewer_id: int) -> dict[str, dict[str, Any]]:
    """Return title of a rubric version with a quiz -> how the reviewer stands."""
    found = {one.title: one.of(reviewer_id) for one in quizzes}
    return {title: one.to_plain() | {"words": one.words()} for title, one in found.items() if one is not None}


_HEAD = ("id", "reviewer", "kind", "state", "labels", "lead", "licence", "quiz")

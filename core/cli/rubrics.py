"""``rubric``: publish, list, show and compare rubric versions."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import as_id, say, say_json, table
from core.cli.people import By, reviewer_id
from core.cli.workspace_access import open_workspace
from core.domain.errors import NotFound, UsageError
from core.domain.rubric import ChangeLevel, RubricVersion
from core.services.rubrics import yaml_format
from core.services.rubrics.templates import templates

if TYPE_CHECKING:
    from core.services.application import Application

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Version = Annotated[str, typer.Argument(help="Title, for example 'Helpful 1.0.0', or id of the version.")]


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="Rubrics: `rubric publish WS FILE.yaml`, `rubric list WS`, `rubric show WS TITLE`.")
    group.command("publish", help="Publish a rubric version from YAML.")(publish)
    group.command("list", help="List rubrics and versions.")(list_rubrics)
    group.command("show", help="Write a version as YAML to standard output.")(show)
    group.command("diff", help="Say how two versions differ.")(diff)
    group.command(
        "lint", help="What in a version will make reviewers disagree; exit code 1 when it contradicts itself."
    )(lint)
    group.command("ask", help="Ask to change a clause; it waits for the draft of the next version.")(ask)
    group.command("requests", help="Requests to change a rubric; --draft RUBRIC takes its open ones into a draft.")(
        requests
    )
    group.command("template", help="Print a template as YAML; without a name, list the templates.")(template)
    return group


def publish(
    workspace: _Ws,
    file: Annotated[Path, typer.Argument(help="Rubric as YAML.")],
    level: Annotated[str, typer.Option(help="major, minor or patch; of a next version.")] = "major",
    note: Annotated[str, typer.Option(help="What changed, and why.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which labels it would make stale.")] = False,
    as_json: _Json = False,
) -> None:
    """Publish a rubric, or the next version of the rubric of that name, and say what that does to its labels."""
    if level not in list(ChangeLevel):
        raise UsageError(f"The level cannot be {level!r}.", "Use major, minor or patch.")
    with open_workspace(workspace, read_only=dry_run) as app:
        effect = app.rubrics.effect_of_yaml(file, ChangeLevel(level))
        version = None if dry_run else app.rubrics.publish_yaml(file, ChangeLevel(level), note).value
    if version is None:
        say_json(effect.to_plain()) if as_json else say(
            f"{effect.rubric} {effect.number} would do this: {effect.words}"
        )
    elif as_json:
        named = {"id": version.id, "title": version.title, "number": version.number, "sha256": version.sha256}
        say_json(named | {"effect": effect.to_plain()})
    else:
        say(f"{version.title} is published: {version.sha256}\n{effect.words}")


def list_rubrics(workspace: _Ws, as_json: _Json = False) -> None:
    """List rubrics with their versions."""
    with open_workspace(workspace, read_only=True) as app:
        rows = [
            {"id": v.id, "title": v.title, "state": v.state.value, "labels": s.labels.get(v.id, 0), "sha256": v.sha256}
            for s in app.rubrics.list()
            for v in s.versions
        ]
    if as_json:
        say_json(rows)
    elif not rows:
        say("No rubrics yet.")
    else:
        cells = [[str(r["id"]), str(r["title"]), str(r["state"]), str(r["labels"])] for r in rows]
        say(table(cells, ("id", "version", "state", "labels")))


def show(workspace: _Ws, version: _Version, as_json: _Json = False) -> None:
    """Print a version as YAML; as JSON with its identity around it."""
    with open_workspace(workspace, read_only=True) as app:
        found = find_version(app, version)
        text = app.rubrics.to_yaml(found.id)
    if as_json:
        body = found.body.to_plain()
        say_json({"id": found.id, "title": found.title, "state": found.state.value, "sha256": found.sha256} | body)
    else:
        say(text.rstrip("\n"))


def diff(workspace: _Ws, old: _Version, new: _Version, as_json: _Json = False) -> None:
    """Print every difference between two versions in reading order."""
    with open_workspace(workspace, read_only=True) as app:
        changes = app.rubrics.diff(find_version(app, old).id, find_version(app, new).id)
    if as_json:
        say_json([dataclasses.asdict(change) for change in changes])
        return
    for change in changes:
        say(f"{change.where}\n  - {change.before}\n  + {change.after}")
    if not changes:
        say("The two are the same.")


def lint(workspace: _Ws, version: _Version, as_json: _Json = False) -> None:
    """Say what to mend in a rubric version: its own text first, then what its labels show."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.quality.lint(find_version(app, version).id)
    if as_json:
        say_json([dataclasses.asdict(one) for one in found])
    for one in () if as_json else found:
        say(f"{one.severity}: {one.message}")
    if not found and not as_json:
        say("Nothing to mend was found.")
    if any(one.severity == "wrong" for one in found):
        raise typer.Exit(1)


def ask(
    workspace: _Ws,
    rubric: Annotated[str, typer.Argument(help="Name of the rubric.")],
    text: Annotated[str, typer.Option(help="What is to be said instead.")],
    by: By,
    clause: Annotated[str, typer.Option(help="Id of the clause; the rubric as a whole without.")] = "",
    pair: Annotated[int, typer.Option(min=0, help="A pair that shows it.")] = 0,
    as_json: _Json = False,
) -> None:
    """Ask to change a clause of a rubric; `rubric requests WS --draft RUBRIC` takes the open requests into a draft."""
    with open_workspace(workspace) as app:
        version, who = find_version(app, rubric), reviewer_id(app, by)
        made = app.rubrics.ask_change(version.rubric_id, text, who, clause=clause, pair_id=pair or None).value
    say_json(made.to_plain()) if as_json else say(f"Change request {made.id} of {version.rubric_name} is open.")


def requests(
    workspace: _Ws,
    draft: Annotated[str, typer.Option(metavar="RUBRIC", help="Take its open requests into the next draft.")] = "",
    as_json: _Json = False,
) -> None:
    """List the requests to change rubrics, or make the open ones of a rubric the change note of its next draft."""
    with open_workspace(workspace, read_only=not draft) as app:
        made = app.rubrics.draft_of_requests(find_version(app, draft).rubric_id).value if draft else None
        found, names = app.rubrics.requests(), {one.id: one.name for one in app.rubrics.list()}
    rows = [{"rubric": names[one.rubric_id], **one.to_plain()} for one in found]
    if as_json:
        say_json(rows)
    elif not rows:
        say("No change request yet. They come from adjudication.")
    else:
        cells = [[str(r["id"]), str(r["state"]), str(r["rubric"]), str(r["clause"]), str(r["text"])] for r in rows]
        say(table(cells, ("id", "state", "rubric", "clause", "request")))
    if made is not None and not as_json:
        say(f"{made.title} is a draft with the requests as its change note.")


def template(name: Annotated[str, typer.Argument(help="Name of the template.")] = "", as_json: _Json = False) -> None:
    """Print a template as YAML, or the names of all."""
    found = {one.key: one for one in templates()}
    if name and name not in found:
        raise NotFound(f"There is no template {name!r}.", f"The templates are: {', '.join(found)}.")
    if name:
        text = yaml_format.dump(found[name].name, found[name].body)
        say_json({"name": name, "yaml": text}) if as_json else say(text.rstrip("\n"))
    elif as_json:
        say_json([{"key": one.key, "name": one.name} for one in found.values()])
    else:
        say(table([[one.key, one.name] for one in found.values()], ("template", "rubric")))


def find_version(app: Application, wanted: str) -> RubricVersion:
    """Return the version of a title or an id; for the name of a rubric, its newest published version."""
    if (key := as_id(wanted)) is not None:
        return app.rubrics.version(key)
    for summary in app.rubrics.list():
        for version in summary.versions:
            if wanted.casefold() == version.title.casefold():
                return version
        if wanted.casefold() == summary.name.casefold() and summary.published is not None:
            return summary.published
    raise NotFound(f"There is no rubric version {wanted!r}.", "See them with: rubric list WS")

"""Commands on a workspace: ``init``, ``import``, ``rubric``, ``freeze``, ``export``, ``check``, ``backup``.

Each opens the workspace, calls one service and prints the outcome. Writing commands exit 3 while another
process has the workspace open.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.output import say, say_json, table
from core.domain.errors import UsageError

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init", help="Make an empty workspace.")(init)
    app.command("import", help="Import pairs from JSONL, JSON, CSV or Parquet, plain or gz.")(import_file)
    app.command("freeze", help="Freeze labels into an immutable dataset version.")(freeze)
    app.command("export", help="Write a dataset version in TRL's format with a card.")(export)
    app.command("check", help="Look for damage and for what does not add up.")(check)
    app.command("backup", help="Write a verified copy of the workspace.")(backup)
    rubric = typer.Typer(help="Rubrics: `rubric publish WS FILE.yaml`, `rubric list WS`, `rubric show WS TITLE`.")
    rubric.command("publish", help="Publish a rubric version from YAML.")(publish)
    rubric.command("list", help="List rubrics and versions.")(list_rubrics)
    rubric.command("show", help="Write a version as YAML to standard output.")(show_rubric)
    app.add_typer(rubric, name="rubric")


def init(workspace: _Ws, name: Annotated[str, typer.Option(help="Shown name.")] = "", as_json: _Json = False) -> None:
    """Make a workspace."""
    from core.services.application import Application

    with Application.open(workspace, create=True, name=name) as app:
        info = app.workspace.info()
    if as_json:
        say_json({"path": str(info.path), "uuid": info.uuid, "name": info.name})
    else:
        say(f"Workspace {info.name} at {info.path}")


def import_file(
    workspace: _Ws,
    file: Annotated[Path, typer.Argument(help="What to import.")],
    fmt: Annotated[str, typer.Option("--format", help="Format; detected when not given.")] = "",
    name: Annotated[str, typer.Option(help="Name of the source.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the data.")] = "",
    consent: Annotated[str, typer.Option(help="granted, unknown or withdrawn.")] = "granted",
    as_json: _Json = False,
) -> None:
    """Import one file; doing it again adds nothing."""
    from core.services.application import Application

    with Application.open(workspace) as app:
        report = app.imports.run(file, fmt=fmt or None, name=name or None, licence=licence, consent=consent).value
    if as_json:
        say_json(_plain(report))
        return
    say(
        f"{report.rows} rows: {report.imported} imported, {report.duplicates} there already, "
        f"{report.rejected} rejected; {report.judgements} labels."
    )
    if report.rejects_path:
        say(f"Rejected rows: {report.rejects_path}")


def publish(
    workspace: _Ws,
    file: Annotated[Path, typer.Argument(help="Rubric as YAML.")],
    level: Annotated[str, typer.Option(help="major, minor or patch; of a next version.")] = "major",
    note: Annotated[str, typer.Option(help="What changed, and why.")] = "",
    as_json: _Json = False,
) -> None:
    """Publish a rubric, or the next version of the rubric of that name."""
    from core.domain.rubric import ChangeLevel
    from core.services.application import Application

    if level not in list(ChangeLevel):
        raise UsageError(f"The level cannot be {level!r}.", "Use major, minor or patch.")
    with Application.open(workspace) as app:
        version = app.rubrics.publish_yaml(file, ChangeLevel(level), note).value
    if as_json:
        say_json({"id": version.id, "title": version.title, "number": version.number, "sha256": version.sha256})
    else:
        say(f"{version.title} is published: {version.sha256}")


def list_rubrics(workspace: _Ws, as_json: _Json = False) -> None:
    """List rubrics with their versions."""
    from core.services.application import Application

    with Application.open(workspace, read_only=True) as app:
        rows = [
            {"id": v.id, "title": v.title, "state": v.state.value, "labels": s.labels.get(v.id, 0), "sha256": v.sha256}
            for s in app.rubrics.list()
            for v in s.versions
        ]
    if as_json:
        say_json(rows)
    else:
        say(
            table(
                [[str(r["id"]), str(r["title"]), str(r["state"]), str(r["labels"])] for r in rows],
                ("id", "version", "state", "labels"),
            )
        )


def show_rubric(workspace: _Ws, version_id: Annotated[int, typer.Argument(help="Id of the version.")]) -> None:
    """Print a version as YAML."""
    from core.services.application import Application

    with Application.open(workspace, read_only=True) as app:
        say(app.rubrics.to_yaml(version_id))


def freeze(
    workspace: _Ws,
    name: Annotated[str, typer.Option(help="Name of the dataset.")],
    settings: Annotated[list[str] | None, typer.Option("--set", help="Policy, key=value; see the README.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be taken and left out.")] = False,
    as_json: _Json = False,
) -> None:
    """Freeze the labels that count into the next version of a dataset."""
    from core.services.application import Application

    policy = read_policy(settings or [])
    with Application.open(workspace, read_only=plan) as app:
        made: Any = app.datasets.plan(policy) if plan else app.datasets.freeze(name, policy).value
    left_out = [{"reason": e.reason, "count": e.count} for e in made.left_out]
    values = {"counts": dict(made.counts), "left_out": left_out}
    if not plan:
        values = {"id": made.id, "title": made.title, "root_sha256": made.root_sha256, **values}
    if as_json:
        say_json(values)
        return
    if not plan:
        say(f"{made.title}  {made.root_sha256}")
    for key, count in made.counts.items():
        say(f"{count:8}  {key}")
    for entry in left_out:
        say(f"{entry['count']:8}  left out: {entry['reason']}")


def read_policy(settings: list[str]) -> Any:
    """Return the freeze policy that ``key=value`` words ask for; values are JSON or plain words.

    Raises:
        UsageError: for a word without "=".
    """
    from core.domain.dataset import FreezePolicy

    values: dict[str, Any] = {}
    for word in settings:
        key, sign, text = word.partition("=")
        if not sign:
            raise UsageError(f"{word!r} is no setting.", "Write key=value, for example min_strength=2.")
        try:
            values[key] = json.loads(text)
        except ValueError:
            values[key] = text
    return FreezePolicy.from_plain(values)


def export(
    workspace: _Ws,
    dataset: Annotated[str, typer.Argument(help="Title (name v2) or id of the dataset version.")],
    out: Annotated[Path, typer.Argument(help="New folder to write.")],
    fmt: Annotated[str, typer.Option("--format", help="jsonl or parquet.")] = "jsonl",
    as_json: _Json = False,
) -> None:
    """Export train and dev; the sealed test split stays sealed."""
    from core.services.application import Application

    with Application.open(workspace) as app:
        report = app.datasets.export(int(dataset) if dataset.isdigit() else dataset, out, fmt)
    say_json(_plain(report)) if as_json else say(f"Written to {out}: {report.files}")


def check(workspace: _Ws, as_json: _Json = False) -> None:
    """Check the workspace; exit code 1 when something is wrong."""
    from core.services.application import Application

    with Application.open(workspace, read_only=True) as app:
        report = app.workspace.check()
    if as_json:
        say_json({"ok": report.ok, **_plain(report)})
    else:
        for finding in report.findings:
            say(str(finding))
        say("Everything adds up." if report.ok else f"{len(report.findings)} findings.")
    if not report.ok:
        raise typer.Exit(1)


def backup(
    workspace: _Ws,
    to: Annotated[Path | None, typer.Option(help="File to write; the backups folder when not given.")] = None,
    as_json: _Json = False,
) -> None:
    """Write a verified backup."""
    from core.services.application import Application

    with Application.open(workspace, read_only=to is not None) as app:
        path = app.workspace.backup(to)
    say_json({"path": str(path)}) if as_json else say(f"Backup: {path}")


def _plain(value: Any) -> dict[str, Any]:
    return json.loads(json.dumps(dataclasses.asdict(value), default=str))

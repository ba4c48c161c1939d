"""Commands on a workspace as a whole: create, check, back up, restore, account.

Each opens the workspace, calls one service and prints the outcome. Writing commands exit 3 while another process has
the workspace open. Imports inside a function load the workspace libraries, which no other command may need.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.imports import say_report
from core.cli.output import as_id, say, say_json, table
from core.cli.replacing import Replace
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted, size_words
from core.domain.errors import NotFound, UsageError
from core.domain.pair_table import CONSENTS

if TYPE_CHECKING:
    from core.services.importing.downloads import Download
    from core.services.workspace.service import BackupFile

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]

_MOST = (1 << 63) - 1  # what the database can hold


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init", help="Create an empty workspace.")(init)
    app.command("check", help="Check for damage and for counts that do not add up.")(check)
    app.command("backup", help="Write a verified copy of the workspace.")(backup)
    app.command("restore", help="Create a new workspace from a backup; nothing is overwritten.")(restore)
    app.command("salvage", help="Bring what is readable of a damaged workspace into a new one.")(salvage)
    app.command("account", help="What became of every imported row, and of every pair for every reviewer.")(account)
    app.command("table", help="Write the pair table with the current labels as CSV for a spreadsheet.")(write_table)
    app.command("log", help="What happened in a workspace, newest first.")(log)
    app.command("downloads", help="List or remove the files downloaded from the hub.")(show_downloads)
    app.command(
        "sources", help="List the sources of pairs; change consent, go on with an interrupted import, give one up."
    )(list_sources)


def init(workspace: _Ws, name: Annotated[str, typer.Option(help="Shown name.")] = "", as_json: _Json = False) -> None:
    """Create a workspace."""
    from core.services.workspace.service import is_workspace

    new = not is_workspace(workspace)
    with open_workspace(workspace, create=True, name=name) as app:
        info = app.workspace.info()
    if as_json:
        say_json({"path": str(info.path), "uuid": info.uuid, "name": info.name, "created": new})
    else:
        say(f"Workspace {info.name} {'created' if new else 'exists already'} at {info.path}")


def check(
    workspace: _Ws,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Stop telling of saved work that is missing; the event log keeps it.")
    ] = False,
    exports: Annotated[
        list[Path] | None,
        typer.Option("--export", metavar="FOLDER", help="Also check an export that lies elsewhere; repeatable."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Check the workspace; exit code 1 when there are problems."""
    with open_workspace(workspace, read_only=not accept_loss) as app:
        if accept_loss:
            app.workspace.accept_losses()
        report = app.workspace.check(exports=exports or ())
    if as_json:
        say_json({"ok": report.ok, **_plain(report)})
    else:
        for finding in report.findings:
            say(f"{'wrong' if finding.serious else 'note'}: {finding.check}: {finding.message} {finding.hint}".rstrip())
        wrong = sum(finding.serious for finding in report.findings)
        say(
            "No problems found."
            if report.ok
            else f"{counted(wrong, 'problem')} found. Restore a backup, or report what is listed."
        )
    if not report.ok:
        raise typer.Exit(1)


def backup(
    workspace: _Ws,
    to: Annotated[Path | None, typer.Option(help="File to write; the backups folder when not given.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Only list the backups in the backups folder.")] = False,
    as_json: _Json = False,
) -> None:
    """Write a verified backup, or list the backups, which also works on a damaged workspace."""
    from core.services.workspace.service import backups_of

    if listed:
        if not workspace.expanduser().is_dir():
            raise NotFound(f"There is no folder {workspace}.", "Name the folder of a workspace.")
        rows = [_backup_row(b) for b in backups_of(workspace)]
        _say_rows(rows if as_json else [_in_one_line(row) for row in rows], "No backups yet.", as_json)
        return
    with open_workspace(workspace, read_only=to is not None) as app:
        path = app.workspace.backup(to)
    say_json({"path": str(path)}) if as_json else say(f"Backup: {path}")


def _backup_row(backup: BackupFile) -> dict[str, Any]:
    return {
        "path": str(backup.path),
        "made": backup.made.isoformat(sep=" "),
        "why": backup.why,
        "size": backup.size,
        "counts": backup.counts,
        "workspace": backup.uuid,
        "problem": backup.problem,
    }


def _in_one_line(row: dict[str, Any]) -> dict[str, Any]:
    """Return what the list for people shows of a backup: the counts that they know, the path last."""
    counts = {name: row["counts"].get(name, "") for name in ("pairs", "labels", "judgements")}
    return {
        "made": row["made"],
        "why": row["problem"] or row["why"],
        "size": row["size"],
        **counts,
        "path": row["path"],
    }


def restore(
    file: Annotated[Path, typer.Argument(help="Backup file.")],
    to: Annotated[Path, typer.Argument(help="New folder for the workspace.")],
    as_json: _Json = False,
) -> None:
    """Create a workspace from a backup. Run folders are not part of a backup."""
    from core.services.workspace.service import restore as make

    place = make(file, to)
    say_json({"path": str(place)}) if as_json else say(f"Workspace restored at {place}")


def salvage(
    workspace: Annotated[Path, typer.Argument(help="Folder of the damaged workspace, or its database file.")],
    to: Annotated[Path, typer.Argument(help="New folder for the workspace.")],
    as_json: _Json = False,
) -> None:
    """Salvage a damaged workspace, which is only read; the report stands in the new folder too."""
    from core.services.workspace import salvage as service

    report = service.salvage(workspace, to)
    if as_json:
        say_json(_plain(report))
        return
    for loss in report.losses:
        say(f"lost: {loss}")
    rows = [
        [name, str(report.read.get(name, 0)), str(report.lost.get(name, 0))] for name in {**report.read, **report.lost}
    ]
    say(table(rows, ["table", "read", "lost"]))
    say(f"{service.sentence(report)} New workspace: {report.place}")


def account(workspace: _Ws, as_json: _Json = False) -> None:
    """Print what became of every row and pair; exit code 1 when the counts do not add up."""
    with open_workspace(workspace, read_only=True) as app:
        accounting = app.workspace.accounting()
    if as_json:
        say_json({"adds_up": accounting.adds_up, **_plain(accounting)})
    else:
        say(f"{counted(accounting.pairs, 'pair')}, {accounting.labelled:,} labelled")
        for entries in (accounting.imports, accounting.reviewers):
            rows = [dataclasses.asdict(entry) for entry in entries]
            if rows:
                _say_rows(rows, "", False)
        say("The counts add up." if accounting.adds_up else "The counts do not add up; run check.")
    if not accounting.adds_up:
        raise typer.Exit(1)


def write_table(
    workspace: _Ws,
    out: Annotated[Path, typer.Argument(help="File to write, ends in .csv.")],
    replace: Replace = False,
    as_json: _Json = False,
) -> None:
    """Write all pairs with their current labels, and a manifest beside the file; `import` reads it back."""
    with open_workspace(workspace, read_only=True) as app:
        report = app.pairs.export_table(out, replace=replace)
    say_json(_plain(report)) if as_json else say(f"{counted(report.rows, 'pair')}: {report.path}")


def log(
    workspace: _Ws, limit: Annotated[int, typer.Option(min=1, help="How many entries.")] = 50, as_json: _Json = False
) -> None:
    """Print the newest entries of the event log."""
    with open_workspace(workspace, read_only=True) as app:
        entries = app.workspace.activity(limit)
    if as_json:
        say_json([_plain(entry) for entry in entries])
        return
    for entry in entries:
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.at_ms / 1000))
        say(f"{at}  {entry.op:16}  {entry.summary}" + (f"  ({entry.reviewer})" if entry.reviewer else ""))
    if not entries:
        say("No events yet.")


def list_sources(
    workspace: _Ws,
    consent: Annotated[str, typer.Option(help="ID=granted, ID=unknown or ID=withdrawn.")] = "",
    resume: Annotated[
        int, typer.Option(min=0, max=_MOST, metavar="ID", help="Go on with the interrupted import of a source.")
    ] = 0,
    remove: Annotated[
        int,
        typer.Option(
            "--give-up",
            "--remove",
            min=0,
            max=_MOST,
            metavar="ID",
            help="Give a source up: its import ends and its consent is withdrawn, so that no new dataset version takes "
            "its pairs. Nothing is deleted. --remove is the earlier name.",
        ),
    ] = 0,
    file: Annotated[Path | None, typer.Option(help="With --resume: where the file is now.")] = None,
    as_json: _Json = False,
) -> None:
    """List the sources and how far their imports came. Frozen dataset versions do not change with consent."""
    with open_workspace(workspace, read_only=not (consent or resume or remove)) as app:
        if consent:
            text, _, word = consent.partition("=")
            key = as_id(text)
            if key is None or word not in CONSENTS:
                raise UsageError(f"{consent!r} is no consent of a source.", "Write for example --consent 2=withdrawn.")
            app.imports.set_consent(key, word)
        if resume:
            report = app.imports.resume(resume, file).value
            say_json(report.to_plain()) if as_json else say_report(report, "unchanged")
            return
        told = app.imports.give_up(remove).value if remove else ""
        left = {one.source_id: f"{one.state} after {counted(one.rows, 'row')}" for one in app.imports.unfinished()}
        rows = [{**_plain(source), "import": left.get(source.id, "done")} for source in app.imports.sources()]
    if told and not as_json:
        say(told)
    _say_rows(rows, "No sources yet.", as_json)
    if left and not as_json:
        say("An import that is not done goes on with --resume ID; --give-up ID gives the source up.")


def show_downloads(
    workspace: _Ws,
    clear: Annotated[
        bool, typer.Option("--clear", help="Remove the files that arrived whole and that no unfinished import needs.")
    ] = False,
    parts: Annotated[
        bool, typer.Option("--parts", help="With --clear: also what arrived of downloads that were cut off.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """List the files that were downloaded from the hub, or remove them; imported pairs stay."""
    if parts and not clear:
        raise UsageError("--parts belongs to --clear.", "Write --clear --parts.")
    with open_workspace(workspace, read_only=not clear) as app:
        gone = app.imports.clear_downloads(parts=parts) if clear else []
        left = app.imports.downloads()
    rows = [{"file": one.address or str(one.path), "size": one.size, "state": _state(one)} for one in left]
    if as_json:
        removed = [str(one.path) for one in gone]
        say_json({"removed": removed, "removed_bytes": sum(one.size for one in gone), "files": rows})
        return
    if clear:
        size = size_words(sum(one.size for one in gone))
        say(f"Removed {counted(len(gone), 'downloaded file')} ({size}). Imported pairs stay.")
    if rows:
        _say_rows(rows, "", False)
    elif not clear:
        say("Nothing was downloaded.")


def _state(download: Download) -> str:
    if not download.whole:
        return "cut off"
    return "needed by an unfinished import" if download.needed else "whole"


def _say_rows(rows: list[dict[str, Any]], none: str, as_json: bool) -> None:
    if as_json:
        say_json(json.loads(json.dumps(rows, default=str)))
    elif not rows:
        say(none)
    else:
        cells = [[", ".join(v) if isinstance(v, list) else str(v) for v in row.values()] for row in rows]
        say(table(cells, list(rows[0])))


def _plain(value: Any) -> dict[str, Any]:
    return json.loads(json.dumps(dataclasses.asdict(value), default=str))

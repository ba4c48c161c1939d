"""``bundle``: many desks without a server: export slots, open a desk, send back, merge, watch a folder.

Imports inside a function load the workspace libraries, which no other command may need.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import say, say_json, table
from core.cli.people import reviewer_id
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted
from core.domain.errors import NotFound, UserError

if TYPE_CHECKING:
    from core.services.bundles.service import Merged

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_By = Annotated[str, typer.Option("--by", help="Who does it; a reviewer.")]


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="Many desks without a server: export, open, return, merge, watch, list.")
    group.command("list", help="List the bundles that were exported, and what came back.")(list_bundles)
    group.command("export", help="Write a reviewer's open slots to a file; a desk answers them from then on.")(export)
    group.command("open", help="Make a desk of such a file: a workspace that labels offline.")(open_desk)
    group.command("return", help="Write what a desk labelled to a file.")(send_back)
    group.command("merge", help="Take in what desks sent back: files, or folders of them, in any order.")(merge)
    group.command("watch", help="Merge what comes into a folder until you stop it.")(watch)
    return group


def list_bundles(workspace: _Ws, as_json: _Json = False) -> None:
    """Print the bundles, oldest first."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.bundles.list()
    if as_json:
        say_json([one.to_plain() for one in found])
        return
    rows = [
        [one.batch, one.reviewer, one.kind, f"{one.slots:,}", _day(one.created_ms), _day(one.merged_ms)]
        for one in found
    ]
    head = ("batch", "reviewer", "bundle", "slots", "made", "last merged")
    say(table(rows, head) if rows else "No bundle yet: bundle export WS --batch NAME --reviewer NAME OUT.")


def export(
    workspace: _Ws,
    out: Annotated[Path, typer.Argument(help="File to write.")],
    batch: Annotated[str, typer.Option(help="Id or name of the batch.")],
    reviewer: Annotated[str, typer.Option(help="Whose slots.")],
    by: _By = "",
    as_json: _Json = False,
) -> None:
    """Export open slots: the pairs with their texts and the rubric, and nothing of sources, labels or other people."""
    with open_workspace(workspace) as app:
        found = app.reviewers.find(reviewer)
        if found is None:
            raise NotFound(f"There is no reviewer {reviewer!r}.", "See them with: reviewers WS")
        who = reviewer_id(app, by) if by else None
        made = app.bundles.export(app.batches.find(batch).id, found.id, out, who).value
    if as_json:
        say_json({"event": "bundle", "file": str(made.path), "told": list(made.told), **made.bundle.to_plain()})
        return
    say(f"{made.path}: {counted(made.bundle.slots, 'slot')} of {made.bundle.reviewer} in {made.bundle.batch}")
    for sentence in made.told:
        say(sentence)


def open_desk(
    file: Annotated[Path, typer.Argument(help="The bundle.")],
    folder: Annotated[Path, typer.Argument(help="New folder of the desk.")],
    as_json: _Json = False,
) -> None:
    """Open a bundle as a desk. Label its batch there; no network is needed."""
    from core.services.bundles.desk import open_desk as make  # it loads the workspace libraries

    manifest = make(file, folder)
    if as_json:
        say_json({"event": "desk", "folder": str(folder), **manifest})
    else:
        slots = counted(manifest["slots"], "slot")
        say(f"{folder}: a desk of {manifest['reviewer']} with {slots} of {manifest['batch']}")


def send_back(
    desk: Annotated[Path, typer.Argument(help="Folder of the desk.")],
    out: Annotated[Path, typer.Argument(help="File to write.")],
    as_json: _Json = False,
) -> None:
    """Write all that a desk labelled so far, with its hash chain; do it as often as you like."""
    from core.services.bundles.desk import send_back as write  # it loads the workspace libraries

    with open_workspace(desk, read_only=True) as app:
        manifest = write(app.store, out)
    if as_json:
        say_json({"event": "bundle_return", "file": str(out), **manifest})
    else:
        say(f"{out}: {counted(manifest['judgements'], 'judgement')} of {manifest['reviewer']} in {manifest['batch']}")


def merge(
    workspace: _Ws,
    files: Annotated[list[Path], typer.Argument(help="What desks sent back, or folders of it.")],
    by: _By = "",
    as_json: _Json = False,
) -> None:
    """Merge: a union by id, so doing it again adds nothing and the order does not matter. Refused files say why."""
    with open_workspace(workspace) as app:
        found = app.bundles.merge(files, reviewer_id(app, by) if by else None).value
        sha = app.bundles.content_sha256()
    if as_json:
        say_json({"event": "bundle_merge", "files": [one.to_plain() for one in found], "content_sha256": sha})
    else:
        _say_merged(found)
        say(f"content {sha}")
    refused = [one for one in found if one.state == "refused"]
    if refused:
        raise UserError(
            f"{counted(len(refused), 'file')} of {len(found):,} refused; the others are merged.",
            "The sentences above say why; nothing of a refused file was taken.",
        )


def watch(
    workspace: _Ws,
    folder: Annotated[Path, typer.Argument(help="Shared folder into which desks send.")],
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1)] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    as_json: _Json = False,
) -> None:
    """Merge new and changed files of a folder. The workspace is open only while it merges. Ctrl+C ends it."""
    from core.services.bundles.watching import BundleWatch  # it loads the workspace libraries

    inbox = BundleWatch(folder)
    while True:
        fresh = inbox.fresh()
        if fresh:
            with open_workspace(workspace) as app:
                found = [one for one in app.bundles.merge(fresh).value if one.state != "known"]
            if as_json:
                for one in found:
                    say_json({"event": "bundle_merge", **one.to_plain()})
            else:
                _say_merged(found)
        if once:
            return
        time.sleep(every)


def _say_merged(found: Sequence[Merged]) -> None:
    for one in found:
        say(one.words())
    if not found:
        say("No bundle was found there; nothing was merged.")


def _day(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000)) if at_ms else "-"

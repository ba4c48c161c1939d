"""``feedback changeset``: the reviewed way from feedback into the next dataset version."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.output import as_id, say, say_json, table
from core.cli.people import By, reviewer_id
from core.cli.workspace_access import open_workspace
from core.domain.changeset import Changeset
from core.domain.consent import date_text
from core.domain.counting import counted
from core.domain.errors import UsageError

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Name = Annotated[str, typer.Argument(help="Name or number of the changeset.")]
_Reason = Annotated[str, typer.Option(help="Why.")]
_Pairs = Annotated[list[int] | None, typer.Option("--pair", metavar="PAIR", help="A pair; repeatable.")]
_Attacks = Annotated[bool, typer.Option("--attacks", help="Also pairs that were made of attacks.")]


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="Reviewed changes of the data: new, add, remove, edit, drop, diff, approve, delete.")
    group.command("list", help="List the changesets.")(list_changesets)
    group.command("show", help="Show one with its changes.")(show)
    group.command("new", help="Make an empty draft.")(new)
    group.command("add", help="Add pairs that events were made into, or other pairs.")(add)
    group.command("remove", help="Take pairs out of the data.")(remove)
    group.command("edit", help="Put another pair in the place of one.")(edit)
    group.command("drop", help="Take a change out of a draft.")(drop)
    group.command("diff", help="How the next version of a dataset would differ.")(diff)
    group.command("review", help="Say what is right with a changeset, what is not, and what enters the next freeze.")(
        review
    )
    group.command("send-back", help="Send a draft back to its author, with a reason.")(send_back)
    group.command("approve", help="Approve a draft, as somebody else than its author; the next freeze takes it.")(
        approve
    )
    group.command("delete", help="Delete a draft.")(delete)
    return group


def list_changesets(workspace: _Ws, as_json: _Json = False) -> None:
    """List changesets, oldest first."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.changesets.list()
    if as_json:
        say_json([_plain(one) for one in found])
    elif not found:
        say("No changesets yet.")
    else:
        rows = [[str(one.id), one.name, one.state, *_counts(one), one.author, one.approver] for one in found]
        say(table(rows, ("id", "name", "state", "adds", "edits", "removals", "author", "approver")))


def show(workspace: _Ws, changeset: _Name, as_json: _Json = False) -> None:
    """Print one changeset."""
    with open_workspace(workspace, read_only=True) as app:
        _say(app.changesets.get(_key(changeset)), as_json)


def new(
    workspace: _Ws,
    name: Annotated[str, typer.Argument(help="Name of the changeset.")],
    by: By = "",
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: _Json = False,
) -> None:
    """Make a draft; whoever makes it cannot approve it."""
    with open_workspace(workspace) as app:
        _say(app.changesets.create(name, reviewer_id(app, by), note).value, as_json)


def add(
    workspace: _Ws,
    changeset: _Name,
    events: Annotated[list[int] | None, typer.Option("--event", metavar="EVENT", help="An event; repeatable.")] = None,
    pairs: _Pairs = None,
    reason: _Reason = "",
    attacks: _Attacks = False,
    as_json: _Json = False,
) -> None:
    """Add pairs to a draft. A prompt that stands in a sealed test split is refused."""
    if bool(events) == bool(pairs):
        raise UsageError("What is added is not said.", "Name events (--event 3) or pairs (--pair 12).")
    with open_workspace(workspace) as app:
        service, key = app.changesets, _key(changeset)
        if events:
            made = service.add_events(key, events, reason, attacks=attacks)
        else:
            made = service.add_pairs(key, pairs or [], reason, attacks=attacks)
        _say(made.value, as_json)


def remove(
    workspace: _Ws, changeset: _Name, pairs: _Pairs = None, reason: _Reason = "", as_json: _Json = False
) -> None:
    """Take pairs out from the next freeze on."""
    if not pairs:
        raise UsageError("Which pair is taken out is not said.", "Name it: --pair 12.")
    with open_workspace(workspace) as app:
        _say(app.changesets.remove_pairs(_key(changeset), pairs, reason).value, as_json)


def edit(
    workspace: _Ws,
    changeset: _Name,
    old: Annotated[int, typer.Argument(help="Pair that leaves.")],
    replacement: Annotated[int, typer.Argument(metavar="NEW", help="Pair that may enter.")],
    reason: _Reason = "",
    attacks: _Attacks = False,
    as_json: _Json = False,
) -> None:
    """Put another pair in the place of one."""
    with open_workspace(workspace) as app:
        _say(app.changesets.edit_pair(_key(changeset), old, replacement, reason, attacks=attacks).value, as_json)


def drop(
    workspace: _Ws, changeset: _Name, entry: Annotated[int, typer.Argument(help="Number of the change.")],
    as_json: _Json = False,
) -> None:  # fmt: skip
    """Take a change out of a draft."""
    with open_workspace(workspace) as app:
        _say(app.changesets.drop(_key(changeset), entry).value, as_json)


def approve(
    workspace: _Ws,
    changeset: _Name,
    by: By = "",
    note: Annotated[str, typer.Option(help="What the approver says.")] = "",
    as_json: _Json = False,
) -> None:
    """Approve a draft."""
    with open_workspace(workspace) as app:
        own = app.changesets.get(_key(changeset)).id
        _say(app.changesets.approve(own, reviewer_id(app, by), note).value, as_json)


def send_back(workspace: _Ws, changeset: _Name, by: By = "", reason: _Reason = "", as_json: _Json = False) -> None:
    """Send a draft back; it stays a draft, and the log keeps the reason."""
    with open_workspace(workspace) as app:
        own = app.changesets.get(_key(changeset)).id
        _say(app.changesets.send_back(own, reviewer_id(app, by), reason).value, as_json)


def review(workspace: _Ws, changeset: _Name, as_json: _Json = False) -> None:
    """Print the checks of a changeset."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.changesets.review(_key(changeset))
    if as_json:
        checks = [{**dataclasses.asdict(check), "passed": check.passed} for check in found.checks]
        say_json({"name": found.changeset.name, "checks": checks, "leaves_out": dict(found.leaves_out),
                  "version": found.version, "before": found.before, "after": found.after})  # fmt: skip
        return
    for check in found.checks:
        say(f"{'ok' if check.passed else '--'}  {check.words}: {check.done} of {check.total}. {check.told}".rstrip())
    say(f"{found.version or 'No version yet'}: {found.before} items -> {found.after}, if it were frozen now")


def delete(workspace: _Ws, changeset: _Name, by: By = "", as_json: _Json = False) -> None:
    """Delete a draft; an approved changeset stays for ever."""
    with open_workspace(workspace) as app:
        own = app.changesets.get(_key(changeset)).id
        name = app.changesets.delete(own, reviewer_id(app, by)).value
    say_json({"deleted": name}) if as_json else say(f"The draft {name} is deleted.")


def diff(
    workspace: _Ws,
    changeset: _Name,
    dataset: Annotated[str, typer.Option(help="Title or name of the dataset.")],
    as_json: _Json = False,
) -> None:
    """Compare the newest version with the next one, by the same policy, with the changeset."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.changesets.diff(_key(changeset), _key(dataset))
    if as_json:
        say_json(dataclasses.asdict(found))
        return
    say(f"{found.diff.old} -> {found.diff.new}, if it were frozen now")
    say(f"{found.diff.same:8}  the same")
    for what in ("added", "removed", "flipped", "restrengthened", "moved"):
        entries = getattr(found.diff, what)
        ids = ", ".join(str(one[0] if isinstance(one, tuple) else one) for one in entries[:20])
        if entries:
            say(f"{len(entries):8}  {what}: pairs {ids}{', ...' if len(entries) > 20 else ''}")
    mine = ", ".join(map(str, found.by_changeset[:20])) or "none"
    say(f"{len(found.by_changeset):8}  because of this changeset: pairs {mine}")
    for entry in found.left_out:
        say(f"{entry.count:8}  left out: {entry.reason}")


def _key(word: str) -> int | str:
    key = as_id(word)
    return word if key is None else key


def _counts(made: Changeset) -> list[str]:
    return [str(made.count(op)) for op in ("add", "edit", "remove")]


def _plain(made: Changeset) -> dict[str, Any]:
    return dataclasses.asdict(made)


def _say(made: Changeset, as_json: bool) -> None:
    if as_json:
        say_json(_plain(made))
        return
    say(f"Changeset {made.name} ({made.id}): {made.state}, by {made.author}" + (f". {made.note}" if made.note else ""))
    for entry in made.entries:
        sign = {"add": "+", "edit": "~", "remove": "-"}[entry.op]
        pairs = f"pair {entry.pair_id}" + (f" -> pair {entry.new_pair_id}" if entry.new_pair_id else "")
        more = [f"event {entry.event_id}"] if entry.event_id else []
        more += ["from an attack"] if entry.attack else []
        more += ["not labelled yet"] if entry.enters and not entry.labels else []
        say(f"{entry.id:6} {sign} {pairs}: {entry.reason}" + (f" ({', '.join(more)})" if more else ""))
    for one in made.sent_back:
        changed = "" if one.unchanged else " (changed since)"
        say(f"Sent back by {one.by} on {date_text(one.at_ms)}{changed}: {one.reason}")
    if made.approved_ms is not None:
        say(f"Approved by {made.approver} on {date_text(made.approved_ms)}. {made.approval_note}".rstrip())
    if made.datasets:
        say(f"In {', '.join(made.datasets)}.")
    elif made.state == "approved":
        say(f"The next freeze takes {counted(len(made.entries), 'change')}.")

"""``releases`` and ``cycle``: list, compare and withdraw releases, and what each change from n to n + 1 bought."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import say, say_json, say_note, table
from core.cli.people import By
from core.cli.workspace_access import open_workspace
from core.domain.errors import UsageError
from core.domain.number_text import estimate_text

if TYPE_CHECKING:
    from core.services.releases.cycle import Cycle

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Release = Annotated[str, typer.Argument(help="Id, beginning of an id, or name of the release.")]
_Side = Annotated[str, typer.Argument(help="A release or a finished evaluation: its id, the beginning of it, or name.")]


def build() -> typer.Typer:
    """Return the command group of releases."""
    group = typer.Typer(
        help="Releases: `releases WS`, `releases compare WS OLD NEW`, `releases withdraw WS RELEASE --reason WHY`."
    )
    group.callback()(_releases)
    group.command("list", help="List the releases, the newest first.")(listed)
    group.command("compare", help="Say what differs between two releases, number by number.")(compare)
    group.command("withdraw", help="Note for good that a release must not be used, and why.")(withdraw)
    return group


def register(app: typer.Typer) -> None:
    """Add ``cycle``."""
    app.command("cycle", help="What changed from n to n + 1 in policy, data, measurement, and what it bought.")(cycle)


def _releases() -> None:
    """Commands on the releases of a workspace."""


def listed(workspace: _Ws, as_json: _Json = False) -> None:
    """Print the releases, newest first."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.releases.list()
    if as_json:
        say_json([info.to_plain() for info in found])
        return
    rows = [
        [info.release_id[:8], info.name, time.strftime("%Y-%m-%d", time.gmtime(info.created_ms / 1000)),
         info.outcome, info.approver, info.withdrawn and f"withdrawn: {info.withdrawn}"]
        for info in found
    ]  # fmt: skip
    say(table(rows, ("id", "name", "made", "gate", "approver", "")) if rows else "No releases yet.")


def withdraw(
    workspace: _Ws,
    release: _Release,
    reason: Annotated[str, typer.Option(help="Why it is withdrawn; everybody who lists releases reads it.")] = "",
    by: By = "",
    as_json: _Json = False,
) -> None:
    """Withdraw a release; its folder stays as it is, and the log keeps both entries."""
    if not by.strip():
        raise UsageError("Who withdraws a release is part of the log.", "Say it: --by NAME.")
    with open_workspace(workspace) as app:
        info = app.releases.withdraw(release, by, reason).value
    if as_json:
        say_json(info.to_plain())
        return
    say(f"Withdrew {info.name} ({info.release_id[:8]}): {info.withdrawn}")


def compare(workspace: _Ws, old: _Release, new: _Release, as_json: _Json = False) -> None:
    """Print what differs: gate, policy, data, thresholds, suites, and every number with its difference."""
    with open_workspace(workspace, read_only=True) as app:
        _show(app.releases.compare(old, new), as_json)


def cycle(workspace: _Ws, old: _Side, new: _Side, as_json: _Json = False) -> None:
    """Print what changed, and what each change bought on the items that both were measured on."""
    with open_workspace(workspace, read_only=True) as app:
        _show(app.releases.cycle(old, new), as_json)


def _show(found: Cycle, as_json: bool) -> None:
    if as_json:
        say_json(found.to_plain())
        return
    say(f"{found.old.title} -> {found.new.title}")
    for part in ("decision", "policy", "data", "measurement"):
        changes = getattr(found, part)
        if part != "decision" or changes:
            say(f"{part}:" if changes else f"{part}: nothing changed")
        for change in changes:
            say(f"  {change.what}: {f'{change.old} -> ' if change.old else ''}{change.new}")
    rows = [
        [row.suite, row.metric, estimate_text(row.before), estimate_text(row.after),
         estimate_text(row.same_items) if row.same_items else "no item in common",
         estimate_text(row.by_items) if row.by_items else ""]
        for row in found.bought
    ]  # fmt: skip
    if rows:
        say(table(rows, ("suite", "metric", "before", "after", "same items: after - before", "due to other items")))
        say(found.credit)
    for note in found.notes:
        say_note(note)

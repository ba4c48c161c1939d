"""``freeze``, ``export``, ``datasets``: from labels to immutable dataset versions and out of the workspace."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.output import say, say_json, table
from core.domain.errors import BadInput, UsageError

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Dataset = Annotated[str, typer.Argument(help="Title (name v2), name (its newest) or id of the dataset version.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("freeze", help="Freeze labels into an immutable dataset version.")(freeze)
    app.command("noise", help="Measure from retest and gold answers how often labels are flipped.")(noise)
    app.command("export", help="Write a dataset version in TRL's format with a card.")(export)


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="Dataset versions: `datasets WS`, `datasets show WS TITLE`, `datasets diff WS OLD NEW`.")
    group.command("list", help="List the dataset versions of a workspace.")(list_versions)
    group.command("show", help="Show one version: hash, policy, counts, what was left out.")(show)
    group.command("diff", help="Say how one version differs from another.")(diff)
    return group


def freeze(
    workspace: _Ws,
    name: Annotated[str, typer.Option(help="Name of the dataset.")],
    settings: Annotated[list[str] | None, typer.Option("--set", help="Policy, key=value; values as in JSON.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be taken and left out.")] = False,
    as_json: _Json = False,
) -> None:
    """Freeze the labels that count into the next version of a dataset."""
    from core.services.application import Application

    policy = read_policy(settings or [])
    with Application.open(workspace, read_only=plan) as app:
        made: Any = app.datasets.plan(policy) if plan else app.datasets.freeze(name, policy).value
    left_out = [{"reason": e.reason, "count": e.count} for e in made.left_out]
    values: dict[str, Any] = {"root_sha256": made.root_sha256, "counts": dict(made.counts), "left_out": left_out}
    if plan:
        values |= {"same_as": made.same_as, "notes": list(made.notes)}
    else:
        values = {"id": made.id, "title": made.title, **values}
    if as_json:
        say_json(values)
        return
    say(made.root_sha256 if plan else f"{made.title}  {made.root_sha256}")
    _say_counts(made)
    for note in values.get("notes", ()):
        say(f"note: {note}")


def read_policy(settings: list[str]) -> Any:
    """Return the freeze policy that ``key=value`` words ask for; values are JSON or plain words.

    Raises:
        UsageError: for a word without "=", an unknown key or a value that the key cannot have.
    """
    from core.domain.dataset import FreezePolicy

    values: dict[str, Any] = {}
    for word in settings:
        key, sign, text = word.partition("=")
        if not sign:
            raise UsageError(f"{word!r} is no setting.", "Write key=value, for example min_strength=2.")
        try:
            values[key.strip()] = json.loads(text)
        except (ValueError, RecursionError):
            values[key.strip()] = text
    try:
        return FreezePolicy.from_plain(values)
    except BadInput as error:
        raise UsageError(error.message, error.hint) from error


def export(
    workspace: _Ws,
    dataset: _Dataset,
    out: Annotated[Path, typer.Argument(help="New folder to write.")],
    fmt: Annotated[str, typer.Option("--format", help="jsonl or parquet.")] = "jsonl",
    unseal: Annotated[bool, typer.Option("--unseal", help="Take the sealed test split along; this is logged.")] = False,
    as_json: _Json = False,
) -> None:
    """Export train and dev; the sealed test split stays sealed unless it is unsealed by name."""
    from core.services.application import Application

    if fmt not in ("jsonl", "parquet"):
        raise UsageError(f"There is no export format {fmt!r}.", "Use jsonl or parquet.")
    with Application.open(workspace, read_only=not unseal) as app:
        report = app.datasets.export(_key(dataset), out, fmt, unseal=unseal)  # type: ignore[arg-type]
    if as_json:
        say_json(dataclasses.asdict(report))
        return
    say(f"Written to {report.folder}:")
    for file, rows in report.files.items():
        say(f"{rows:8}  {file}")
    if report.sealed:
        say(f"{report.sealed:8}  items of the test split stayed sealed")


def noise(
    workspace: _Ws,
    dataset: Annotated[str, typer.Option(help="Only the reviewers and rubrics behind this version.")] = "",
    as_json: _Json = False,
) -> None:
    """Print the flip rate with its interval; `train --set label_smoothing=measured` uses it."""
    from core.services.application import Application

    with Application.open(workspace, read_only=True) as app:
        report = app.datasets.label_noise(_key(dataset) if dataset else None)
    if as_json:
        say_json(dataclasses.asdict(report))
        return
    say(report.sentence())
    rows = [
        [one.name, f"{one.flip.rate:.1%}" if one.flip else "-", *map(str, dataclasses.astuple(one.counts))]
        for one in report.reviewers
    ]
    if rows:
        say(table(rows, ("reviewer", "flip rate", *(field.name for field in dataclasses.fields(report.counts)))))


def list_versions(workspace: _Ws, as_json: _Json = False) -> None:
    """Print the versions, oldest first."""
    from core.services.application import Application

    with Application.open(workspace, read_only=True) as app:
        versions = app.datasets.list()
    if as_json:
        say_json([_plain(version) for version in versions])
    elif not versions:
        say("No dataset versions yet.")
    else:
        keys = ("items", "train", "dev", "test")
        rows = [[str(v.id), v.title, *(str(v.counts.get(k, 0)) for k in keys), v.root_sha256[:12]] for v in versions]
        say(table(rows, ("id", "title", *keys, "sha256")))


def show(workspace: _Ws, dataset: _Dataset, as_json: _Json = False) -> None:
    """Print one version."""
    from core.services.application import Application

    with Application.open(workspace, read_only=True) as app:
        version = app.datasets.get(_key(dataset))
    if as_json:
        say_json(_plain(version))
        return
    say(f"{version.title}  {version.root_sha256}")
    for title in version.rubric_titles:
        say(f"rubric: {title}")
    for key, value in version.policy.to_plain().items():
        say(f"  {key:20} {value}")
    _say_counts(version)


def diff(workspace: _Ws, old: _Dataset, new: _Dataset, as_json: _Json = False) -> None:
    """Print what was added, removed, flipped, made stronger or weaker, and moved."""
    from core.services.application import Application

    with Application.open(workspace, read_only=True) as app:
        found = app.datasets.diff(_key(old), _key(new))
    if as_json:
        say_json({"same_items": found.empty, **dataclasses.asdict(found)})
        return
    say(f"{found.old} -> {found.new}")
    say(f"{found.same:8}  the same")
    for what in ("added", "removed", "flipped", "restrengthened", "moved"):
        entries = getattr(found, what)
        ids = ", ".join(str(e[0] if isinstance(e, tuple) else e) for e in entries[:20])
        if entries:
            say(f"{len(entries):8}  {what}: pairs {ids}{', ...' if len(entries) > 20 else ''}")
    for key, before, after in found.policy_changes:
        say(f"policy {key}: {before} -> {after}")
    for title in found.rubrics_added:
        say(f"rubric added: {title}")
    for title in found.rubrics_removed:
        say(f"rubric removed: {title}")


def _key(dataset: str) -> int | str:
    return int(dataset) if dataset.isdigit() else dataset


def _plain(version: Any) -> dict[str, Any]:
    return {
        "id": version.id,
        "title": version.title,
        "root_sha256": version.root_sha256,
        "policy": version.policy.to_plain(),
        "counts": dict(version.counts),
        "left_out": [{"reason": e.reason, "count": e.count} for e in version.left_out],
        "rubrics": list(version.rubric_titles),
        "created_ms": version.created_ms,
    }


def _say_counts(version: Any) -> None:
    for key, count in version.counts.items():
        say(f"{count:8}  {key}")
    for entry in version.left_out:
        say(f"{entry.count:8}  left out: {entry.reason}")

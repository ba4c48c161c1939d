"""``freeze``, ``export``, ``datasets``: from labels to immutable dataset versions and out of the workspace."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

import typer

from core.cli.output import as_id, say, say_json, table
from core.cli.workspace_access import open_workspace
from core.domain.adjudication import adjudicated_words
from core.domain.counting import counted
from core.domain.dataset import DatasetVersion, FreezePlan, FreezePolicy, LeftOut
from core.domain.errors import BadInput, UsageError
from core.domain.on_policy import OnPolicy

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Format = Literal["jsonl", "parquet"]
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
    group.command("sealed", help="Show the sealed test of a version: hash, looks, openings, what its items tuned.")(
        sealed
    )
    group.command("leaks", help="Look for copies and near copies of a version's test items; exit code 1 when found.")(
        leaks
    )
    group.command("diff", help="Say how one version differs from another.")(diff)
    return group


def freeze(
    workspace: _Ws,
    name: Annotated[str, typer.Option(help="Name of the dataset.")],
    settings: Annotated[list[str] | None, typer.Option("--set", help="Policy, key=value; values as in JSON.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only print what would be frozen and left out.")] = False,
    signed_off_by: Annotated[
        str, typer.Option(metavar="NAME", help="Who signs it off: a person other than who labelled last.")
    ] = "",
    as_json: _Json = False,
) -> None:
    """Freeze the current labels into the next version of a dataset."""
    policy = read_policy(settings or [])
    with open_workspace(workspace, read_only=plan) as app:
        if plan:
            _show_plan(app.datasets.plan(policy), as_json)
        else:
            made = app.datasets.freeze(name, policy, signed_off_by=signed_off_by).value
            _show_frozen(made, app.datasets.view(made.id).on_policy, as_json)


def _show_plan(plan: FreezePlan, as_json: bool) -> None:
    if as_json:
        values = {"root_sha256": plan.root_sha256, "counts": dict(plan.counts), "left_out": _left_out(plan.left_out)}
        say_json({**values, "same_as": plan.same_as, "notes": list(plan.notes)})
        return
    say(plan.root_sha256)
    _say_counts(plan.counts, plan.left_out)
    for note in plan.notes:
        say(f"note: {note}")


def _show_frozen(made: DatasetVersion, on_policy: OnPolicy, as_json: bool) -> None:
    if as_json:
        values = {"root_sha256": made.root_sha256, "counts": dict(made.counts), "left_out": _left_out(made.left_out)}
        names = {"id": made.id, "title": made.title, "signed_off_by": made.signed_off_by}
        say_json({**names, **values, "on_policy": on_policy.to_plain()})
        return
    say(f"{made.title}  {made.root_sha256}")
    if made.signed_off_by:
        say(f"signed off by {made.signed_off_by}")
    _say_counts(made.counts, made.left_out)
    if on_policy.items:
        say(on_policy.sentence())


def read_policy(settings: list[str]) -> FreezePolicy:
    """Return the freeze policy that ``key=value`` words ask for; values are JSON or plain words.

    Raises:
        UsageError: for a word without "=", an unknown key or a value that the key cannot have.
    """
    values: dict[str, object] = {}
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
    form: Annotated[str, typer.Option(help="What a line is: trl, ultrafeedback, argilla or soft.")] = "trl",
    unseal: Annotated[
        bool, typer.Option("--unseal", help="Include the sealed test split; this counts as a look.")
    ] = False,
    person: Annotated[str, typer.Option("--by", help="With --unseal: who wants it, for the event log.")] = "",
    reason: Annotated[str, typer.Option(help="With --unseal: why, for the event log.")] = "",
    as_json: _Json = False,
) -> None:
    """Export train and dev; the sealed test split only with --unseal."""
    if fmt not in get_args(_Format):
        raise UsageError(f"There is no export format {fmt!r}.", f"Use {' or '.join(get_args(_Format))}.")
    with open_workspace(workspace, read_only=not unseal) as app:
        report = app.datasets.export(
            _key(dataset), out, cast(_Format, fmt), unseal=unseal, person=person, reason=reason, form=form
        )
    if as_json:
        say_json(dataclasses.asdict(report))
        return
    say(f"Written to {report.folder}:")
    for file, rows in report.files.items():
        say(f"{rows:8}  {file}")
    if report.sealed:
        say(f"{report.sealed:8}  items of the sealed test split are not included")


def noise(
    workspace: _Ws,
    dataset: Annotated[str, typer.Option(help="Only the reviewers and rubrics behind this version.")] = "",
    as_json: _Json = False,
) -> None:
    """Print the flip rate with its interval; `train --set label_smoothing=measured` uses it."""
    with open_workspace(workspace, read_only=True) as app:
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
    with open_workspace(workspace, read_only=True) as app:
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
    with open_workspace(workspace, read_only=True) as app:
        version = app.datasets.get(_key(dataset))
    if as_json:
        say_json(_plain(version))
        return
    say(f"{version.title}  {version.root_sha256}")
    for title in version.rubric_titles:
        say(f"rubric: {title}")
    for name in version.changesets:
        say(f"changeset: {name}")
    for key, value in version.policy.to_plain().items():
        say(f"  {key:20} {value}")
    _say_counts(version.counts, version.left_out)


def sealed(workspace: _Ws, dataset: _Dataset, as_json: _Json = False) -> None:
    """Show the sealed test of a version; nothing of it is opened. It is written where it is missing."""
    with open_workspace(workspace, read_only=True) as app:
        view = app.sealed.view(_key(dataset))
    if view.place is None:
        with open_workspace(workspace) as app:
            view = app.sealed.view(_key(dataset))
    plain = view.to_plain()
    if as_json:
        say_json(plain)
        return
    say(f"{view.version.title}  {counted(view.rows, 'test item')}  {plain['contents_sha256']}")
    say(f"file: {plain['file']}")
    say(f"{counted(view.looks, 'look')}, {counted(len(view.openings), 'opening')}")
    rows = [(_local(note.at_ms), note.person, note.policy, str(note.rows), note.reason) for note in view.openings]
    if rows:
        say(table(rows, ("when", "who", "policy", "rows", "why")))
    say(view.usage.sentence())


def leaks(
    workspace: _Ws,
    dataset: _Dataset,
    run: Annotated[
        list[str] | None, typer.Option("--run", help="Compare the pairs of this run as well; may be given many times.")
    ] = None,
    as_json: _Json = False,
) -> int:
    """Compare the test items of a version with train, dev, imports and suites; this is no look."""
    with open_workspace(workspace, read_only=True) as app:
        report = app.sealed.leaks_of(_key(dataset), run_ids=run or ())
    if as_json:
        say_json({"sentence": report.sentence(), **report.to_plain()})
    else:
        say(report.sentence())
        rows = [
            (hit.test_id, hit.other_id, hit.place, hit.matched, "copy" if hit.exact else f"{hit.similarity:.2f}")
            for hit in report.hits
        ]
        if rows:
            say(table(rows, ("test item", "other", "in", "alike in", "similarity")))
    return int(report.blocks)


def diff(workspace: _Ws, old: _Dataset, new: _Dataset, as_json: _Json = False) -> None:
    """Print what was added, removed, flipped, made stronger or weaker, and moved."""
    with open_workspace(workspace, read_only=True) as app:
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


def _local(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_ms / 1000))


def _key(dataset: str) -> int | str:
    key = as_id(dataset)
    return dataset if key is None else key


def _plain(version: DatasetVersion) -> dict[str, object]:
    return {
        "id": version.id,
        "title": version.title,
        "root_sha256": version.root_sha256,
        "policy": version.policy.to_plain(),
        "counts": dict(version.counts),
        "left_out": _left_out(version.left_out),
        "rubrics": list(version.rubric_titles),
        "changesets": list(version.changesets),
        "created_ms": version.created_ms,
    }


def _left_out(entries: Iterable[LeftOut]) -> list[dict[str, object]]:
    return [{"reason": entry.reason, "count": entry.count} for entry in entries]


def _say_counts(counts: Mapping[str, int], left_out: Iterable[LeftOut]) -> None:
    for key, count in counts.items():
        say(f"{count:8}  {key}")
    for entry in left_out:
        say(f"{entry.count:8}  left out: {entry.reason}")
    if words := adjudicated_words(counts):
        say(words)

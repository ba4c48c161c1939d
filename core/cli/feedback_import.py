"""``feedback import``: events from a file, or what an import would do with each record."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.feedback_words import read_consent
from core.cli.output import say, say_json
from core.cli.workspace_access import open_workspace
from core.domain.consent import SCOPES
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.feedback import KINDS
from core.domain.pair_table import CONSENTS

if TYPE_CHECKING:
    from core.services.feedback.service import FeedbackForecast


def import_file(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    file: Annotated[Path, typer.Argument(help="File of events, also packed.")],
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="WORD=KIND", help=f"Kind of a word: {', '.join(KINDS)}, skip; repeatable."),
    ] = None,
    default_kind: Annotated[str, typer.Option(help="Kind of records that name none.")] = "",
    thumbs: Annotated[
        list[str] | None, typer.Option("--thumb", metavar="WORD=SIDE", help="What a thumb means: up or down.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help="What a column is; repeatable.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of the text; found out when left out.")] = "",
    name: Annotated[str, typer.Option(help="Name of the source; the file's name when left out.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the data.")] = "",
    consent: Annotated[str, typer.Option(help=f"What the authors agreed to: {', '.join(CONSENTS)}.")] = "unknown",
    scope: Annotated[str, typer.Option(help=f"What a granted consent covers: {', '.join(SCOPES)}.")] = "all",
    until: Annotated[
        str, typer.Option(help="Day from which on a granted consent counts as withdrawn: 2027-05-31.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what becomes of each record.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Import events. Exit code 2 when the file leaves open which kind an event is; nothing is stored then."""
    from core.services.feedback.service import FeedbackChoices, report_words

    choices = FeedbackChoices(
        kinds=_words("--kind", kinds), default_kind=default_kind, thumbs=_words("--thumb", thumbs),
        columns=_words("--map", columns), encoding=encoding,
    )  # fmt: skip
    given = read_consent(consent, scope, until)
    if dry_run:
        with open_workspace(workspace, read_only=True) as app:
            _say_forecast(app.feedback.forecast(file, choices, consent=given), as_json)
        return
    with open_workspace(workspace) as app:
        report = app.feedback.import_file(file, choices, name=name, licence=licence, consent=given).value
    if as_json:
        say_json(dataclasses.asdict(report))
        return
    say(report_words(report))
    for reason, count in report.reasons.items():
        say(f"{count:8}  rejected: {reason}")
    if report.rejects_path:
        say(f"The rejected records are listed in {report.rejects_path}")
    if report.unused:
        say(f"Not used: {', '.join(report.unused)}")
    say(f"Source {report.source_name!r}. Events wait in `feedback list`.")


def _say_forecast(found: FeedbackForecast, as_json: bool) -> None:
    if as_json:
        plain = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
        first = [one.to_plain() for one in found.first]
        rejects = [{"line": one.line, "reason": one.reason} for one in found.rejects]
        say_json({**plain, "first": first, "rejects": rejects, "adds_up": found.adds_up})
        return
    say(f"{counted(found.rows, 'record')}: {found.new:,} new, {found.known:,} known, {found.rejected:,} rejected.")
    for kind, count in found.kinds.items():
        say(f"{count:8}  new: {kind}")
    for reason, count in found.reasons.items():
        say(f"{count:8}  rejected: {reason}")
    if found.unused:
        say(f"Not used: {', '.join(found.unused)}")
    say("Nothing was stored.")


def _words(option: str, words: list[str] | None) -> dict[str, str]:
    found = {}
    for word in words or []:
        name, equals, value = word.rpartition("=")
        if not equals or not value:
            raise UsageError(f"{option} {word!r} is no NAME=VALUE.", f"Write for example {option} x=y.")
        found[name] = value
    return found

"""``consent``: what sources, reviewers, events and pairs agreed to, and what a withdrawal touches."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.feedback_words import read_consent
from core.cli.output import as_id, say, say_json, table
from core.cli.people import reviewer_id
from core.cli.replacing import Replace
from core.cli.workspace_access import open_workspace
from core.domain.consent import SCOPES, date_ms, date_text
from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError

if TYPE_CHECKING:
    from core.services.application import Application
    from core.services.feedback.consent import Affected, StatedConsent

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Source = Annotated[str, typer.Option(help="Name or number of a source.")]
_Reviewer = Annotated[str, typer.Option(help="Name or number of a reviewer.")]
_Event = Annotated[int, typer.Option("--event", "--feedback", min=0, help="Number of a feedback event.")]
_Pair = Annotated[int, typer.Option(min=0, help="Number of a pair.")]
_By = Annotated[str, typer.Option("--by", help="Your name among the reviewers.")]
_Reason = Annotated[str, typer.Option(help="Why, or where it is written.")]
_On = Annotated[str, typer.Option("--on", help="Day on which it was said; today when left out.")]


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="Consent: `consent list WS`, grant, withdraw, affected.")
    group.command("list", help="List what was stated, and how it counts now.")(list_stated)
    group.command("grant", help="State that consent was granted, for which use and until when.")(grant)
    group.command("withdraw", help="Withdraw a consent, and see what holds it.")(withdraw)
    group.command("proof", help="What each dataset version holds, before and after a withdrawal.")(proof)
    group.command("check", help="Check the file of a proof: whether all that it says is still so.")(check)
    group.command("affected", help="See what a withdrawal would touch; nothing is changed.")(show_affected)
    return group


def list_stated(workspace: _Ws, as_json: _Json = False) -> None:
    """List the consent of every source and person, and of events and pairs of which one was stated."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.consent.list()
    if as_json:
        say_json([_plain(one) for one in found])
    elif not found:
        say("Nothing was stated yet: there are no sources.")
    else:
        say(
            table(
                [_row(one) for one in found], ("of", "id", "name", "consent", "scope", "until", "counts as", "licence")
            )
        )


def grant(
    workspace: _Ws,
    source: _Source = "",
    reviewer: _Reviewer = "",
    event: _Event = 0,
    pair: _Pair = 0,
    scope: Annotated[str, typer.Option(help=f"What it covers: {', '.join(SCOPES)}.")] = "all",
    until: Annotated[str, typer.Option(help="Day from which on it counts as withdrawn: 2027-05-31.")] = "",
    on: _On = "",
    by: _By = "",
    reason: _Reason = "",
    as_json: _Json = False,
) -> None:
    """State a granted consent."""
    consent = dataclasses.replace(read_consent("granted", scope, until), given_ms=_day(on))
    with open_workspace(workspace) as app:
        subject, key = _subject(app, source, reviewer, event, pair)
        who = reviewer_id(app, by) if by else None
        stated = app.consent.state(subject, key, consent, by=who, reason=reason).value
    say_json(_plain(stated)) if as_json else say(f"Consent for {stated.name}: {_words(stated)}.")


def withdraw(
    workspace: _Ws,
    source: _Source = "",
    reviewer: _Reviewer = "",
    event: _Event = 0,
    pair: _Pair = 0,
    on: _On = "",
    by: _By = "",
    reason: _Reason = "",
    as_json: _Json = False,
) -> None:
    """Withdraw a consent. Frozen versions and runs stay; the next freeze leaves out exactly what is listed."""
    day = _day(on)
    with open_workspace(workspace) as app:
        subject, key = _subject(app, source, reviewer, event, pair)
        who = reviewer_id(app, by) if by else None
        done = app.consent.withdraw(subject, key, by=who, reason=reason, given_ms=day).value
    if as_json:
        say_json({**_plain(done.stated), "affected": dataclasses.asdict(done.affected)})
        return
    say(f"Consent for {done.stated.name} is withdrawn. The next freeze leaves out what it covers.")
    _say_affected(done.affected)


def show_affected(
    workspace: _Ws,
    source: _Source = "",
    reviewer: _Reviewer = "",
    event: _Event = 0,
    pair: _Pair = 0,
    as_json: _Json = False,
) -> None:
    """List the dataset versions, runs and releases that hold what a subject gave."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.consent.affected(*_subject(app, source, reviewer, event, pair))
    say_json(dataclasses.asdict(found)) if as_json else _say_affected(found)


def proof(
    workspace: _Ws,
    source: _Source = "",
    reviewer: _Reviewer = "",
    event: _Event = 0,
    pair: _Pair = 0,
    out: Annotated[Path | None, typer.Option(help="Write the proof to this file; `consent check` reads it.")] = None,
    replace: Replace = False,
    as_json: _Json = False,
) -> None:
    """Prove a withdrawal: count what each frozen version holds of a subject; exit code 1 where a later one has some."""
    with open_workspace(workspace, read_only=True) as app:
        subject, key = _subject(app, source, reviewer, event, pair)
        consent = app.consent
        found = consent.proof(subject, key) if out is None else consent.write_proof(subject, key, out, replace=replace)
    if as_json:
        say_json(found.to_plain())
    else:
        say(found.sentence())
        for when, versions in (("before", found.before), ("after", found.after)):
            for one in versions:
                say(f"  {when}: {one.title} has {counted(one.held, found.unit)}, root {one.root_sha256[:12]}")
    if found.after and not found.holds:
        raise typer.Exit(1)


def check(
    workspace: _Ws,
    file: Annotated[Path, typer.Argument(help="File of `consent proof --out`.")],
    as_json: _Json = False,
) -> int:
    """Count again what the file says of each dataset version; exit code 0 where all is so."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.consent.check_proof(file)
    if as_json:
        say_json({"event": "checked", "ok": not found, "problems": found})
    else:
        for line in found or ["Everything that the proof says is so."]:
            say(line)
    return 1 if found else 0


def _subject(app: Application, source: str, reviewer: str, event: int, pair: int) -> tuple[str, int]:
    """Return which subject the options name: exactly one."""
    named = [(k, v) for k, v in (("source", source), ("reviewer", reviewer), ("feedback", event), ("pair", pair)) if v]
    if len(named) != 1:
        raise UsageError(
            "Whose consent is meant must be said once.", "Name one of --source, --reviewer, --event and --pair."
        )
    ((subject, wanted),) = named
    if isinstance(wanted, str) and (number := as_id(wanted)) is not None:
        wanted = number
    return subject, app.consent.key_of(subject, wanted)


def _day(text: str) -> int | None:
    try:
        return date_ms(text) if text else None
    except BadInput as error:
        raise UsageError(error.message, error.hint) from error


def _plain(one: StatedConsent) -> dict[str, object]:
    return {
        "subject": one.subject,
        "id": one.subject_id,
        "name": one.name,
        **one.consent.to_plain(),
        "effective": one.effective,
        "licence": one.licence,
    }


def _row(one: StatedConsent) -> list[str]:
    until = "" if one.consent.expires_ms is None else date_text(one.consent.expires_ms)
    return [
        one.subject,
        str(one.subject_id),
        one.name,
        one.consent.word,
        one.consent.scope,
        until,
        one.effective,
        one.licence,
    ]


def _words(one: StatedConsent) -> str:
    until = "" if one.consent.expires_ms is None else f" until {date_text(one.consent.expires_ms)}"
    return f"{one.consent.word} for {one.consent.scope}{until}"


def _say_affected(found: Affected) -> None:
    say(found.sentence())
    for version in found.versions:
        say(f"  {version.title}: {version.train} train, {version.dev} dev, {version.test} test")
    for run in found.runs:
        held = counted(run.pairs, "pair") if run.pairs else "its pairs cannot be read"
        say(f"  run {run.name} ({run.run_id}) on {run.dataset}: {held}")
    for release in found.releases:
        say(f"  release {release}")

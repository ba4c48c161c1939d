"""``feedback``: what people said of a policy, from import to a changeset.

Imports inside a function load the workspace libraries, which no other command may need.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from core.cli import changesets
from core.cli.default_group import DefaultGroup
from core.cli.feedback_import import import_file
from core.cli.feedback_send import send
from core.cli.feedback_words import headline, plain, read_consent, state_words
from core.cli.output import as_id, say, say_json, table
from core.cli.people import By, reviewer_id
from core.cli.workspace_access import open_workspace
from core.domain.consent import OTHER_USE, SCOPES, date_ms, date_text
from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError
from core.domain.feedback import DECISIONS, KINDS, FeedbackContent, FeedbackCounts, FeedbackKind
from core.domain.pair_table import CONSENTS
from core.domain.suite import Expected

if TYPE_CHECKING:
    from core.services.application import Application
    from core.services.feedback.triage import Triaged

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_Events = Annotated[list[int] | None, typer.Argument(help="Numbers of events.", metavar="EVENT...")]
_Consent = Annotated[str, typer.Option(help=f"What the authors agreed to: {', '.join(CONSENTS)}.")]
_Scope = Annotated[str, typer.Option(help=f"What a granted consent covers: {', '.join(SCOPES)}.")]
_Until = Annotated[str, typer.Option(help="Day from which on a granted consent counts as withdrawn: 2027-05-31.")]
_STATES = ("open", "triaged", "rejected", "waiting")
_TARGETS = ("label", "rubric", "suite", "reject")
_WIDTH = 60
_CONSENT_WORDS = (*CONSENTS, OTHER_USE)


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="What people said of a policy: import, list, triage, changesets.")
    group.command("list", help="List events and count them by state.")(list_events)
    group.command("counts", help="How many events there are in each state and of each kind.")(counts)
    group.command("import", help="Import events from JSONL, JSON or CSV; a second import adds nothing.")(import_file)
    group.command("add", help="Add one event that is typed in.")(add)
    group.command("send", help="Add an event about an answer of an evaluation or a run.")(send)
    group.command("show", help="Show one event with every decision about it.")(show)
    group.command("triage", help="Decide about events: label, rubric, suite, reject; or undo.")(triage)
    group.command("shift", help="How far the prompts of feedback are from training and suites.")(shift)
    group.add_typer(changesets.build(), name="changeset", cls=DefaultGroup)
    return group


def add(
    workspace: _Ws,
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")],
    prompt: Annotated[str, typer.Option(help="What was asked.")] = "",
    answer: Annotated[str, typer.Option(help="What the policy answered.")] = "",
    better: Annotated[str, typer.Option(help="The answer that is wanted instead, of a correction.")] = "",
    thumb: Annotated[str, typer.Option(help="up or down, of thumbs.")] = "",
    note: Annotated[str, typer.Option(help="What the author wrote.")] = "",
    author: Annotated[str, typer.Option(help="A pseudonym.")] = "",
    release: Annotated[str, typer.Option(help="Release whose policy answered.")] = "",
    run: Annotated[str, typer.Option(help="Run whose policy answered.")] = "",
    category: Annotated[str, typer.Option(help="For slices.")] = "",
    language: Annotated[str, typer.Option(help="For slices.")] = "",
    at: Annotated[str, typer.Option(help="When it was said: a date or time.")] = "",
    consent: _Consent = "unknown",
    scope: _Scope = "all",
    until: _Until = "",
    as_json: _Json = False,
) -> None:
    """Add an event; the same words again are the event that is there."""
    if thumb not in ("", "up", "down"):
        raise UsageError(f"The thumb cannot be {thumb!r}.", "Use up or down.")
    try:
        content = FeedbackContent(
            kind=cast(FeedbackKind, kind), prompt=Prompt.from_text(prompt) if prompt else None, answer=answer,
            better=better, thumb={"": None, "up": 1, "down": -1}[thumb], note=note, author=author, release=release,
            run=run, said_ms=date_ms(at) if at else None, category=category, language=language,
        )  # fmt: skip
    except BadInput as error:
        raise UsageError(error.message, error.hint) from error
    given = read_consent(consent, scope, until)
    with open_workspace(workspace) as app:
        event = app.feedback.add(content, given).value
    say_json(plain(event)) if as_json else say(f"Event {event.id}: {event.kind}, {event.state}")


def list_events(
    workspace: _Ws,
    state: Annotated[str, typer.Option(help=f"Only these: {', '.join(_STATES)}.")] = "",
    kind: Annotated[str, typer.Option(help=f"Only these: {', '.join(KINDS)}.")] = "",
    decided: Annotated[str, typer.Option("--to", help=f"By the newest decision: {', '.join(DECISIONS)}.")] = "",
    consent: Annotated[str, typer.Option(help=f"Only these, as it counts now: {', '.join(_CONSENT_WORDS)}.")] = "",
    release: Annotated[str, typer.Option(help="Only those about this release.")] = "",
    find: Annotated[str, typer.Option(help="Only those with all these words in their texts.")] = "",
    after: Annotated[int, typer.Option(help="Continue behind this event.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    as_json: _Json = False,
) -> None:
    """List events, oldest first. Change requests for rubrics are those with --to rubric."""
    for option, said, allowed in (
        ("--state", state, _STATES), ("--kind", kind, KINDS), ("--to", decided, DECISIONS),
        ("--consent", consent, _CONSENT_WORDS),
    ):  # fmt: skip
        if said and said not in allowed:
            raise UsageError(f"{option} cannot be {said!r}.", f"Use one of {', '.join(allowed)}.")
    from core.services.feedback.service import FeedbackFilter

    with open_workspace(workspace, read_only=True) as app:
        found = app.feedback.counts()
        wanted = FeedbackFilter(
            state, kind, decided, after=after, limit=limit, release=release, consent=consent, text=find
        )
        events = app.feedback.list(wanted)
    if as_json:
        say_json([*map(plain, events)])
        return
    rows = [
        [str(e.id), e.kind, _short(headline(e)), "withdrawn" if e.withdrawn else e.consent.word, state_words(e)]
        for e in events
    ]
    say(table(rows, ("id", "kind", "text", "consent", "state"))) if rows else say("No events.")
    say(_count_words(found))


def counts(workspace: _Ws, as_json: _Json = False) -> None:
    """Print how many events are in each state, of each kind, and with each consent."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.feedback.counts()
    if as_json:
        say_json({**dataclasses.asdict(found), "adds_up": found.adds_up})
        return
    say(_count_words(found))
    for words, by_value in (("kind", found.kinds), ("consent", found.consents)):
        say(f"by {words}: {', '.join(f'{n:,} {value}' for value, n in by_value.items()) or 'none'}")


def _count_words(counts: FeedbackCounts) -> str:
    return (
        f"{counted(counts.events, 'event')}: {counts.open:,} open, {counts.triaged:,} triaged "
        f"({counts.waiting:,} wait for a second answer), {counts.rejected:,} rejected; "
        f"consent withdrawn for {counts.withdrawn:,}."
    )


def show(
    workspace: _Ws, event: Annotated[int, typer.Argument(help="Number of the event.")], as_json: _Json = False
) -> None:
    """Print one event and the log of its decisions."""
    with open_workspace(workspace, read_only=True) as app:
        found, history = app.feedback.get(event), app.feedback.history(event)
    if as_json:
        say_json({**plain(found), "history": [dataclasses.asdict(one) for one in history]})
        return
    say(f"Event {found.id}: {found.kind}, {state_words(found)}; source {found.source}, consent {found.consent.word}")
    for name, value in (
        found.content.to_plain() if found.content else {"text": "removed: consent is withdrawn"}
    ).items():
        say(f"  {name}: {value}")
    for one in history:
        say(f"{date_text(one.at_ms)}  {one.op}  {one.by}  {one.reason}".rstrip())


def triage(
    workspace: _Ws,
    events: _Events = None,
    to: Annotated[str, typer.Option(help=f"What becomes of them: {', '.join(_TARGETS)}.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take the newest decision about each back.")] = False,
    by: By = "",
    reason: Annotated[str, typer.Option(help="Why; a rejection needs one.")] = "",
    rubric: Annotated[str, typer.Option(help="With --to rubric: which one.")] = "",
    suite: Annotated[str, typer.Option(help="With --to suite: name of the suite; attacks when left out.")] = "",
    expect: Annotated[
        str, typer.Option(help="With --to suite: what a good answer does (refuse, comply, open); refuse for attacks.")
    ] = "",
    answer: Annotated[str, typer.Option(help="With --to label: a second answer, for one event.")] = "",
    batch: Annotated[str, typer.Option(help="With --to label: name of the labelling batch.")] = "",
    attacks: Annotated[
        bool, typer.Option("--attacks", help="With --to label: also attacks; their pairs carry a mark.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Decide about events; all of one call are decided, or none."""
    if undo == bool(to):
        raise UsageError("Say what becomes of the events.", f"--to {', '.join(_TARGETS)}; or --undo.")
    if to and to not in _TARGETS:
        raise UsageError(f"Events cannot go to {to!r}.", f"Use one of {', '.join(_TARGETS)}.")
    if expect and expect not in ("refuse", "comply", "open"):
        raise UsageError(f"A suite cannot expect {expect!r} of feedback.", "Use refuse, comply or open.")
    assert not expect or expect in get_args(Expected)
    for option, said, needed in (
        ("--rubric", rubric, "rubric"), ("--suite", suite, "suite"), ("--expect", expect, "suite"),
        ("--answer", answer, "label"), ("--batch", batch, "label"), ("--attacks", attacks, "label"),
    ):  # fmt: skip
        if said and to != needed:
            raise UsageError(f"{option} belongs to --to {needed}.", "Leave it out.")
    if to == "rubric" and not rubric:
        raise UsageError("Which rubric is to change is not said.", "Say it: --rubric NAME.")
    ids = events or []
    with open_workspace(workspace) as app:
        for id_ in ids:
            app.feedback.get(id_)
        who = reviewer_id(app, by)
        if undo:
            done = app.triage.undo(ids, who, reason=reason)
        elif to == "label":
            done = app.triage.to_labelling(ids, who, reason=reason, answer=answer, batch=batch, attacks=attacks)
        elif to == "rubric":
            done = app.triage.to_rubric(ids, who, rubric, reason=reason)
        elif to == "suite":
            wanted = cast("Expected | None", expect or None)
            done = app.triage.to_suite(ids, who, suite or "attacks", expected=wanted, reason=reason)
        else:
            done = app.triage.reject(ids, who, reason)
        _say_decided(app, done.value, as_json)


def shift(
    workspace: _Ws,
    dataset: Annotated[str, typer.Option(help="Dataset version to compare with; the newest when left out.")] = "",
    suites: Annotated[list[str] | None, typer.Option("--suite", help="Suite to compare with; repeatable.")] = None,
    as_json: _Json = False,
) -> None:
    """Compare lengths, languages and categories of prompts, two collections at a time."""
    key = as_id(dataset) if dataset else None
    with open_workspace(workspace, read_only=True) as app:
        report = app.feedback_shift.report(key if key is not None else dataset or None, suites or ())
    if as_json:
        say_json(report.to_plain())
        return
    for line in report.lines():
        say(line)


def _say_decided(app: Application, done: Triaged, as_json: bool) -> None:
    counts = app.feedback.counts()
    if as_json:
        events = [plain(event) for event in done.events]
        say_json({"events": events, "notes": list(done.notes), "counts": dataclasses.asdict(counts)})
        return
    for event in done.events:
        say(f"Event {event.id}: {state_words(event)}")
    for note in done.notes:
        say(note)
    say(f"{counts.open:,} of {counted(counts.events, 'event')} open.")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…"

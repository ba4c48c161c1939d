"""``gate``, ``failures``, ``release``, ``contract``: decide on an evaluation and release its policy."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import say, say_json, say_note, table
from core.cli.people import By, reviewer_id
from core.cli.workspace_access import open_workspace
from core.domain.errors import UsageError
from core.domain.gate_limits import GateLimits
from core.domain.release_gate import STATE_WORDS, GateDecision
from core.runs.evaluations.lines import evaluation_line
from core.services.models.export import FORMS, ExportForm
from core.services.releases.verifying import verify_contract

if TYPE_CHECKING:
    from core.services.releases.failures import QueuedFailure

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Evaluation = Annotated[str, typer.Argument(help="Id, beginning of an id, or name of the evaluation.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("gate", help="Say whether an evaluation carries a release, and why; exit 0 only where it passed.")(gate)
    app.command("failures", help="The failure queue of an evaluation: open, tag, send.")(failures)
    app.command("release", help="Write the release of an evaluated policy into a new folder.")(release)


def build_contract() -> typer.Typer:
    """Return the command group of contracts."""
    group = typer.Typer(help="The contract of a release: `contract verify OUT`.")
    group.callback()(_contracts)
    group.command("verify", help="Measure a release again and say by how much each number differs.")(verify)
    return group


def _contracts() -> None:
    """Commands on the folder of a release; no workspace is needed."""


def gate(
    workspace: _Ws,
    evaluation: _Evaluation,
    approver: Annotated[str, typer.Option(help="Who would approve the release.")] = "",
    most_seconds: Annotated[float, typer.Option(help="Limit of seconds an answer; 0 for none.", min=0)] = 0.0,
    most_memory: Annotated[float, typer.Option(help="Limit of memory in GiB; 0 for none.", min=0)] = 0.0,
    as_json: _Json = False,
) -> int:
    """Print every check with its state and reason, and the outcome."""
    limits = GateLimits(answer_seconds=most_seconds, memory_gib=most_memory)
    with open_workspace(workspace, read_only=True) as app:
        decision = app.releases.gate(evaluation, approver=approver, limits=limits)
    if as_json:
        say_json({"event": "gate", **decision.to_plain()})
    else:
        _show_gate(decision)
    return 0 if decision.outcome == "passed" else 1


def _show_gate(decision: GateDecision) -> None:
    rows = [[check.group, check.title, STATE_WORDS[check.state], check.reason] for check in decision.checks]
    say(table(rows, ("group", "check", "state", "reason")))
    for check in decision.checks:
        if check.needed:
            say(f"{check.title}: {check.needed}")
    say(f"Outcome: {STATE_WORDS[decision.outcome]}")


def failures(
    workspace: _Ws,
    evaluation: _Evaluation,
    open_: Annotated[str, typer.Option("--open", help="Note that you opened this failure.")] = "",
    tag: Annotated[str, typer.Option(help="KEY=TAG: policy, label, rubric, suite, detector or accepted.")] = "",
    send: Annotated[str, typer.Option(help="KEY=PLACE: annotate, rubric or dataset.")] = "",
    note: Annotated[str, typer.Option(help="Note with the tag.")] = "",
    rubric: Annotated[str, typer.Option(help="Rubric that a failure is sent to.")] = "",
    by: By = "",
    as_json: _Json = False,
) -> None:
    """Print the queue, the worst of each rule first; with --open, --tag or --send note what you did before."""
    writes = bool(open_ or tag or send)
    with open_workspace(workspace, read_only=not writes) as app:
        queue, folder = app.releases.failures, app.releases.find(evaluation)
        person = reviewer_id(app, by) if writes else 0
        if open_:
            queue.open(folder, open_, person)
        if tag:
            key, word = _split(tag)
            queue.tag(folder, key, person, word, note)
        if send:
            key, place = _split(send)
            for sentence in queue.send(folder, key, person, place, rubric).value.notes:
                say_note(sentence)
        found = queue.queue(folder)
    if as_json:
        say_json([_plain(one) for one in found])
        return
    rows = [[one.failure.key, f"{one.failure.severity:.3g}", ", ".join(one.opened_by), one.tag] for one in found]
    say(table(rows, ("failure", "severity", "opened by", "tag")) if rows else "The failure queue is empty.")
    say(f"{sum(one.done for one in found)} of {len(found)} opened and tagged.")


def _split(word: str) -> tuple[str, str]:
    key, sign, value = word.rpartition("=")
    if not sign or not key:
        raise UsageError(f"{word!r} is not KEY=VALUE.", "Write the key of a failure, then = and the word.")
    return key, value


def _plain(one: QueuedFailure) -> dict[str, object]:
    own = dataclasses.asdict(one.failure)
    return {"key": one.failure.key, **own, "opened_by": list(one.opened_by), "tag": one.tag, "sent": list(one.sent)}


def release(
    workspace: _Ws,
    evaluation: _Evaluation,
    out: Annotated[Path, typer.Argument(help="New folder to write.")],
    approver: Annotated[str, typer.Option(help="Who approves it; not who ran the evaluation.")] = "",
    name: Annotated[str, typer.Option(help="What the release is called.")] = "",
    form: Annotated[list[str] | None, typer.Option(help="adapter (the default), merged or gguf; many times.")] = None,
    threshold: Annotated[list[str] | None, typer.Option(help="Threshold it is used with; many times.")] = None,
    despite: Annotated[str, typer.Option(help="Why it is released although the gate did not pass.")] = "",
    as_json: _Json = False,
) -> None:
    """Write adapter, contract, cards, report and evidence, and note the release."""
    forms = form or ["adapter"]
    if unknown := [one for one in forms if one not in FORMS]:
        raise UsageError(f"A release has no form {unknown[0]!r}.", f"Use one of: {', '.join(FORMS)}.")
    known: tuple[ExportForm, ...] = tuple(one for one in FORMS if one in forms)
    with open_workspace(workspace) as app:
        from core.services.releases.views import ReleaseRequest

        request = ReleaseRequest(evaluation, out, approver, name, known, tuple(threshold or ()), despite)
        made = app.releases.make(request).value
    if as_json:
        say_json({"event": "release", **made.to_plain()})
        return
    say(f"Released {made.name} ({made.release_id}) to {made.folder}")
    if made.despite:
        say(f"Despite the gate: {made.despite}")


def verify(
    out: Annotated[Path, typer.Argument(help="Folder of the release.")],
    run: Annotated[Path | None, typer.Option(help="Where the run of the release lies now.")] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="A copy of its workspace: runs, models and sealed tests are taken from it.")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Largest |delta| that counts as equal.", min=0.0)] = 0.0,
    as_json: _Json = False,
) -> int:
    """Check every file of a release, measure it again, and print max |delta| of each number."""

    def show(event: object) -> None:
        if not as_json and (line := evaluation_line(event)):
            say(line)

    found = verify_contract(out, run_dir=run, workspace=workspace, on_event=show)
    equal = found.largest <= tolerance
    if as_json:
        say_json({"event": "verified", "ok": equal, **found.to_plain()})
    else:
        say(found.status)
        say(found.sentence())
        for line in found.costs.sentences():
            say(line)
    return 0 if equal else 1

"""``inspect-prompt``: one prompt under the policy of a run and its reference, token by token, with samples of both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.evaluations import run_of
from core.cli.output import escaped, say, say_json, say_note, short_line, table
from core.cli.run_settings import read_changes
from core.cli.workspace_access import open_workspace
from core.domain.conversation import Message, Prompt
from core.domain.counting import counted, verb
from core.domain.errors import UsageError
from core.domain.number_text import estimate_text
from core.domain.prompt_inspection import (
    GivenAnswer,
    InspectedAnswer,
    InspectedToken,
    InspectionRequest,
    PromptInspection,
)
from core.runs.event_lines import finite
from core.runs.folder import RunFolder
from core.services.evaluations.one_prompt import Progress, inspect_of_run

_SHOWN = 8
"""Tokens of an answer that the table lists; JSON has all of them."""
_CUT = 160


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("inspect-prompt")(inspect)


def inspect(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder, or a run folder alone.")],
    run: Annotated[str, typer.Argument(help="Run of the workspace: its id, name or folder.")] = "",
    prompt: Annotated[str, typer.Option(help="What is asked, as one user turn.")] = "",
    item: Annotated[str, typer.Option(help="SUITE/ID in place of a prompt; dev/ID is a held-out pair.")] = "",
    system: Annotated[str, typer.Option(help="System prompt before --prompt.")] = "",
    answers: Annotated[
        list[str] | None, typer.Option("--answer", help="An answer to look at beside the samples; many times.")
    ] = None,
    samples: Annotated[int, typer.Option("--k", help="Samples of policy and of reference.", min=0)] = 4,
    top: Annotated[int, typer.Option(help="Likeliest tokens of each model that are named at each place.", min=0)] = 5,
    nearest: Annotated[int, typer.Option(help="Training pairs with the likest prompts.", min=0)] = 5,
    checkpoint: Annotated[int, typer.Option(help="Step of the checkpoint; 0 is the run's result.", min=0)] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of `evaluate --settings`, many times.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines, with every token.")] = False,
) -> None:
    """Show what policy and reference say to one prompt, which tokens training moved, and the nearest training pairs."""
    if system and not prompt:
        raise UsageError("A system prompt stands before --prompt.", "Give --prompt too.")
    place, run_dir = run_of(workspace, run)
    given = [
        GivenAnswer(f"answer {number}" if len(answers or ()) > 1 else "answer", text)
        for number, text in enumerate(answers or (), 1)
    ]
    request = InspectionRequest(
        str(run_dir), _prompt(prompt, system), item, given, samples, top, nearest, checkpoint,
        read_changes(settings or []),
    )  # fmt: skip
    found = _found(place, run_dir, request, None if as_json else say_progress)
    if as_json:
        say_json({"event": "inspection", **finite(found.to_plain())})
    else:
        _show(found)


def _found(
    place: Path | None, run_dir: Path, request: InspectionRequest, on_progress: Progress | None
) -> PromptInspection:
    if place is None:
        return inspect_of_run(RunFolder(run_dir), request, on_progress=on_progress)
    with open_workspace(place, read_only=True) as app:
        return app.prompts.inspect(request, on_progress=on_progress)


def _prompt(text: str, system: str) -> Prompt | None:
    if not text:
        return None
    return Prompt((*([Message("system", system)] if system else []), Message("user", text)))


def say_progress(done: int, total: int, text: str) -> None:
    """Print how far a child process is."""
    say_note(f"{done} of {total}: {text}")


def _show(found: PromptInspection) -> None:
    for turn in found.prompt.messages:
        say(f"{turn.role}: {short_line(turn.content, _CUT)}")
    if found.dropped_turns:
        n = found.dropped_turns
        say(f"{counted(n, 'turn')} at the beginning {verb(n, 'does', 'do')} not fit: left out.")
    say(f"{found.run['name']}; {found.settings}; at most {found.horizon} tokens")
    for answer in found.answers:
        _show_answer(answer, found.beta)
    if found.kl is not None:
        say(f"\nKL(policy || reference): {estimate_text(found.kl)}, {found.kl.estimator}")
    if found.searched:
        say(f"\nnearest of {counted(found.searched, 'training pair')} by the words of the prompt:")
        rows = [[pair.pair_id[:12], f"{pair.similarity:.2f}", short_line(pair.prompt, _CUT)] for pair in found.nearest]
        say(table(rows, ("pair", "likeness", "prompt")) if rows else "none has a word in common with it")
    for note in found.notes:
        say(f"note: {note}")


def _show_answer(answer: InspectedAnswer, beta: float) -> None:
    seed = "" if answer.seed is None else f", seed {answer.seed}"
    end = "" if answer.finished else ", cut"
    say(f"\n{answer.author}, {answer.name} ({counted(len(answer.tokens), 'token')}{end}{seed})")
    say(f"  {short_line(answer.text, _CUT)}")
    say(
        f"  log-prob {answer.policy:.2f} under the policy, {answer.reference:.2f} under the reference; displacement "
        f"{answer.displacement:+.2f} nats, implicit reward {beta * answer.displacement:+.3f}; "
        f"token KL {answer.kl:.2f} nats"
    )
    rows = [_row(at, token) for at, token in sorted(answer.most_changed(_SHOWN))]
    head = ("  at", "token", "policy", "reference", "change", "rank", "entropy", "likeliest, policy / reference")
    say(table(rows, head))


def _row(at: int, token: InspectedToken) -> list[str]:
    best = [
        max(token.likely, key=lambda one: one.policy, default=None),
        max(token.likely, key=lambda one: one.reference, default=None),
    ]
    return [
        f"  {at + 1}",
        _quoted(token.text),
        f"{token.policy:.2f}",
        f"{token.reference:.2f}",
        f"{token.displacement:+.2f}",
        f"{token.policy_rank} / {token.reference_rank}",
        f"{token.policy_entropy:.2f} / {token.reference_entropy:.2f}",
        " / ".join("" if one is None else _quoted(one.text) for one in best),
    ]


def _quoted(text: str) -> str:
    """Return a token so that its blanks are seen."""
    return f"'{escaped(text)}'"

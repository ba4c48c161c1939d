"""``feedback send``: an event about an answer that a policy gave in an evaluation, or as a sample of its run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from core.cli.feedback_words import plain, read_consent
from core.cli.output import say, say_json, short_line, table
from core.cli.workspace_access import open_workspace
from core.domain.errors import BadInput, UsageError
from core.domain.feedback import KINDS, FeedbackKind


def send(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}; left out, the answers are listed.")] = "",
    evaluation: Annotated[str, typer.Option(help="Evaluation in which the policy answered.")] = "",
    suite: Annotated[str, typer.Option(help="Its suite; the first open one when left out.")] = "",
    arm: Annotated[str, typer.Option(help="Its arm; the first policy when left out.")] = "",
    run: Annotated[str, typer.Option(help="Run whose samples are meant, in place of an evaluation.")] = "",
    step: Annotated[int | None, typer.Option(help="Step of the samples; the newest when left out.")] = None,
    item: Annotated[str, typer.Option(help="Item of the suite, or pair of the sample.")] = "",
    better: Annotated[str, typer.Option(help="The answer that is wanted instead, of a correction.")] = "",
    thumb: Annotated[str, typer.Option(help="up or down, of thumbs.")] = "",
    note: Annotated[str, typer.Option(help="What the author writes.")] = "",
    author: Annotated[str, typer.Option(help="A pseudonym.")] = "",
    consent: Annotated[str, typer.Option(help="What the author agreed to: granted, unknown, withdrawn.")] = "unknown",
    scope: Annotated[str, typer.Option(help="What a granted consent covers: all, training, evaluation.")] = "all",
    until: Annotated[str, typer.Option(help="Day from which on it counts as withdrawn: 2027-05-31.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Add an event about an answer of a policy; it carries run, release and generation record of the answer."""
    if bool(evaluation) == bool(run):
        raise UsageError("Which answers are meant is not said.", "Name one of --evaluation and --run.")
    if thumb not in ("", "up", "down"):
        raise UsageError(f"The thumb cannot be {thumb!r}.", "Use up or down.")
    if kind and not item:
        raise UsageError("Which answer is meant is not said.", "Name it: --item; without a kind they are listed.")
    given = read_consent(consent, scope, until)
    with open_workspace(workspace, read_only=not kind) as app:
        answers = app.policy_answers
        found = answers.of_evaluation(evaluation, suite, arm) if evaluation else answers.of_run(run, step)
        if not kind:
            rows = [
                [one.item, one.place, one.arm, short_line(one.prompt.last_text, 40), short_line(one.answer, 40)]
                for one in found
            ]
            listed = [{"item": one.item, "place": one.place, "arm": one.arm, "answer": one.answer} for one in found]
            say_json(listed) if as_json else say(table(rows, ("item", "of", "arm", "prompt", "answer")))
            return
        try:
            side = {"": None, "up": 1, "down": -1}[thumb]
            content = answers.one(found, item).feedback(
                cast(FeedbackKind, kind), note=note, better=better, thumb=side, author=author
            )
        except BadInput as error:
            raise UsageError(error.message, error.hint) from error
        event = app.feedback.add(content, given).value
    say_json(plain(event)) if as_json else say(f"Event {event.id}: {event.kind}, {event.state}")

"""``adjudicate``: pairs on which reviewers disagree; deciding one of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import say, say_json, table
from core.cli.workspace_access import open_workspace
from core.domain.adjudication import CAUSES, OUTCOMES, DecisionDraft
from core.domain.conflict import RULE
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.judgement import JudgementDraft, Task, Verdict, describe
from core.domain.pair_table import PairFilter

if TYPE_CHECKING:
    from core.services.adjudication.views import ConflictPair
    from core.services.application import Application

_SIDE = re.compile(r"([abAB])\s*([123])")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("adjudicate", help=f"Pairs on which reviewers disagree: --list, or --pair N. {RULE}")(adjudicate)


def adjudicate(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    list_: Annotated[bool, typer.Option("--list", help="List the pairs in conflict, names hidden.")] = False,
    pair: Annotated[int, typer.Option(help="Decide this pair.")] = 0,
    verdict: Annotated[str, typer.Option(help="A1 to A3, B1 to B3, tie, neither: the first pick.")] = "",
    cause: Annotated[str, typer.Option(help=f"Why they disagree: {', '.join(CAUSES)}.")] = "",
    outcome: Annotated[str, typer.Option(help=f"What follows: {', '.join(OUTCOMES)}.")] = "",
    note: Annotated[str, typer.Option(help="Words on the decision.")] = "",
    clause: Annotated[str, typer.Option(help="Clause that a change request is about.")] = "",
    request: Annotated[str, typer.Option(help="What a change request asks for.")] = "",
    by: Annotated[str, typer.Option(metavar="NAME", help="Who decides.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """List the pairs in conflict under the newest version of each rubric, or decide one; votes are never changed."""
    if bool(list_) == bool(pair):
        raise UsageError("Say what to do with the pairs in conflict.", "Use --list, or --pair N to decide one.")
    if list_:
        with open_workspace(workspace, read_only=True) as app:
            found = app.adjudication.conflicts()
        _say_list(found, as_json)
        return
    if not (verdict and cause and outcome and by):
        raise UsageError("A decision needs --verdict, --cause, --outcome and --by.", "See adjudicate --help.")
    draft, said = _draft(verdict), DecisionDraft(cause, outcome, note, clause, request)
    with open_workspace(workspace) as app:
        _decide(app, pair, draft, said, by, as_json)


def _decide(app: Application, pair: int, draft: JudgementDraft, said: DecisionDraft, by: str, as_json: bool) -> None:
    from core.services.annotation.views import QueueSettings  # it loads the database library

    one = next((found for found in app.adjudication.conflicts() if found.pair_id == pair), None)
    if one is None:
        raise NotFound(f"Pair {pair} is not in conflict; nothing was stored.", "See them with: adjudicate WS --list")
    reviewer = app.reviewers.find(by)
    if reviewer is None:
        raise NotFound(f"There is no reviewer {by!r}.", "Add one with: reviewers WS --add NAME")
    if pair not in app.adjudication.picked(reviewer.id, one.version_id):
        asked = PairFilter(pair_ids=(pair,))
        queue = app.annotation.open_queue(QueueSettings(reviewer.id, one.version_id, asked, task=Task.ADJUDICATE))
        shown = next(iter(app.annotation.next(queue)), None)
        if shown is None:
            raise BadInput(
                f"{reviewer.name} cannot decide pair {pair}: it is an own pair, or decided already.",
                "Let somebody else decide, or undo the decision.",
            )
        app.annotation.commit(shown.presentation_uid, draft)
    made = app.adjudication.decide(pair, one.version_id, reviewer.id, said).value
    if as_json:
        say_json({"pair": pair, "rubric": one.rubric, **made.to_plain()})
    else:
        name, effect = OUTCOMES[made.outcome]
        say(f"Pair {pair}: {describe(draft)}. {CAUSES[made.cause]}. {name}: {effect}.")


def _draft(words: str) -> JudgementDraft:
    if match := _SIDE.fullmatch(words.strip()):
        strength = int(match[2])
        return JudgementDraft(Verdict.PREFER, -strength if match[1] in "aA" else strength)
    if words in ("tie", "neither"):
        return JudgementDraft(Verdict(words))
    raise UsageError(f"The verdict cannot be {words!r}.", "Use A1 to A3, B1 to B3, tie or neither.")


def _say_list(found: list[ConflictPair], as_json: bool) -> None:
    if as_json:
        say_json([one.to_plain() for one in found])
        return
    if not found:
        say(f"No pair is in conflict. {RULE}")
        return
    say(table([_row(one) for one in found], ("pair", "state", "rule", "said", "rubric")))
    waiting = sum(one.state == "open" for one in found)
    say(f"{counted(len(found), 'pair')} in conflict, {waiting:,} open.")


def _row(one: ConflictPair) -> list[str]:
    said = "; ".join(f"{label.who} {label.to_plain()['says']}" for label in one.labels)
    state = one.state if one.decision is None else f"{one.state}: {OUTCOMES[one.decision.outcome][0].lower()}"
    return [str(one.pair_id), state, one.conflict.words(), said, one.rubric]

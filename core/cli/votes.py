"""``votes``: ask people blind which of two arms of an evaluation answers better, and count what they say.

Imports inside a function load the workspace libraries, which no other command may need.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import as_id, say, say_json, table
from core.cli.versions import published_version
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted
from core.domain.errors import NotFound, UsageError
from core.domain.estimate import Estimate
from core.domain.votes import MARGIN, MOST_VOTES, VotePlan, VoteRequest, VoteRound

if TYPE_CHECKING:
    from core.services.votes.results import VoteResults

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Evaluation = Annotated[str, typer.Argument(help="Id, beginning of an id, or name of the evaluation.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="Blind votes of people between two arms of an evaluation: ask, list, show, rank.")
    group.command("list", help="List the rounds of votes and how far they are.")(list_rounds)
    group.command("ask", help="Put items into a queue of Annotate, where people vote blind.")(ask)
    group.command("show", help="Show the win rate of a round, its slices, reviewers and agreement.")(show)
    group.command("rank", help="Show the worths of all arms by the rounds together (Davidson's model).")(rank)
    return group


def ask(
    workspace: _Ws,
    evaluation: _Evaluation,
    arm: Annotated[
        list[str] | None, typer.Option(help="Arm to compare; give two. The policy and its reference otherwise.")
    ] = None,
    suite: Annotated[
        list[str] | None, typer.Option(help="Suite; many times. All that are not sealed otherwise.")
    ] = None,
    slice_: Annotated[
        list[str] | None, typer.Option("--slice", metavar="NAME=VALUE", help="Only items of a slice; many times.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Most items, drawn by the seed; 0 takes all.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Draws the items.", min=0)] = 0,
    votes: Annotated[int, typer.Option(help="Votes an item, by different people.", min=1, max=MOST_VOTES)] = 1,
    margin: Annotated[
        float, typer.Option(help="Distance of the win rate from one half that the planned n detects.")
    ] = MARGIN,
    rubric: Annotated[str, typer.Option(help="Published rubric version, or the name of a rubric.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who shows items of a sealed test.")] = "",
    reason: Annotated[str, typer.Option(help="Why items of a sealed test are shown.")] = "",
    dry: Annotated[bool, typer.Option("--plan", help="Only say what would be asked, and what it can detect.")] = False,
    as_json: _Json = False,
) -> None:
    """Plan a round of votes and ask people; asking the same again adds nothing."""
    arms = tuple(arm or ("", ""))
    if len(arms) != 2:
        raise UsageError("Votes compare two arms.", "Give --arm twice, or leave it out for policy and reference.")
    with open_workspace(workspace, read_only=dry) as app:
        request = VoteRequest(
            evaluation, published_version(app, rubric), *arms, tuple(suite or ()), tuple(map(_slice, slice_ or ())),
            limit, seed, votes, margin, by, reason,
        )  # fmt: skip
        if dry:
            _show_plan(app.votes.plan(request), as_json)
            return
        made = app.votes.ask(request).value
    if as_json:
        say_json({"event": "votes", "new": made.is_new, "told": list(made.told), **made.round.to_plain()})
        return
    one = made.round
    say(f"{one.name}: {counted(one.asked, 'item')}, {counted(one.asked * one.votes_per_item, 'vote')}, {one.rubric}")
    for sentence in made.told:
        say(sentence)
    say("People vote in Annotate: choose the queue of this name.")


def _show_plan(plan: VotePlan, as_json: bool) -> None:
    if as_json:
        say_json({
            "event": "vote_plan", "arms": [plan.first_arm, plan.second_arm], "suites": list(plan.suites),
            "items": plan.items, "asked": plan.asked, "votes": plan.cost, "planned": plan.planned,
            "identical": plan.identical, "missing": plan.missing, "repeated": plan.repeated, "known": plan.known,
            "sealed": plan.sealed, "detectable": plan.detectable, "told": plan.told(),
        })  # fmt: skip
        return
    say(f"{plan.first_arm} against {plan.second_arm} on {', '.join(plan.suites)}")
    say(f"{counted(plan.asked, 'item')}, {counted(plan.cost, 'vote')}; planned n {plan.planned:,}")
    for sentence in plan.told():
        say(sentence)


def list_rounds(
    workspace: _Ws,
    evaluation: Annotated[str, typer.Argument(help="Only the rounds of this evaluation.")] = "",
    as_json: _Json = False,
) -> None:
    """Print the rounds, oldest first."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.votes.list(evaluation)
    if as_json:
        say_json([{**one.round.to_plain(), "settled": one.settled, "votes": one.votes} for one in found])
        return
    rows = [
        [f"{one.round.id}", one.round.name, f"{one.round.first_arm} / {one.round.second_arm}",
         time.strftime("%Y-%m-%d", time.gmtime(one.round.created_ms / 1000)),
         f"{one.settled} of {one.round.asked}", f"{one.votes}", f"{one.round.planned}"]
        for one in found
    ]  # fmt: skip
    head = ("round", "name", "arms", "asked", "settled", "votes", "planned n")
    say(table(rows, head) if rows else "Nobody has been asked yet: votes ask WS EVALUATION.")


def show(
    workspace: _Ws,
    evaluation: _Evaluation,
    number: Annotated[str, typer.Option("--round", help="Number of the round; the newest otherwise.")] = "",
    as_json: _Json = False,
) -> None:
    """Print what the votes of a round come to."""
    with open_workspace(workspace, read_only=True) as app:
        rounds = [one.round for one in app.votes.list(evaluation)]
        chosen = [one for one in rounds if not number or one.id == as_id(number)]
        if not chosen:
            raise NotFound("There is no such round of votes.", "See them with: votes list WS")
        app.evaluations.unaltered(chosen[-1].evaluation)
        one, results = chosen[-1], app.votes.results(chosen[-1].id)
    if as_json:
        say_json({"event": "votes", **one.to_plain(), **results.to_plain()})
    else:
        _show_results(one, results)


def rank(workspace: _Ws, evaluation: _Evaluation, as_json: _Json = False) -> None:
    """Print the worth of each arm against the reference: log-odds and chance to win a comparison without a tie."""
    with open_workspace(workspace, read_only=True) as app:
        app.evaluations.unaltered(evaluation)
        found = app.votes.worths(evaluation)
    if as_json:
        say_json({"event": "worths", **found.to_plain()})
        return
    fitted = found.worths
    say(f"{counted(found.comparisons, 'comparison')}, worths against {fitted.base}")
    if fitted.problem:
        say(f"Nothing can be fitted: {fitted.problem}.")
        return
    rows = [[f"{arm}, log-odds", *_cells(one)] for arm, one in fitted.worths.items()]
    rows += [[f"{arm}, chance", *_cells(one)] for arm, one in fitted.chances.items()]
    say(table([*rows, ["tie parameter", *_cells(fitted.tie)]], ("arm", "value", "95 %", "n", "estimator")))


def _show_results(one: VoteRound, found: VoteResults) -> None:
    say(f"{one.name}: {one.first_arm} against {one.second_arm}, {one.rubric}")
    say(f"{len(found.items)} of {counted(one.asked, 'item')} settled by {counted(found.votes, 'vote')}")
    rows = [["win rate without ties", *_cells(found.rate)], ["ties", *_cells(found.ties)]]
    for name, value in (
        ("(wins + ties / 2) / all", found.with_ties),
        ("win rate at equal length", found.controlled),
        ("win rate at equal style", found.style.controlled if found.style is not None else None),
        ("agreement (alpha)", found.agreement),
        ("chose the left answer", found.left),
    ):
        if value is not None:
            rows.append([name, *_cells(value)])
    rows += [[f"style: {name}, log-odds", *_cells(slope)] for name, slope in _slopes(found)]
    rows += [
        [f"{part.name} {part.value}{'' if part.enough else ' (n too small)'}", *_cells(part.rate)]
        for part in found.slices
    ]
    rows += [[f"by {name}", *_cells(rate)] for name, rate in found.reviewers.items()]
    say(table(rows, ("of the first arm", "value", "95 %", "n", "estimator")))
    say(
        f"The planned n of {one.planned:,} is reached."
        if found.is_final
        else f"{found.decisive} of the planned {one.planned:,} decisive items: the interval holds at any time."
    )
    for sentence in (*found.cautions, *(found.style.warnings if found.style is not None else ())):
        say(sentence)


def _cells(one: Estimate) -> list[str]:
    value = f"{one.value:.3f}" if one.value == one.value else "-"
    return [value, f"{one.low:.3f} to {one.high:.3f}" if one.has_interval else "-", f"{one.n}", one.estimator]


def _slopes(found: VoteResults) -> list[tuple[str, Estimate]]:
    return list(found.style.slopes.items()) if found.style is not None else []


def _slice(word: str) -> tuple[str, str]:
    name, sign, value = word.partition("=")
    if not (sign and name and value):
        raise UsageError(f"{word!r} is not NAME=VALUE.", "Write the name of a slice, then = and its value.")
    return name, value

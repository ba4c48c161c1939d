"""``batch``: work for several people: make a batch, list batches, show how far one is, add what became due.

Imports inside a function load the workspace libraries, which no other command may need.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import say, say_json, table
from core.cli.people import By, reviewer_id
from core.cli.versions import published_version
from core.cli.workspace_access import open_workspace
from core.domain.batch import BATCH_ORDERS, BatchOrder, BatchPolicy, SlotCounts
from core.domain.counting import counted, verb
from core.domain.errors import NotFound, UsageError
from core.domain.pair_table import PairFilter

if TYPE_CHECKING:
    from core.services.application import Application
    from core.services.batches.views import BatchPlan, BatchState

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Batch = Annotated[str, typer.Argument(help="Id or name of the batch.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_NEEDS_SHOWN = 10


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="Work for several people: create, list, show, due, hand-over, reopen.")
    group.command("list", help="List the batches and how far they are.")(list_batches)
    group.command("create", help="Make a batch: which pairs, by whom, with which gold and retests.")(create)
    group.command("show", help="Show a batch by kind and reviewer, and the pairs that lack labels.")(show)
    group.command("due", help="Add the slots that labels made due: third labels, second ones of flagged pairs.")(due)
    group.command("hand-over", help="Give the open slots of a reviewer to another one, or to all.")(hand_over)
    group.command("reopen", help="Ask a reviewer here again for the slots of a desk that was lost.")(reopen)
    return group


def create(
    workspace: _Ws,
    name: Annotated[str, typer.Option(help="Name of the batch.")],
    reviewer: Annotated[list[str], typer.Option(help="Who labels; many times.")],
    rubric: Annotated[str, typer.Option(help="Published rubric version, or the name of a rubric.")] = "",
    adjudicator: Annotated[list[str] | None, typer.Option(help="Who decides conflicts; many times.")] = None,
    text: Annotated[str, typer.Option(help="Only pairs with these words.")] = "",
    source: Annotated[int | None, typer.Option(help="Number of a source, see `sources`.")] = None,
    label: Annotated[
        str, typer.Option(help="Only pairs with such labels: none (as it is without, but for suspects), any, ...")
    ] = "",
    tag: Annotated[str, typer.Option(help="Only pairs with this tag, see `pairs tags`.")] = "",
    pair: Annotated[list[int] | None, typer.Option(help="Only this pair; many times.")] = None,
    limit: Annotated[int, typer.Option(help="Most pairs; 0 takes all.", min=0)] = 0,
    order: Annotated[str, typer.Option(help=f"Order: {', '.join(BATCH_ORDERS)}.")] = "random",
    run: Annotated[list[str] | None, typer.Option(help="Run that the order reads; twice for disagreement.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes every draw.", min=0)] = 0,
    second: Annotated[float, typer.Option(help="Share of pairs with a second label.", min=0, max=1)] = 0.25,
    third: Annotated[bool, typer.Option(help="A third label where two are in conflict.")] = True,
    gold: Annotated[float, typer.Option(help="Share of pairs with a known answer.", min=0, max=1)] = 0.08,
    retest: Annotated[float, typer.Option(help="Share of repeated pairs, half of them swapped.", min=0, max=1)] = 0.05,
    at_random: Annotated[
        float, typer.Option("--random-share", help="Random share of what an order picks.", min=0, max=1)
    ] = 0.2,
    relabel: Annotated[bool, typer.Option("--relabel", help="Also each reviewer's stale labels.")] = False,
    by: Annotated[str, typer.Option("--by", help="Who makes the batch; a reviewer.")] = "",
    dry: Annotated[bool, typer.Option("--plan", help="Only say what the batch would hold.")] = False,
    as_json: _Json = False,
) -> None:
    """Make a batch. Reviewers cannot tell its first, second and third labels, gold pairs and retests apart."""
    with open_workspace(workspace, read_only=dry) as app:
        policy = BatchPolicy(
            tuple(_person(app, one) for one in reviewer),
            tuple(_person(app, one) for one in adjudicator or ()),
            PairFilter(
                text=text,
                label=label or ("any" if order == "suspects" else "none"),  # type: ignore[arg-type] - the filter checks it
                source_id=source,
                pair_ids=tuple(pair) if pair else None,
                tag=tag,
            ),
            limit,
            _order(order),
            seed,
            tuple(app.runs.housekeeping.find(one) for one in run or ()),
            at_random,
            second,
            True,
            third,
            gold,
            retest,
            relabel,
        )
        version = published_version(app, rubric)
        if dry:
            _say_plan(app.batches.plan(version, policy), as_json)
            return
        made = app.batches.create(name, version, policy, reviewer_id(app, by) if by else None).value
        state = app.batches.state(made.id)
    if as_json:
        say_json({"event": "batch", **state.to_plain()})
        return
    say(f"{made.name}: {counted(state.slots.slots, 'slot')} of {counted(state.pairs.slots, 'pair')}, {made.rubric}")
    for sentence in made.told:
        say(sentence)


def list_batches(workspace: _Ws, as_json: _Json = False) -> None:
    """Print the batches, oldest first."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.batches.list()
    if as_json:
        say_json([one.to_plain() for one in found])
        return
    rows = [
        [f"{one.batch.id}", one.batch.name, one.batch.rubric, ", ".join(one.reviewers), *_cells(one.slots)]
        for one in found
    ]
    head = ("batch", "name", "rubric", "reviewers", *_HEAD)
    say(table(rows, head) if rows else "No batch yet: batch create WS --name NAME --reviewer NAME.")


def show(workspace: _Ws, batch: _Batch, as_json: _Json = False) -> None:
    """Print how far a batch is. Slots are labelled, skipped or open, and add up."""
    with open_workspace(workspace, read_only=True) as app:
        state = app.batches.state(app.batches.find(batch).id)
    if as_json:
        say_json({"event": "batch", **state.to_plain()})
    else:
        _say_state(state)


def due(workspace: _Ws, batch: _Batch, as_json: _Json = False) -> None:
    """Add second labels of flagged pairs, third labels of conflicts, and decisions where three labels leave one."""
    with open_workspace(workspace) as app:
        found = app.batches.find(batch)
        added = app.batches.draw_due(found.id).value
    if as_json:
        say_json({"event": "batch_due", "batch": found.name, "added": added})
    else:
        say(f"{counted(added, 'slot')} became due in {found.name}." if added else f"Nothing is due in {found.name}.")


def hand_over(
    workspace: _Ws,
    batch: _Batch,
    from_: Annotated[str, typer.Option("--from", help="Whose open slots.")],
    to: Annotated[str, typer.Option(help="Who gets them; without it they are open to all.")] = "",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    by: By = "",
    as_json: _Json = False,
) -> None:
    """Give open first, second and third slots away; gold, retest and relabel slots are about their reviewer."""
    with open_workspace(workspace) as app:
        found, giver = app.batches.find(batch), _person(app, from_)
        receiver = _person(app, to) if to else None
        who = reviewer_id(app, by) if by else None
        moved = app.batches.hand_over(found.id, giver, receiver, who, reason).value
    if as_json:
        say_json({"event": "batch_hand_over", "batch": found.name, "moved": moved})
    else:
        say(f"{counted(moved, 'slot')} of {from_} {verb(moved, 'goes', 'go')} to {to or 'all'}.")


def reopen(
    workspace: _Ws,
    batch: _Batch,
    reviewer: Annotated[str, typer.Option(help="Whose desk was lost.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    by: By = "",
    as_json: _Json = False,
) -> None:
    """Open the slots of a lost desk again for the same person, here or for a new bundle; merged labels stay."""
    with open_workspace(workspace) as app:
        found, person = app.batches.find(batch), _person(app, reviewer)
        opened = app.batches.reopen(found.id, person, reviewer_id(app, by) if by else None, reason).value
    if as_json:
        say_json({"event": "batch_reopen", "batch": found.name, "opened": opened})
    elif opened:
        say(f"{counted(opened, 'slot')} of {reviewer} {verb(opened, 'is', 'are')} open here again.")
    else:
        say(f"No slot of {reviewer} in {found.name} is on a desk.")


_HEAD = ("slots", "labelled", "skipped", "open")


def _cells(one: SlotCounts) -> list[str]:
    return [f"{one.slots:,}", f"{one.labelled:,}", f"{one.skipped:,}", f"{one.open:,}"]


def _say_plan(plan: BatchPlan, as_json: bool) -> None:
    if as_json:
        say_json({"event": "batch_plan", **plan.to_plain()})
        return
    say(f"{counted(plan.pairs, 'pair')}, {counted(sum(plan.by_kind.values()), 'slot')}")
    rows = [[name, f"{count:,}"] for part in (plan.by_kind, plan.by_reviewer) for name, count in part.items()]
    say(table(rows, ("kind or reviewer", "slots")))
    for sentence in plan.told:
        say(sentence)


def _say_state(state: BatchState) -> None:
    say(f"{state.batch.name}: {state.batch.rubric}, {BATCH_ORDERS[_order(state.batch.order)]}, seed {state.batch.seed}")
    rows = [["all slots", *_cells(state.slots)], ["pairs", *_cells(state.pairs)]]
    rows += [[kind, *_cells(one)] for kind, one in state.by_kind.items()]
    rows += [[f"by {name}" if name else "open to all", *_cells(one)] for name, one in state.by_reviewer.items()]
    say(table(rows, ("of the batch", *_HEAD)))
    for count, words in ((state.in_bundle, "in a review bundle"), (state.waiting, "waiting for a first label")):
        if count:
            say(f"{counted(count, 'slot')} {words}")
    begun = [one for one in state.needs if one.has or one.skips]
    for one in begun[:_NEEDS_SHOWN]:
        say(f"pair {one.pair_id} {one.words()}")
    if len(begun) > _NEEDS_SHOWN:
        say(f"and {counted(len(begun) - _NEEDS_SHOWN, 'more pair')}; --json has all")
    for sentence in state.batch.told:
        say(sentence)


def _person(app: Application, name: str) -> int:
    found = app.reviewers.find(name)
    if found is None:
        raise NotFound(f"There is no reviewer {name!r}.", f"Add one with: reviewers WS --add {name!r}")
    return found.id


def _order(word: str) -> BatchOrder:
    for order in BATCH_ORDERS:
        if order == word:
            return order
    raise UsageError(f"Unknown order {word!r}.", f"Use one of {', '.join(BATCH_ORDERS)}.")

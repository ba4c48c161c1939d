"""How far a batch is and what it wants, as bars, rows and sentences of the Team tab. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.annotate.labelling_block import USUAL_MINUTES
from app.annotate.team_figures import PairsPlace, value_words
from app.widgets.plots.chart_card import TableRow
from core.domain.batch import BATCH_ORDERS, BatchOrder, SlotCounts
from core.domain.counting import counted, number
from core.domain.qualification import Qualification
from core.domain.suspects import SuspectPrecision
from core.domain.team import TeamReport

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.batches.views import BatchState
    from core.services.workspace.service import Accounting

BATCH_HEADS = ("Of the batch", "Rubric version", "Slots", "Labelled", "Skipped", "Open")
Bar = tuple[str, int, int, int, PairsPlace | None]
"""Name, labelled, skipped, all, and what it opens."""


@dataclass(frozen=True, slots=True)
class TeamRead:
    """What the Team tab reads at once.

    Attributes:
        report: of all labels, or of those of the batch ``batch_id``.
        accounting: of all labels. batches: with how far each is, oldest first.
        precision: name of a batch of suspects -> what judging them again showed.
        inactive: names of reviewers who get no slots. sources: id -> name.
        quizzes: of the newest version of each rubric, where one is set.
    """

    report: TeamReport
    accounting: Accounting
    batches: Sequence[BatchState] = ()
    precision: Mapping[str, SuspectPrecision] = field(default_factory=dict)
    inactive: frozenset[str] = frozenset()
    sources: Mapping[int, str] = field(default_factory=dict)
    quizzes: Sequence[Qualification] = ()
    batch_id: int = 0


def adds_up(state: BatchState) -> bool:
    """Whether slots are labelled, skipped or open, pairs too, and kinds and reviewers add up to all slots."""
    parts = (state.slots, state.pairs, *state.by_kind.values(), *state.by_reviewer.values())
    sums = [sum(one.slots for one in found.values()) for found in (state.by_kind, state.by_reviewer)]
    return all(one.adds_up for one in parts) and sums == [state.slots.slots] * 2


def slot_words(state: BatchState) -> str:
    """Return one line that adds up: slots, pairs, and what is on desks."""
    lines = [f"{counted(state.slots.slots, 'slot')} = {_parts(state.slots)}"]
    lines.append(f"{counted(state.pairs.slots, 'pair')} = {_parts(state.pairs)}")
    if state.away:
        lines.append(f"{counted(sum(state.away.values()), 'slot')} on desks")
    return "   ·   ".join(lines)


def _parts(one: SlotCounts) -> str:
    return f"{number(one.labelled)} labelled + {number(one.skipped)} skipped + {number(one.open)} open"


def bars_of(state: BatchState) -> list[Bar]:
    """Return a bar for each kind of slot, then one for each reviewer; slots that are open to all stand last."""
    kinds: list[Bar] = [_bar(_kind_words(state, key), one) for key, one in state.by_kind.items()]
    return kinds + [_bar(name or "open to all", one) for name, one in state.by_reviewer.items()]


def _bar(name: str, one: SlotCounts) -> Bar:
    return name, one.labelled, one.skipped, one.slots, None


def _kind_words(state: BatchState, kind: str) -> str:
    policy = state.batch.policy
    return {
        "first": "First label",
        "second": f"Second, random {percent(policy['second_share'])}",
        "third": "Third, on conflict",
        "gold": f"Gold {percent(policy['gold_share'])}",
        "retest": f"Retest {percent(policy['retest_share'])}",
        "relabel": "Stale labels",
        "adjudicate": "Decisions",
    }.get(kind, kind)


def percent(share: float) -> str:
    """Return a share in per cent.

    >>> percent(0.08), percent(0.255)
    ('8 %', '25.5 %')
    """
    return f"{100 * share:.4g} %"


def batch_rows(state: BatchState) -> list[TableRow]:
    """Return the bars as rows."""
    parts = [(_kind_words(state, key), one) for key, one in state.by_kind.items()]
    parts += [(name or "open to all", one) for name, one in state.by_reviewer.items()]
    return [
        TableRow((name, state.batch.rubric, *map(number, (one.slots, one.labelled, one.skipped, one.open))))
        for name, one in parts
    ]


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A line of the policy: what, in words, and how many slots or pairs that is ("" where it is no number)."""

    name: str
    words: str
    count: str = ""


def policy_rows(state: BatchState, read: TeamRead) -> list[PolicyRow]:
    """Return what the batch wants, as it was stored with it, and for suspects what came of it."""
    policy, batch = state.batch.policy, state.batch
    order: BatchOrder = batch.order if batch.order in BATCH_ORDERS else "import"  # type: ignore[assignment]
    rows = [
        PolicyRow("Reviewers", f"{', '.join(state.reviewers)}; a queue each", f"{len(state.reviewers):,}"),
        PolicyRow("Rubric", batch.rubric),
        PolicyRow("Pairs", _filter_words(policy, read.sources), number(state.pairs.slots)),
        PolicyRow("Second label", f"{percent(policy['second_share'])} at random, kept apart", _slots(state, "second")),
        PolicyRow("Third label", "where two are in conflict" if policy["third"] else "none", _slots(state, "third")),
        PolicyRow("Gold", f"{percent(policy['gold_share'])}, look like the others", _slots(state, "gold")),
        PolicyRow("Retest", f"{percent(policy['retest_share'])}, half with sides swapped", _slots(state, "retest")),
        PolicyRow("Order", f"{BATCH_ORDERS[order]}, seed {batch.seed}, stored"),
    ]
    if state.adjudicators:
        rows.append(PolicyRow("Decisions", f"by {', '.join(state.adjudicators)}", _slots(state, "adjudicate")))
    if policy["runs"]:
        share = f"; {percent(policy['random_share'])} random among them" if policy["limit"] or batch.suspects else ""
        rows.append(PolicyRow("Run", f"{', '.join(run[:12] for run in policy['runs'])}{share}"))
    rows.append(PolicyRow("Breaks", f"suggested after {USUAL_MINUTES} min, or as each desk sets it"))
    if (found := read.precision.get(batch.name)) is not None:
        rows += precision_rows(found)
    return rows


def precision_rows(found: SuspectPrecision) -> list[PolicyRow]:
    """Return how many of the first k suspects were contradicted; nothing is flipped by itself."""
    rows = [PolicyRow("Judged again", f"of {counted(found.suspects, 'suspect')}", number(found.judged))]
    for k, one in found.precision.items():
        hits = f"{round(one.value * one.n):,} / {one.n:,}"
        rows.append(PolicyRow(f"Precision at {k}", f"{value_words(one)} contradicted, Wilson", hits))
    if (one := found.others) is not None:
        rows.append(
            PolicyRow(
                "Other pairs", f"{value_words(one)} contradicted, Wilson", f"{round(one.value * one.n):,} / {one.n:,}"
            )
        )
    return rows


def warnings_of(state: BatchState, inactive: frozenset[str]) -> list[str]:
    """Return what stands in the way of the batch: open slots of people who left, and those that no one may take."""
    found = [
        f"{name} is inactive and has {counted(one.open, 'open slot')}: hand them over."
        for name, one in state.by_reviewer.items()
        if name in inactive and one.open
    ]
    if (free := state.by_reviewer.get("")) is not None and free.open:
        found.append(f"{counted(free.open, 'slot')} open to all.")
    return found


def _slots(state: BatchState, kind: str) -> str:
    one = state.by_kind.get(kind)
    return number(one.slots) if one is not None else "0"


def _filter_words(policy: Mapping[str, object], sources: Mapping[int, str]) -> str:
    asked = policy["filter"]
    assert isinstance(asked, Mapping)
    label = str(asked.get("label", "any"))
    parts = [{"none": "not labelled", "any": "labelled or not"}.get(label, label)]
    source = asked.get("source_id")
    if isinstance(source, int):
        parts.insert(0, f"source {sources.get(source, source)}")
    if asked.get("tag"):
        parts.append(f"tagged {asked['tag']}")
    if asked.get("text"):
        parts.append(f"with “{asked['text']}”")
    if asked.get("pair_ids"):
        parts.append("chosen by hand")
    if policy["limit"]:
        parts.append(f"at most {policy['limit']:,}")
    return ", ".join(parts)

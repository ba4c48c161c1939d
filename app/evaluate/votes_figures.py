"""What the votes of an evaluation come to, as rows, marks and sentences; and what people can be asked. No widgets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.evaluate.figures import ItemsPlace, share_words
from app.evaluate.length_chart import LengthItem, LengthMark, LengthPicture
from app.evaluate.votes_chart import VoteMark
from app.widgets.plots.chart_card import TableRow
from app.widgets.plots.interval_chart import IntervalRow
from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.evaluation_record import suite_words
from core.domain.length_curve import LengthPoint
from core.domain.rubric import RubricVersion
from core.domain.votes import VotePlan

if TYPE_CHECKING:  # these load the database and statistics libraries, which the window does not wait for
    from core.services.application import Application
    from core.services.evaluations.views import EvaluationInfo
    from core.services.votes.results import VotedItem, VoteResults
    from core.services.votes.service import RoundProgress
    from core.services.votes.worths import VotedWorths

PATH_HEADS = ("n", "Item", "First arm", "Win rate % [95 %], any time")
LENGTH_HEADS = ("What", "Longer by, tokens", "Win rate % [95 %]", "n", "Estimator")
DETECTS: tuple[float, ...] = (0.05, 0.1, 0.15, 0.2)
"""Distances from one half that a round can be planned for."""


@dataclass(frozen=True, slots=True)
class VotesData:
    """The rounds of an evaluation, oldest first, the results of the chosen one, and all arms by all rounds."""

    rounds: Sequence[RoundProgress] = ()
    chosen: RoundProgress | None = None
    results: VoteResults | None = None
    worths: VotedWorths | None = None


@dataclass(frozen=True, slots=True)
class VoteChoices:
    """What there is to choose from when people are asked.

    Attributes:
        arms: names. first, second: that are proposed. suites: title -> whether it is sealed.
        slices: (name, value) of the open suites. rubrics: published versions, newest first.
    """

    evaluation_id: str
    arms: Sequence[str]
    first: str
    second: str
    suites: Mapping[str, bool] = field(default_factory=dict)
    slices: Sequence[tuple[str, str]] = ()
    rubrics: Sequence[RubricVersion] = ()


@dataclass(frozen=True, slots=True)
class ItemOfVotes:
    """What a mark opens: an item of a suite."""

    suite: str
    item: str


def read_votes(services: Application, evaluation_id: str, reviewer_id: int | None, round_id: int) -> VotesData:
    """Read the rounds and the results of the wanted one, of the newest where there is no such round."""
    rounds = services.votes.list(evaluation_id, reviewer_id or 0)
    if not rounds:
        return VotesData()
    chosen = next((one for one in rounds if one.round.id == round_id), rounds[-1])
    votes = services.votes
    return VotesData(rounds, chosen, votes.results(chosen.round.id), votes.worths(evaluation_id))


def read_vote_choices(services: Application, info: EvaluationInfo) -> VoteChoices:
    """Read what people can be asked about an evaluation."""
    record = info.record
    names = [arm.name for arm in record.arms]
    kinds = {str(arm.kind): arm.name for arm in reversed(record.arms)}
    items = services.evaluations.find(info.evaluation_id).items()
    found = {part for own in items.values() for item in own for part in item.slices.items()}
    return VoteChoices(
        info.evaluation_id,
        names,
        kinds.get("aligned", names[0]),
        kinds.get("reference", names[-1]),
        {suite.title: bool(suite.sealed) for suite in record.suites if suite.answered},
        sorted(found),
        services.rubrics.published(),
    )


def plan_words(plan: VotePlan) -> list[str]:
    """Return what a plan comes to, a sentence each: cost and planned number first."""
    cost = f"{counted(plan.asked, 'item')}, {counted(plan.cost, 'vote')} in all."
    planned = (
        f"Planned n: {plan.planned:,} decisive items detect a win rate of {50 + 100 * plan.margin:.0f} % (power 80 %)."
    )
    return [cost, planned, *plan.told()]


def headline(data: VotesData) -> str:
    """Return what the votes say so far, in a sentence."""
    found, one = data.results, data.chosen
    if found is None or one is None:
        return ""
    if not found.decisive:
        return "No item is decided yet; the first votes start the curve."
    first, second = one.round.first_arm, one.round.second_arm
    said = f"{first} wins {share_words(found.rate)} % of {counted(found.decisive, 'decisive item')} against {second}."
    if found.is_final:
        return f"{said} The planned n is reached: the interval is that of a fixed number."
    return (
        f"{said} The interval holds at any time, however often it is looked at, until n {found.planned:,} is reached."
    )


def progress_words(data: VotesData) -> str:
    """Return how far the chosen round is."""
    one, found = data.chosen, data.results
    if one is None or found is None:
        return ""
    parts = [
        f"{len(found.items)} of {counted(one.round.asked, 'item')} settled",
        counted(found.votes, "vote"),
        counted(one.round.votes_per_item, "vote") + " an item",
    ]
    if found.identical:
        parts.append(f"{counted(found.identical, 'identical answer')} counted as ties")
    if found.cannot_judge:
        parts.append(f"{found.cannot_judge} could not be judged")
    return " · ".join(parts)


def marks(data: VotesData) -> list[VoteMark]:
    """Return the win rate after each decisive item."""
    found = data.results
    return [] if found is None else marks_of(found.items, found.path)


def marks_of(items: Sequence[VotedItem], path: Sequence[Estimate]) -> list[VoteMark]:
    """Return the rate after each decisive item in per cent; ``path`` holds the rate after each item."""
    made = []
    for item, rate in zip(items, path, strict=True):
        if item.outcome != 0.5:
            words = f"{item.item}: after {counted(rate.n, 'decisive item')} {share_words(rate)} %"
            key = ItemOfVotes(item.suite, item.item)
            made.append(VoteMark(rate.n, 100 * rate.value, 100 * rate.low, 100 * rate.high, key, words))
    return made


def path_rows(data: VotesData) -> list[TableRow]:
    """Return the table twin of the curve, the newest first."""
    found = data.results
    return [] if found is None else rows_of(found.items, found.path)


def rows_of(items: Sequence[VotedItem], path: Sequence[Estimate]) -> list[TableRow]:
    """Return a row for each settled item, the newest first."""
    rows = zip(items, path, strict=True)
    words = {1.0: "won", 0.5: "tie", 0.0: "lost"}
    return [
        TableRow((f"{rate.n}", item.item, words[item.outcome], f"{share_words(rate)}"), item.suite)
        for item, rate in reversed(list(rows))
    ]


def length_picture(data: VotesData) -> LengthPicture:
    """Return the win rate over the difference of lengths; without a curve where it cannot be fitted."""
    found, one = data.results, data.chosen
    if found is None or one is None:
        return LengthPicture()
    words = {1.0: "won", 0.5: "tie", 0.0: "lost"}
    items = [
        LengthItem(
            item.longer, 100 * item.outcome, ItemOfVotes(item.suite, item.item),
            f"{item.item}: {_longer(item.longer)}, {words[item.outcome]}",
        )
        for item in found.items
    ]  # fmt: skip
    fitted, controlled = found.by_length, found.controlled
    return LengthPicture(
        one.round.first_arm,
        [_length_mark(point) for point in fitted.curve] if fitted is not None else (),
        [_length_mark(point) for point in fitted.bins] if fitted is not None else (),
        items,
        100 * sum(item.outcome for item in found.items) / max(1, len(found.items)),
        100 * controlled.value if controlled is not None else math.nan,
    )


def _length_mark(point: LengthPoint) -> LengthMark:
    rate = point.rate
    words = f"{_longer(point.tokens)}: {share_words(rate)} %, n {rate.n:,}"
    return LengthMark(point.tokens, 100 * rate.value, 100 * rate.low, 100 * rate.high, words)


def _longer(tokens: float) -> str:
    """Return a difference of lengths in words."""
    by = round(tokens)
    return f"{counted(abs(by), 'token')} {'shorter' if by < 0 else 'longer'}" if by else "equally long"


def length_rows(data: VotesData) -> list[TableRow]:
    """Return the table twin: the observed rates, then the fitted ones at five places."""
    fitted = data.results.by_length if data.results is not None else None
    if fitted is None:
        return []
    places = [fitted.curve[n * (len(fitted.curve) - 1) // 4] for n in range(5)]
    return [
        TableRow((what, f"{one.tokens:+,.0f}", share_words(one.rate), f"{one.rate.n:,}", one.rate.estimator))
        for what, points in (("observed", fitted.bins), ("fitted", places))
        for one in points
    ]


def slice_rows(data: VotesData, smallest: int) -> list[IntervalRow]:
    """Return each slice as points above or below one half; small ones are hollow."""
    found = data.results
    if found is None:
        return []
    made = []
    for one in found.slices:
        place = ItemsPlace(one.value) if one.name == "suite" else ItemsPlace("", one.name, one.value)
        text = f"{share_words(one.rate)} %  n {one.rate.n}" if one.rate.n else f"no decision  n {one.rate.n}"
        values = (100 * (end - 0.5) for end in (one.rate.value, one.rate.low, one.rate.high))
        label = suite_words(one.value) if one.name == "suite" else f"{one.name}: {one.value}"
        made.append(IntervalRow(label, text, *values, small=one.rate.n < smallest, key=place))
    return made


def number_rows(data: VotesData) -> list[TableRow]:
    """Return the other numbers of the round: name, value with interval, n, estimator."""
    return [TableRow((name, _value(one), f"{one.n:,}", one.estimator)) for name, one in _numbers(data)]


def _numbers(data: VotesData) -> Iterator[tuple[str, Estimate]]:
    found = data.results
    if found is None:
        return
    wanted = (
        ("win rate without ties, %", found.rate),
        ("win rate at equal length, %", found.controlled),
        ("win rate at equal style, %", found.style.controlled if found.style is not None else None),
        ("ties, %", found.ties),
        ("(wins + ties / 2) / all, %", found.with_ties),
        ("agreement (Krippendorff's alpha)", found.agreement),
        ("chose the left answer, %", found.left),
    )
    yield from ((name, one) for name, one in wanted if one is not None and one.n)
    yield from ((f"votes of {name}, %", one) for name, one in found.reviewers.items() if one.n)
    if found.style is not None:
        yield from ((f"style: {name}, log-odds", slope) for name, slope in found.style.slopes.items())
    if data.worths is not None:
        fitted = data.worths.worths
        yield from ((f"{arm} against {fitted.base}, all rounds, %", one) for arm, one in fitted.chances.items())
        yield from ((f"worth of {arm}, log-odds", one) for arm, one in fitted.worths.items())
        if fitted.chances:
            yield "tie parameter (Davidson)", fitted.tie


def caution_words(data: VotesData) -> str:
    """Return what must be known of the controlled win rates, a sentence a line; "" before an item is decided."""
    found = data.results
    if found is None or not found.decisive:
        return ""
    return "\n".join((*found.cautions, *(found.style.warnings if found.style is not None else ())))


def _value(one: Estimate) -> str:
    if not math.isfinite(one.value):
        return "–"
    if "alpha" in one.estimator or one.unit or "tie parameter" in one.estimator:
        ends = f" [{one.low:.2f}, {one.high:.2f}]" if one.has_interval else ""
        return f"{one.value:.2f}{ends}"
    return share_words(one)

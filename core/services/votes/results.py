"""What votes come to: the win rate with an interval that holds at any time, slices, length, reviewers, agreement.

An item counts once all its votes are in; its outcome is what most of them say. Each item has its own prompt, so that
outcomes are independent and an interval by outcome is one by prompt. Before the planned number is reached every
interval is an anytime-valid one, because people watch it grow; the interval of a fixed number is shown after that.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.domain.length_curve import LengthCurve
from core.domain.suite import MIN_SLICE
from core.domain.votes import Vote, VoteItem, VoteRound
from core.evaluation.measures.agreement import count_verdicts, krippendorff_alpha
from core.evaluation.measures.length import length_controlled
from core.evaluation.measures.length_curve import length_curve
from core.evaluation.measures.shares import share_by_prompt
from core.evaluation.measures.side_bias import side_bias
from core.evaluation.measures.style import FEATURES, StyleControlled, style_controlled, style_of
from core.evaluation.measures.win_rate import sequential_win_rate, win_rate

_ANY_TIME = "wins among items without ties; no item is decided yet"


@dataclass(frozen=True, slots=True)
class VotedItem:
    """An item whose votes are all in; ``outcome`` as that of a vote, for the first arm."""

    suite: str
    item: str
    pair_id: int
    outcome: float
    votes: int
    order: int
    slices: Mapping[str, str] = field(default_factory=dict)
    longer: float = 0.0


@dataclass(frozen=True, slots=True)
class SlicedVotes:
    """The win rate of one slice; ``enough`` says whether it has the smallest number that is tested."""

    name: str
    value: str
    rate: Estimate
    enough: bool


@dataclass(frozen=True, slots=True)
class VoteResults:
    """What the votes of a round come to.

    Attributes:
        votes: of people, that count now. cannot_judge, neither: among them.
        items: settled ones, in the order in which they were settled. waiting: items that lack votes.
        unclear: items whose reviewers all could not judge.
        rate: of the first arm among decisive items; ``is_final`` tells whether it is the interval of a fixed number.
        path: the rate after each settled item, each with its anytime-valid interval.
        ties: share of ties among settled and identical items. with_ties: (wins + ties / 2) / all; None before the end.
        controlled: the win rate at equal length; without an interval before the end; None where it is not known.
        cautions: what must be known of it. slope: of length, in log-odds; above 0 longer answers win.
        by_length: the win rate over the difference of lengths; None where it cannot be fitted.
        style: the same at equal style, and what each feature of style explains; None where the texts are not given.
        reviewers: name -> rate by that person's votes. agreement: alpha where several voted, None elsewhere.
        left: share that chose the left answer, with ``left_p``.
    """

    votes: int
    cannot_judge: int
    neither: int
    items: tuple[VotedItem, ...]
    waiting: int
    unclear: int
    identical: int
    planned: int
    rate: Estimate
    is_final: bool
    path: tuple[Estimate, ...]
    ties: Estimate
    with_ties: Estimate | None
    controlled: Estimate | None
    cautions: tuple[str, ...]
    slope: float
    by_length: LengthCurve | None
    style: StyleControlled | None
    slices: tuple[SlicedVotes, ...]
    reviewers: Mapping[str, Estimate]
    agreement: Estimate | None
    left: Estimate | None
    left_p: float

    @property
    def decisive(self) -> int:
        """Settled items that are no ties."""
        return self.rate.n

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        return {
            "votes": self.votes, "cannot_judge": self.cannot_judge, "neither": self.neither,
            "settled": len(self.items), "waiting": self.waiting, "unclear": self.unclear, "identical": self.identical,
            "decisive": self.decisive, "planned": self.planned, "final": self.is_final,
            "win_rate": plain(self.rate), "ties": plain(self.ties), "win_rate_with_ties": _known(self.with_ties),
            "length_controlled": _known(self.controlled), "cautions": list(self.cautions),
            "length_slope": self.slope if math.isfinite(self.slope) else None,
            "by_length": None if self.by_length is None else self.by_length.to_plain(),
            "style_controlled": _known(self.style.controlled) if self.style is not None else None,
            "style": {name: plain(slope) for name, slope in self.style.slopes.items()} if self.style else {},
            "style_cautions": list(self.style.warnings) if self.style is not None else [],
            "slices": [
                {"slice": one.name, "of": one.value, "enough": one.enough, **plain(one.rate)} for one in self.slices
            ],
            "reviewers": {name: plain(rate) for name, rate in self.reviewers.items()},
            "agreement": _known(self.agreement), "chose_left": _known(self.left),
            "chose_left_p": self.left_p if math.isfinite(self.left_p) else None,
            "path": [plain(one) for one in self.path],
        }  # fmt: skip


def _known(one: Estimate | None) -> dict[str, Any] | None:
    return None if one is None else plain(one)


Texts = Mapping[int, tuple[str, str]]
"""Pair -> answers of the first and of the second arm."""


def results_of(
    one: VoteRound, items: Sequence[VoteItem], votes: Sequence[Vote], texts: Texts | None = None
) -> VoteResults:
    """Return the results of a round; see the module's first lines. Without ``texts`` nothing is said of style."""
    by_pair: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_pair[vote.pair_id].append(vote)
    complete = {key: own for key, own in by_pair.items() if len(own) >= one.votes_per_item}
    settled = sorted(filter(None, (_settled(i, complete.get(i.pair_id, ())) for i in items)), key=lambda i: i.order)
    outcomes = [item.outcome for item in settled]
    path = tuple(sequential_win_rate(outcomes))
    decisive = sum(outcome != 0.5 for outcome in outcomes)
    is_final = decisive >= one.planned
    controlled, cautions, slope = _length(settled, is_final)
    all_outcomes = [*outcomes, *[0.5] * len(one.identical)]
    sides = [(vote.chose_left, vote.pair_id) for vote in votes if vote.chose_left is not None]
    bias = side_bias([left for left, _ in sides], [pair for _, pair in sides]) if sides else None
    return VoteResults(
        votes=len(votes),
        cannot_judge=sum(vote.outcome is None for vote in votes),
        neither=sum(vote.verdict == "neither" for vote in votes),
        items=tuple(settled),
        waiting=len(items) - len(complete),
        unclear=len(complete) - len(settled),
        identical=len(one.identical),
        planned=one.planned,
        rate=rate_of(outcomes, is_final),
        is_final=is_final,
        path=path,
        ties=share_by_prompt(np.asarray(all_outcomes) == 0.5, None, "share of ties, identical answers included"),
        with_ties=win_rate(all_outcomes).rate if is_final else None,
        controlled=controlled,
        cautions=cautions,
        slope=slope,
        by_length=_by_length(settled, is_final),
        style=_style(settled, texts, is_final) if texts is not None and settled else None,
        slices=_slices(settled, is_final),
        reviewers=_reviewers(votes, is_final),
        agreement=_agreement(by_pair),
        left=bias.left if bias else None,
        left_p=bias.p if bias else math.nan,
    )


Pooled = Sequence[tuple[VoteRound, Sequence[VoteItem], Sequence[Vote], bool]]
"""Rounds of the same two arms, each with its items, its votes, and whether its first arm is the policy."""


def pooled_items(rounds: Pooled) -> list[VotedItem]:
    """Return the settled items of all rounds in their order, outcomes for the policy; the first one of each counts."""
    settled: dict[tuple[str, str], VotedItem] = {}
    for one, items, votes, is_first in rounds:
        for item in results_of(one, items, votes).items:
            turned = item if is_first else replace(item, outcome=1 - item.outcome, longer=-item.longer)
            settled.setdefault((item.suite, item.item), turned)
    return sorted(settled.values(), key=lambda item: item.order)


def pooled(rounds: Pooled) -> tuple[Estimate | None, Estimate | None]:
    """Return the win rate over all rounds of the same two arms, and the one at equal length once that is decided.

    The largest planned number of the rounds must be reached before the interval is that of a fixed number. Before the
    win rate is above or below one half, its sign at equal length says nothing and stays unknown.
    """
    found = pooled_items(rounds)
    outcomes = [item.outcome for item in found]
    is_final = sum(outcome != 0.5 for outcome in outcomes) >= max(one.planned for one, *_ in rounds)
    rate = rate_of(outcomes, is_final)
    if not rate.n:
        return None, None
    is_decided = is_final or rate.low > 0.5 or rate.high < 0.5
    return rate, _length(found, is_final)[0] if is_decided else None


def rate_of(outcomes: Sequence[float], is_final: bool) -> Estimate:
    """Return the win rate without ties: with the interval of a fixed number, or with one that holds at any time."""
    if not any(outcome != 0.5 for outcome in outcomes):
        return Estimate(math.nan, math.nan, math.nan, 0, "", _ANY_TIME)
    return win_rate(outcomes).decisive if is_final else sequential_win_rate(outcomes)[-1]


def _settled(item: VoteItem, votes: Sequence[Vote]) -> VotedItem | None:
    """Return the item with what most of its votes say; None where votes are missing or nobody could judge."""
    said = [vote.outcome for vote in votes if vote.outcome is not None]
    if not said:
        return None
    balance = sum(outcome - 0.5 for outcome in said)
    outcome = 1.0 if balance > 0 else 0.0 if balance < 0 else 0.5
    order = max(vote.order for vote in votes)
    return VotedItem(item.suite, item.item, item.pair_id, outcome, len(votes), order, item.slices, item.longer)


def _length(settled: Sequence[VotedItem], is_final: bool) -> tuple[Estimate | None, tuple[str, ...], float]:
    if not settled:
        return None, (), math.nan
    found = length_controlled([item.outcome for item in settled], [item.longer for item in settled])
    value = found.controlled
    if not math.isfinite(value.value):
        return None, found.warnings, found.slope
    return value if is_final else _without_ends(value), found.warnings, found.slope


def _by_length(settled: Sequence[VotedItem], is_final: bool) -> LengthCurve | None:
    found = length_curve([item.outcome for item in settled], [item.longer for item in settled])
    return found if found is None or is_final else found.without_ends("its interval is shown at the planned n")


def _style(settled: Sequence[VotedItem], texts: Texts, is_final: bool) -> StyleControlled:
    both = [[style_of(text) for text in texts[item.pair_id]] for item in settled]
    differences = [[a - b for a, b in zip(first, second, strict=True)] for first, second in both]
    found = style_controlled([item.outcome for item in settled], np.array(differences).reshape(-1, len(FEATURES)))
    return (
        found
        if is_final
        else replace(
            found,
            controlled=_without_ends(found.controlled),
            slopes={name: _without_ends(slope) for name, slope in found.slopes.items()},
        )
    )


def _without_ends(one: Estimate) -> Estimate:
    """Return a number whose interval is not shown yet, because people watch it grow."""
    if not one.has_interval:
        return one
    words = f"{one.estimator.removesuffix('; by prompt 95 %')}; its interval is shown at the planned n"
    return Estimate(one.value, math.nan, math.nan, one.n, one.unit, words, groups=one.groups)


def _slices(settled: Sequence[VotedItem], is_final: bool) -> tuple[SlicedVotes, ...]:
    parts: dict[tuple[str, str], list[float]] = defaultdict(list)
    for item in settled:
        parts["suite", item.suite].append(item.outcome)
        for name, value in item.slices.items():
            parts[name, value].append(item.outcome)
    rated = [(name, value, rate_of(own, is_final), len(own)) for (name, value), own in sorted(parts.items())]
    return tuple(SlicedVotes(name, value, rate, n >= MIN_SLICE) for name, value, rate, n in rated)


def _reviewers(votes: Sequence[Vote], is_final: bool) -> dict[str, Estimate]:
    parts: dict[str, list[float]] = defaultdict(list)
    for vote in votes:
        if vote.outcome is not None:
            parts[vote.reviewer].append(vote.outcome)
    return {name: rate_of(own, is_final) for name, own in sorted(parts.items())}


def _agreement(by_pair: Mapping[int, Sequence[Vote]]) -> Estimate | None:
    """Return Krippendorff's alpha over items with several votes; None where there are none."""
    said = [
        (pair_id, round(2 * vote.outcome))
        for pair_id, own in by_pair.items()
        for vote in own
        if vote.outcome is not None
    ]
    counts = count_verdicts([pair_id for pair_id, _ in said], [verdict for _, verdict in said], 3)
    return krippendorff_alpha(counts, "ordinal") if counts.several else None

"""What votes come to, from votes that were made up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import beta as beta_function
from statsmodels.stats.proportion import proportion_confint

from core.domain.votes import Vote, VoteItem, VoteRound
from core.evaluation.gate_votes import ends, votes_to_decide
from core.services.votes.outlook import outlook_of
from core.services.votes.results import VoteResults, pooled, results_of
from core.services.votes.worths import worths_of

NAMES = ("Ann", "Bo", "Cy")


def round_of(planned: int, votes_per_item: int = 1, identical: int = 0) -> VoteRound:
    detail = {"identical": [["s", f"same-{n}"] for n in range(identical)]}
    arms = ("aligned", "reference")
    return VoteRound(1, "u", "0" * 64, "e", "Votes", *arms, 1, "R 1", 1, votes_per_item, planned, 0, 0, detail)


def items_of(count: int, tokens: Sequence[tuple[int, int]] = ()) -> list[VoteItem]:
    lengths = tokens or [(10, 10)] * count
    parts = ("even", "odd")
    return [
        VoteItem(n, "s", f"i{n}", 1, detail={"tokens": list(lengths[n]), "slices": {"part": parts[n % 2]}})
        for n in range(count)
    ]


def said(outcomes: Sequence[float | None], names: Sequence[str] = ("Ann",)) -> list[Vote]:
    """Return the votes on items 0, 1, ...; each name votes on all, the first one on all first."""
    rows = itertools.product(enumerate(names), enumerate(outcomes))
    return [
        Vote(n, name, outcome, "prefer", None if outcome in (None, 0.5) else n % 2 == 0, place * len(outcomes) + n + 1)
        for (place, name), (n, outcome) in rows
    ]


def counted_up(outcomes: Sequence[float], planned: int = 194, **values: int) -> VoteResults:
    return results_of(round_of(planned, **values), items_of(len(outcomes)), said(outcomes))


def test_that_before_the_planned_number_the_interval_is_the_beta_mixture_by_hand() -> None:
    found = counted_up([0, 1, 1, 1, 1, 1, 0.5, 1, 1])
    assert (found.rate.value, found.rate.n, found.is_final) == (7 / 8, 8, False)
    s, f = 7, 1
    low, evidence = found.rate.low, beta_function(s + 2, f + 2) / beta_function(2, 2)
    assert evidence == pytest.approx(low**s * (1 - low) ** f / 0.05, rel=1e-6)
    assert found.rate.high == min(one.high for one in found.path), "an interval never grows again"
    assert "any time" in found.rate.estimator
    assert found.with_ties is None and (found.controlled is None or not found.controlled.has_interval)


def test_that_at_the_planned_number_the_interval_is_wilsons() -> None:
    outcomes = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0] * 2 + [0.5] * 4
    found = counted_up(outcomes, planned=20)
    ends: Any = proportion_confint(14, 20, method="wilson")
    low, high = float(ends[0]), float(ends[1])
    assert found.is_final
    assert (found.rate.value, found.rate.low, found.rate.high) == pytest.approx((0.7, low, high))
    assert found.with_ties is not None and found.with_ties.value == pytest.approx(16 / 24)
    early = counted_up(outcomes, planned=21)
    assert early.rate.high - early.rate.low > high - low, "looking at any time has its price"


def test_that_the_path_holds_the_truth_at_every_look_as_often_as_it_says() -> None:
    rng, truth, missed = np.random.default_rng(3), 0.6, 0
    for _ in range(60):
        path = counted_up(list((rng.random(80) < truth).astype(float)), planned=1000).path
        missed += any(not one.low <= truth <= one.high for one in path)
    assert missed <= 0.05 * 60


def test_that_an_item_counts_once_all_its_votes_are_in_by_what_most_say() -> None:
    votes = [*said([1, 1, 1, None]), *said([1, 0, 0.5, None], ("Bo",)), *said([0, 0], ("Cy",))]
    found = results_of(round_of(194, votes_per_item=3), items_of(4), votes)
    assert {item.item: item.outcome for item in found.items} == {"i0": 1.0, "i1": 0.0}
    assert (found.waiting, found.unclear, found.votes, found.cannot_judge) == (2, 0, 10, 2)
    assert found.agreement is not None and found.agreement.n == 3


def test_that_an_item_that_nobody_can_judge_counts_for_no_arm() -> None:
    found = counted_up([1, None, 0])  # type: ignore[list-item]
    assert (found.decisive, found.unclear, found.waiting) == (2, 1, 0)


def test_that_slices_reviewers_and_sides_have_their_own_numbers() -> None:
    found = results_of(round_of(194, 2), items_of(6), said([1, 0, 1, 0, 1, 0], NAMES[:2]))
    rates = {(one.name, one.value): (one.rate.value, one.rate.n, one.enough) for one in found.slices}
    assert rates == {
        ("part", "even"): (1.0, 3, False),
        ("part", "odd"): (0.0, 3, False),
        ("suite", "s"): (0.5, 6, False),
    }
    assert {name: rate.n for name, rate in found.reviewers.items()} == {"Ann": 6, "Bo": 6}
    assert found.left is not None and (found.left.value, found.left.n) == (0.5, 12)
    assert found.agreement is not None and found.agreement.value == pytest.approx(1.0)


def test_that_a_gain_of_length_alone_is_gone_at_equal_length() -> None:
    rng = np.random.default_rng(5)
    longer = rng.integers(-60, 61, 400)
    wins = (rng.random(400) < 1 / (1 + np.exp(-longer / 30))).astype(float)
    shifted = longer + 20
    found = results_of(
        round_of(100), items_of(400, [(100 + int(d), 100) for d in shifted]),
        said(list((rng.random(400) < 1 / (1 + np.exp(-shifted / 30))).astype(float))),
    )  # fmt: skip
    assert wins.mean() == pytest.approx(0.5, abs=0.06)
    assert found.rate.value > 0.6 and found.controlled is not None and found.slope > 0
    assert found.controlled.low < 0.5 < found.controlled.high
    assert found.is_final and found.by_length is not None
    rates = [one.rate for one in found.by_length.curve]
    assert rates[0].value < 0.3 and rates[-1].value > 0.7 and all(one.has_interval and one.n == 400 for one in rates)
    early = results_of(round_of(1000), items_of(40, [(100 + n, 110) for n in range(40)]), said([0.0, 1.0] * 20))
    assert early.by_length is not None and not early.by_length.curve[0].rate.has_interval
    assert "planned n" in early.to_plain()["by_length"]["bins"][0]["estimator"]
    assert counted_up([1, 0, 1]).by_length is None, "all answers are equally long"


def test_that_rounds_of_the_same_arms_are_read_together_and_turned_the_same_way() -> None:
    first, second = items_of(6), [VoteItem(9 + n, "s", f"j{n}", 1) for n in range(4)]
    turned = [Vote(9 + n, "Bo", 0.0, "prefer", True, 50 + n) for n in range(4)]
    rate, at_equal_length = pooled([
        (round_of(194), first, said([1, 1, 1, 1, 1, 0]), True),
        (round_of(85), second, turned, False),
        (round_of(85), first, said([0, 0, 0, 0, 0, 0]), True),
    ])  # fmt: skip
    assert rate is not None and (rate.value, rate.n) == (0.9, 10), "of an item the first outcome counts"
    assert "any time" in rate.estimator, "the largest planned number is not reached"
    assert at_equal_length is None, "all answers are equally long"


def test_that_the_outlook_goes_on_from_the_last_vote_at_the_same_rate_until_the_planned_number() -> None:
    first, turned = items_of(12), [Vote(30, "Bo", 1.0, "prefer", True, 50)]
    rounds = [
        (round_of(85), first, said([1, 1, 0, 1, 0.5, 1, 1, 0, 1, 1, 1, 1]), True),
        (round_of(194), [VoteItem(30, "s", "late", 1)], turned, False),
    ]
    found = outlook_of("aligned", rounds)
    assert (found.arm, found.planned, found.voters) == ("aligned", 194, {"Ann": 12, "Bo": 1})
    assert [rate.n for rate in found.path] == [1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert found.items[-1].outcome == 0.0, "a win of the reference is a loss of the policy"
    rate = 9 / 12
    assert found.ahead[0] == pytest.approx((12, *ends(rate, 12)))
    decides = found.decides
    assert decides is not None and decides == votes_to_decide(found.path[-1]) and 12 < decides < found.ahead[-1][0]
    low = {round(n): low for n, low, _ in found.ahead}
    assert all((low_end > 0.5) == (n >= decides) for n, low_end in low.items() if abs(n - decides) > 1)
    reached = outlook_of("aligned", [(round_of(8), first, said([1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1]), True)])
    assert (reached.ahead, reached.decides) == ((), None)
    assert outlook_of("aligned", []).items == ()


def test_that_style_is_controlled_for_where_the_texts_are_known_and_its_interval_waits_for_the_planned_number() -> None:
    texts = {n: ("Thanks! Oil it." * (n % 3), "Oil it." * (n % 4)) for n in range(60)}
    outcomes = [float(n % 5 < 3) for n in range(60)]
    early = results_of(round_of(61), items_of(60), said(outcomes), texts)
    final = results_of(round_of(60), items_of(60), said(outcomes), texts)
    assert early.style is not None and final.style is not None
    assert early.style.controlled.value == final.style.controlled.value
    assert final.style.controlled.has_interval and not early.style.controlled.has_interval
    assert "planned n" in early.style.controlled.estimator and not early.style.slopes["polite"].has_interval
    plain = final.to_plain()
    assert set(plain["style"]) == {"words", "polite"} and plain["style"]["words"]["unit"] == "log-odds"
    assert results_of(round_of(60), items_of(60), said(outcomes)).style is None


def test_that_worths_join_rounds_of_different_arms_and_count_equal_answers_as_ties() -> None:
    first, second = round_of(4, identical=2), replace(round_of(4), first_arm="prompted", id=2)
    rounds = [
        (first, items_of(6), said([1, 1, 0, 1, 0, 1])),
        (second, items_of(6), said([1, 0, 0, 1, 0, 0.5])),
        (first, items_of(6), said([0] * 6)),
    ]
    found = worths_of(rounds, "reference")
    assert (found.comparisons, found.is_final) == (14, True), "the third round asks again what the first one asked"
    assert set(found.worths.worths) == {"aligned", "prompted"}
    nu = found.worths.tie.value
    assert nu > 0 and found.worths.worths["aligned"].value > found.worths.worths["prompted"].value
    waits = worths_of([(replace(first, planned=90), *rounds[0][1:])], "reference")
    assert not waits.is_final and not waits.worths.worths["aligned"].has_interval
    alone = waits.to_plain()["chances"]["aligned"]
    assert (alone["value"], alone["lo"], alone["n"]) == (pytest.approx(4 / 6), None, 8)


def test_that_nothing_is_claimed_before_the_first_vote() -> None:
    found = results_of(round_of(194), items_of(3), [])
    assert math.isnan(found.rate.value) and (found.rate.n, found.waiting, found.path) == (0, 3, ())
    assert found.to_plain()["win_rate"]["value"] is None
    assert pooled([(round_of(194), items_of(3), [], True)]) == (None, None)

from __future__ import annotations

import pytest

from core.domain import aggregation as why
from core.domain.aggregation import Aggregate, Label, aggregate, counted
from core.domain.dataset import FreezePolicy
from core.domain.judgement import Task, Verdict

TIE, NEITHER, CANNOT = Verdict.TIE, Verdict.NEITHER, Verdict.CANNOT_JUDGE


def labels(*values: int | Verdict) -> list[Label]:
    """Return one label a value, each by another reviewer: a strength or a verdict without one."""
    return [
        Label(i, i, 1, 1, Task.LABEL, v, None)
        if isinstance(v, Verdict)
        else Label(i, i, 1, 1, Task.LABEL, Verdict.PREFER, v)
        for i, v in enumerate(values, 1)
    ]


def item(found: Aggregate | str) -> Aggregate:
    assert isinstance(found, Aggregate)
    return found


@pytest.mark.parametrize(
    ("values", "aggregation", "expected"),
    [
        ([-2], "mean", ("A", -2.0)),
        ([3, 1], "mean", ("B", 2.0)),
        ([3, -1], "mean", ("B", 1.0)),
        ([3, TIE], "mean", ("B", 1.5)),
        ([3, 2, NEITHER], "mean", ("B", 5 / 3)),
        ([2, CANNOT, CANNOT], "mean", ("B", 2.0)),
        ([-1, -3, 3], "majority", ("A", -2.0)),
        ([1, -3], "latest", ("A", -3.0)),
        ([1, 3], "single", ("B", 2.0)),
    ],
)
def test_that_labels_come_to_a_side_and_a_strength(values: list, aggregation: str, expected: tuple) -> None:
    found = item(aggregate(labels(*values), FreezePolicy(aggregation=aggregation)))  # type: ignore[arg-type]
    assert (found.chosen, found.strength) == expected
    assert (found.weight, found.target, found.is_tie) == (1.0, 1.0, False)


@pytest.mark.parametrize(
    ("values", "policy", "reason"),
    [
        ([CANNOT], {}, why.CANNOT_JUDGE),
        ([NEITHER], {}, why.NEITHER),
        ([NEITHER, 2], {}, why.NEITHER),
        ([TIE], {}, why.TIE),
        ([TIE, TIE], {"aggregation": "majority"}, why.TIE),
        ([2, -2], {}, why.WEAK),
        ([2, -2], {"min_strength": 0.0}, why.WEAK),
        ([2, -2], {"keep_ties": True}, why.WEAK),
        ([1, TIE], {}, why.WEAK),
        ([1], {"min_strength": 2.0}, why.WEAK),
        ([3, 1], {"max_spread": 1.0}, why.SPREAD),
        ([2, -2], {"aggregation": "majority"}, why.NO_MAJORITY),
        ([2, -1], {"aggregation": "single"}, why.DISAGREE),
        ([2, TIE], {"aggregation": "single"}, why.DISAGREE),
    ],
)
def test_that_labels_that_make_no_item_say_why(values: list, policy: dict, reason: str) -> None:
    assert aggregate(labels(*values), FreezePolicy(**policy)) == reason


def test_that_a_tie_is_kept_when_asked_for_and_has_no_better_side() -> None:
    found = item(aggregate(labels(TIE, TIE), FreezePolicy(keep_ties=True)))
    assert (found.is_tie, found.strength, found.target, found.judgement_ids) == (True, 0.0, 0.5, (1, 2))


def test_that_soft_targets_are_the_share_that_agrees() -> None:
    policy = FreezePolicy(aggregation="majority", soft_targets=True)
    assert item(aggregate(labels(2, 2, -1), policy)).target == pytest.approx(2 / 3)
    assert item(aggregate(labels(2, 2, TIE), policy)).target == pytest.approx(5 / 6)
    assert item(aggregate(labels(2), policy)).target == 1.0


def test_that_strengths_are_log_odds_when_they_set_the_target() -> None:
    policy = FreezePolicy(strength_targets=True)
    found = [item(aggregate(labels(v), policy)).target for v in (-1, 2, -3)]
    assert found == pytest.approx([0.7310586, 0.8807971, 0.9525741])


def test_that_strength_and_agreement_together_are_the_mean_of_what_each_reviewer_says() -> None:
    policy = FreezePolicy(strength_targets=True, soft_targets=True)
    assert item(aggregate(labels(3, 1), policy)).target == pytest.approx((0.9525741 + 0.7310586) / 2)
    assert item(aggregate(labels(3, TIE), policy)).target == pytest.approx((0.9525741 + 0.5) / 2)
    assert item(aggregate(labels(-3, -3, 2), policy)).target == pytest.approx((2 * 0.9525741 + 0.1192029) / 3)


def test_that_agreement_weighs_by_the_net_share_of_reviewers() -> None:
    policy = FreezePolicy(aggregation="majority", agreement_weights=True)
    assert item(aggregate(labels(2, 2, 2), policy)).weight == 1.0
    assert item(aggregate(labels(2, 2, -1), policy)).weight == pytest.approx(1 / 3)
    assert aggregate(labels(3, -1), FreezePolicy(agreement_weights=True)) == why.DISAGREE


def test_that_strength_and_agreement_weights_multiply() -> None:
    policy = FreezePolicy(aggregation="majority", agreement_weights=True, strength_weights=True)
    assert item(aggregate(labels(3, 3, -1), policy)).weight == pytest.approx(1.5 / 3)


def test_that_strength_weights_are_neutral_at_the_middle_of_the_scale() -> None:
    policy = FreezePolicy(strength_weights=True)
    assert [item(aggregate(labels(v), policy)).weight for v in (-1, 2, 3)] == [0.5, 1.0, 1.5]


def test_that_a_reviewer_who_labelled_under_two_versions_counts_once_with_the_newest() -> None:
    old = Label(1, 7, 1, 1, Task.LABEL, Verdict.PREFER, 3)
    new = Label(5, 7, 1, 2, Task.RELABEL, Verdict.PREFER, -1)
    other = Label(3, 7, 2, 9, Task.LABEL, Verdict.PREFER, 2)
    assert [label.judgement_id for label in counted([new, old, other])] == [3, 5]


def test_that_an_adjudication_decides_alone() -> None:
    decided = Label(9, 8, 1, 1, Task.ADJUDICATE, Verdict.PREFER, -2)
    found = item(aggregate([decided, *labels(3, 3, 3)], FreezePolicy()))
    assert (found.chosen, found.judgement_ids) == ("A", (9,))

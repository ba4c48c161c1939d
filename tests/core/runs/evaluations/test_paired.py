"""Comparing two evaluations: what a policy gained on the same items, what other items and another detector did."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from core.runs.evaluations.columns import Column
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.paired import SuiteValues, bridge_scores, compare_values, suite_values

Values = Mapping[str, float]


def side(title: str, noted: Values, today: Values | None = None, reference: Values | None = None) -> SuiteValues:
    """Return a suite with one share and one mean; each item has a prompt of its own."""

    def columns(values: Values) -> dict[str, Column]:
        scaled = {id_: 10 * value + int(id_[1:]) for id_, value in values.items()}
        return {
            "over_refusal": Column("over_refusal", "share", "share", values, is_primary=True),
            "length": Column("length", "mean", "mean", scaled, "tokens"),
        }

    return SuiteValues(
        title, title, {id_: id_ for id_ in noted}, {id_: f"prompt {id_}" for id_ in noted}, columns(today or noted),
        columns(noted), columns(reference if reference is not None else dict.fromkeys(noted, 0.0)),
    )  # fmt: skip


def drawn(count: int, share: float, seed: int) -> dict[str, float]:
    draw = random.Random(seed)
    return {f"i{n}": float(draw.random() < share) for n in range(count)}


def test_that_the_same_items_give_mcnemar_for_shares_and_a_paired_t_test_for_means() -> None:
    before, after = drawn(80, 0.4, 1), drawn(80, 0.2, 2)
    share, length = compare_values([side("asks v1", before)], [side("asks v1", after)])
    gained = sum(after[i] > before[i] for i in before)
    lost = sum(after[i] < before[i] for i in before)
    assert share.same_items is not None and share.same_items.n == 80
    assert share.same_items.value == pytest.approx((gained - lost) / 80) == pytest.approx(share.reported)
    assert share.p == pytest.approx(float(mcnemar([[0, gained], [lost, 0]], exact=True).pvalue))  # type: ignore[attr-defined]
    assert share.p_holm == share.p and math.isnan(length.p_holm)
    x, y = ([10 * side_[i] + int(i[1:]) for i in before] for side_ in (before, after))
    known = stats.ttest_rel(y, x)
    low, high = known.confidence_interval()
    assert length.same_items is not None
    assert (length.same_items.low, length.same_items.high) == pytest.approx((low, high))
    assert length.p == pytest.approx(known.pvalue)
    assert share.reference is not None and share.reference.value == 0
    assert share.by_items is None and share.by_detector is None


def test_that_policy_detector_and_items_add_up_to_what_was_reported() -> None:
    before, after = drawn(60, 0.5, 3), {f"i{n}": value for n, value in enumerate(drawn(70, 0.3, 4).values(), start=20)}
    today = {**after, **dict.fromkeys(("i25", "i30", "i41"), 1.0)}
    share, length = compare_values([side("asks v1", before)], [side("asks v2", after, today)])
    for row in (share, length):
        parts = (row.same_items, row.by_detector, row.by_items)
        assert all(part is not None for part in parts)
        assert sum(part.value for part in parts if part is not None) == pytest.approx(row.reported)
        assert row.same_items is not None and row.same_items.n == 40
        assert row.by_items is not None and row.by_items.low < row.by_items.value < row.by_items.high
    moved = [after[i] - today[i] for i in after if i in before]
    assert share.by_detector is not None and share.by_detector.value == pytest.approx(sum(moved) / 40)


def test_that_a_bridge_is_what_one_policy_scores_on_both_versions_and_only_items_explain_the_change() -> None:
    old = drawn(40, 0.4, 6)
    new = {**{id_: old[id_] for id_ in list(old)[10:]}, **{f"i{n}": 1.0 for n in range(40, 60)}}
    other = side("tells v1", drawn(5, 0.5, 7))
    share, length, *rest = bridge_scores([side("asks v10", new), side("asks v2", old), other])
    assert rest == [] and (share.old_suite, share.suite) == ("asks v2", "asks v10"), "versions are ordered as numbers"
    assert (share.before.value, share.before.n) == (pytest.approx(sum(old.values()) / 40), 40)
    assert (share.after.value, share.after.n) == (pytest.approx(sum(new.values()) / 50), 50)
    assert share.same_items is not None and (share.same_items.value, share.same_items.n) == (0.0, 30)
    assert share.by_items is not None and share.by_items.value == pytest.approx(share.reported)
    assert length.by_items is not None and length.by_items.value == pytest.approx(length.reported)
    assert bridge_scores([side("asks v1", old)]) == []


def test_that_an_item_that_asks_something_else_is_another_item() -> None:
    values = drawn(10, 0.5, 5)
    old, new = side("asks v1", values), side("asks v2", values)
    other = SuiteValues(
        new.title, new.sha256, {**new.asked, "i0": "something else"}, new.groups, new.policy, new.noted, new.reference
    )
    assert [row.same_items.n for row in compare_values([old], [other]) if row.same_items] == [9, 9]
    none = SuiteValues(new.title, new.sha256, {}, new.groups, new.policy, new.noted, new.reference)
    assert {row.same_items for row in compare_values([old], [none])} == {None}
    assert compare_values([old], [side("others v1", values)]) == []


def test_that_an_evaluation_compared_with_itself_differs_in_nothing(finished: EvaluationFolder) -> None:
    values = suite_values(finished, lambda _: ())
    assert [suite.title for suite in values] == ["rankings v1", "asks v2"]
    evidence = finished.evidence() or {}
    rows = compare_values(values, values)
    assert {row.metric for row in rows} >= {"ranking_accuracy", "length", "h", "sequence_kl"}
    for row in rows:
        known = evidence["suites"][row.suite]["metrics"][row.metric]["aligned"]
        assert (row.after.value, row.after.low, row.after.n) == (
            known["value"],
            known["lo"] or row.after.low,
            known["n"],
        )
        assert row.same_items is not None and (row.same_items.value, row.reported) == (0.0, 0.0)
        assert row.by_items is None and row.by_detector is None

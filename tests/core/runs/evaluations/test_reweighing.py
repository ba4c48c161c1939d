"""A suite in another mix of its slices, against numbers worked out by hand."""

from __future__ import annotations

import pytest

from core.domain.errors import BadInput
from core.domain.reweighed import Reweighed
from core.runs.evaluations.columns import Column
from core.runs.evaluations.paired import SuiteValues
from core.runs.evaluations.reweighing import normalised, reweighed

POLICY = {"a1": 1.0, "a2": 1.0, "a3": 1.0, "a4": 1.0, "b1": 0.0, "b2": 0.0, "none": 1.0}
REFERENCE = {"a1": 1.0, "a2": 1.0, "a3": 0.0, "a4": 0.0, "b1": 1.0, "b2": 1.0, "none": 0.0}
SLICES = {item: {"a": "chat", "b": "code"}.get(item[0], "") for item in POLICY}


def values() -> SuiteValues:
    def columns(own: dict[str, float]) -> dict[str, Column]:
        return {
            "checks_passed": Column("checks_passed", "share", "share", own, is_primary=True),
            "finished": Column("finished", "share", "share", own),
        }

    return SuiteValues("mixed v1", "", {}, {item: item for item in POLICY}, columns(POLICY), {}, columns(REFERENCE))


def test_that_levels_and_the_difference_are_those_of_the_target_mix() -> None:
    (found,) = reweighed(values(), SLICES, {"chat": 0.25, "code": 0.75}, 2)
    assert found.metric == "checks_passed", "only primary metrics"
    assert (found.policy.value, found.reference.value) == pytest.approx((0.25, 0.875))
    assert (found.difference.value, found.difference.n) == (pytest.approx(-0.625), 6)
    assert "target mix" in found.difference.estimator
    assert found.pooled.value == pytest.approx(0.0)
    (flat,) = reweighed(values(), SLICES, {"chat": 1.0}, 2)
    assert flat.difference.value == pytest.approx(0.5)
    assert 0 <= flat.reference.low < flat.reference.value < flat.reference.high <= 1


def test_that_weights_are_numbers_that_add_up_to_one() -> None:
    assert normalised({"chat": 3, "code": 1, "none": 0}) == {"chat": 0.75, "code": 0.25}
    for weights in ({"chat": -1.0}, {"chat": float("nan")}, {"chat": 0.0}):
        with pytest.raises(BadInput):
            normalised(weights)


def test_that_a_part_of_the_mix_without_items_is_told() -> None:
    found = Reweighed("mixed v1", "category", {"chat": 0.8, "maths": 0.2}, "as given", 0.8, {"chat": 1.0}, ())
    assert found.notes == ("The suite has no item of maths: 20 % of the target mix is in no number.",)

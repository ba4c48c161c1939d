from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.domain.errors import NotFound
from core.runs.ledger.step_progress import StepProgress
from core.services.runs.x_places import XPlaces, x_places


def reader(run_id: str, progress: StepProgress, parent: tuple[str, int] = ("", 0)) -> Any:
    record = SimpleNamespace(run_id=run_id, parent_run=parent[0], parent_step=parent[1])
    return SimpleNamespace(record=lambda: record, progress=lambda: progress)


def none(run_id: str) -> Any:
    raise NotFound(f"No run {run_id}.", "")


def test_that_a_step_stands_where_its_sum_is_and_is_found_again() -> None:
    places = x_places(reader("a", StepProgress((1, 2, 3), (8, 16, 18), (), (0.5, 2.0, 2.5))), none)
    assert set(places) == {"pairs", "minutes"}
    assert places["pairs"].of(np.array([0.0, 1.0, 2.5, 3.0])).tolist() == [0.0, 8.0, 17.0, 18.0]
    assert places["pairs"].steps_at(np.array([4.0, 16.0, 17.0])).tolist() == [0.5, 2.0, 2.5]


def test_that_planned_steps_stand_where_the_mean_so_far_leads_and_are_found_again() -> None:
    places = XPlaces([0, 2, 4], [0, 4, 20])
    assert places.of(np.array([6.0, -2.0])).tolist() == [30.0, -10.0]
    assert places.steps_at(np.array([30.0, -10.0])).tolist() == [6.0, -2.0]
    assert np.isnan(places.of(np.array([np.nan]))[0])


def test_that_a_fork_goes_on_where_its_parent_was() -> None:
    parent = reader("a", StepProgress((1, 2, 3), (8, 16, 24), (80, 160, 240), (1.0, 2.0, 3.0)))
    child = reader("b", StepProgress((3, 4), (4, 8), (40, 80), (0.5, 1.0)), ("a", 2))
    grandchild = reader("c", StepProgress((4,), (2,), (20,), (0.25,)), ("b", 3))
    find = {"a": parent, "b": child}.__getitem__
    assert x_places(child, find)["pairs"].of(np.array([0.0, 1, 2, 3, 4])).tolist() == [0, 8, 16, 20, 24]
    found = x_places(grandchild, find)["minutes"]
    assert found.of(np.array([1.0, 2, 3, 4])).tolist() == [1.0, 2.0, 2.5, 2.75]


@pytest.mark.parametrize("parent", ["gone", "b"], ids=["not there", "itself"])
def test_that_a_fork_without_its_parent_counts_from_the_fork(parent: str) -> None:
    child = reader("b", StepProgress((3, 4), (4, 8), (), (0.5, 1.0)), (parent, 2))
    assert x_places(child, none)["pairs"].of(np.array([2.0, 3.0, 4.0])).tolist() == [0.0, 4.0, 8.0]


def test_that_a_run_without_steps_or_without_growth_has_no_places() -> None:
    assert x_places(reader("a", StepProgress()), none) == {}
    still = StepProgress((1, 2), (4, 8), (), (0.0, 0.0))
    assert set(x_places(reader("a", still), none)) == {"pairs"}


def test_that_equal_places_are_known_as_the_same() -> None:
    one = XPlaces([0, 1], [0, 4])
    assert one.same_as(XPlaces([0, 1], [0, 4]))
    assert not one.same_as(XPlaces([0, 1], [0, 5])) and not one.same_as(None)

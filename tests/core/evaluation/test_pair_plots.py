"""Plots of all pairs, with values that were worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.domain.estimate import Estimate
from core.evaluation.estimates import gap_between
from core.evaluation.pair_plots import margin_heat, slice_curves, weight_spectrum
from core.evaluation.statistics import wilson


def test_that_bins_are_the_same_for_every_step_with_zero_on_an_edge() -> None:
    heat = margin_heat([0, 0, 5, 5, 5], [-1.0, 1.0, -1.0, 2.5, math.nan], bins=4)
    assert heat.edges == (-1.0, 0.0, 1.0, 2.0, 3.0)
    assert heat.counts.tolist() == [[1, 0, 1, 0], [1, 0, 0, 1]]
    assert heat.n.tolist() == [2, 3]
    assert heat.missing.tolist() == [0, 1]
    assert heat.levels[1].tolist() == [0.0, 0.75], "the median leaves out what is not a number"
    assert heat.shares[1].tolist() == pytest.approx([1 / 3, 0, 0, 1 / 3])
    assert heat.borders.tolist() == [0.0, 2.5, 5.0]
    assert [heat.column_of(step) for step in (-1, 0, 2, 3, 99)] == [0, 0, 0, 1, 1]
    assert [heat.bin_at(h) for h in (-1.5, -1.0, 0.0, 2.9, 3.0)] == [None, 0, 2 - 1, 3, None]
    assert heat.words_of(0) == "h −1 to 0"


def test_that_many_steps_share_columns_and_no_measurement_is_lost() -> None:
    steps = np.repeat(np.arange(1, 1001), 3)
    heat = margin_heat(steps, np.sin(np.arange(steps.size)), most_columns=240)
    assert heat.first.size == 200, "five steps a column"
    assert (heat.first[1], heat.last[1], heat.n[1]) == (6, 10, 15)
    assert heat.last[-1] == 1000
    assert heat.counts.sum() == steps.size
    none = margin_heat([], [])
    assert (none.n.size, none.borders.size, none.column_of(3)) == (0, 0, -1)


def test_that_a_spectrum_is_ranked_and_leads_back_to_its_pairs() -> None:
    found = weight_spectrum([0.04, 0.6, math.nan, 0.3])
    assert found.weights.tolist() == [0.6, 0.3, 0.04]
    assert found.order.tolist() == [1, 3, 0]
    assert found.effective == pytest.approx(0.94**2 / (0.36 + 0.09 + 0.0016))
    assert (found.saturated.count, found.wrong_side.count, found.saturated.n) == (1, 1, 3)


def test_that_slices_have_their_own_interval_and_the_worst_comes_first() -> None:
    ids, slices = ["a", "b", "c"], {"a": ("x", "all"), "b": ("x", "all"), "c": ("y", "all")}
    curves = slice_curves([0, 0, 0, 5, 5, 5], [0.0, 1.0, 1.0, -1.0, 0.0, 2.0], ids * 2, slices)
    assert [curve.name for curve in curves] == ["x", "y"], "a slice of all pairs is no slice"
    assert [share.value for share in curves[0].accuracy] == [0.75, 0.25]
    assert (curves[0].newest.low, curves[0].newest.high) == wilson(0.5, 2)
    assert (curves[0].steps, curves[0].newest.n, curves[0].pair_ids) == ((0, 5), 2, ("a", "b"))


def test_that_a_gap_has_the_interval_of_both_sides() -> None:
    gap = gap_between(Estimate(3.0, 2.0, 5.0, 10, "nats", ""), Estimate(1.0, 0.5, 1.5, 8, "nats", ""))
    assert gap.value == 2.0
    assert gap.low == pytest.approx(2.0 - math.hypot(1.0, 0.5))
    assert gap.high == pytest.approx(2.0 + math.hypot(2.0, 0.5))
    assert gap.n == 18

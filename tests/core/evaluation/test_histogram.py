from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.histogram import histogram, round_step

FLOATS = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=200)


@given(FLOATS)
def test_that_every_value_stands_in_exactly_one_bar(values):
    found = histogram(values)
    assert sum(found.counts) == len(values)
    assert len(found.edges) == len(found.counts) + 1
    assert list(found.edges) == sorted(set(found.edges))
    by_bar = [found.members(values, i) for i in range(len(found.counts))]
    assert [len(m) for m in by_bar] == list(found.counts)


@given(FLOATS)
def test_that_right_and_wrong_never_share_a_bar(values):
    found = histogram(values)
    assert 0.0 in found.edges
    zero = found.edges.index(0.0)
    assert sum(found.counts[:zero]) == sum(v < 0 for v in values)


def test_that_bars_are_about_as_many_as_asked_for_and_round():
    rng = np.random.default_rng(0)
    found = histogram(rng.normal(size=5000), bins=40)
    assert 20 <= len(found.counts) <= 42
    assert found.edges[1] - found.edges[0] == pytest.approx(0.2)


def test_that_an_outlier_is_gathered_at_the_end_and_counted():
    found = histogram([*np.linspace(-1, 1, 1000), 1000.0])
    assert found.edges[-1] < 2
    assert found.above >= 1
    assert found.bin_of(1000.0) == len(found.counts) - 1


def test_that_what_is_not_finite_is_counted_apart():
    found = histogram([1.0, math.nan, math.inf])
    assert (sum(found.counts), found.missing) == (1, 2)
    assert found.bin_of(math.nan) is None
    assert sum(histogram([]).counts) == 0


def test_that_equal_values_make_one_bar():
    found = histogram([0.0] * 8)
    assert max(found.counts) == 8
    found = histogram([0.0, 2e-11, -3e-11])  # what rounding leaves of a policy that is the reference
    assert (found.edges, found.counts) == ((-0.1, 0.0, 0.1), (1, 2))


def test_that_a_brush_names_the_values_under_it():
    values = [-0.9, -0.1, 0.1, 0.9]
    found = histogram(values, bins=4, clip=0)
    assert found.members(values, found.bin_of(0.05) or 0, len(found.counts) - 1) == [2, 3]


def test_that_steps_are_round():
    assert [round_step(w) for w in (0.011, 0.2, 2.1, 70)] == pytest.approx([0.02, 0.2, 2.5, 100])
    assert round_step(0) == 1.0

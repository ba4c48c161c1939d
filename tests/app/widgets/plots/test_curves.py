"""Curves: smoothing, thinning, numbers as the readout prints them."""

import numpy as np
import pytest

from app.widgets.plots.curves import Curve, format_value, nearest, not_shown_on_log, smooth, thin


def test_that_the_first_smoothed_value_is_the_first_value():
    assert smooth(np.array([4.0, 4.0, 4.0]), 0.9) == pytest.approx([4.0, 4.0, 4.0])


def test_that_debiased_smoothing_equals_its_closed_form():
    values, weight = np.array([1.0, 2.0, 4.0]), 0.5
    expected = [1.0, (0.5 * 2 + 0.25 * 1) / 0.75, (0.5 * 4 + 0.25 * 2 + 0.125 * 1) / 0.875]
    assert smooth(values, weight) == pytest.approx(expected)


def test_that_a_missing_value_stays_missing_and_does_not_enter_the_average():
    smoothed = smooth(np.array([1.0, np.nan, 1.0]), 0.9)
    assert np.isnan(smoothed[1])
    assert smoothed[2] == pytest.approx(1.0)


def test_that_thinning_keeps_a_single_spike_among_a_million_points():
    y = np.zeros(1_000_000)
    y[123_456] = 7.0
    _, kept = thin(np.arange(y.size, dtype=float), y, 500)
    assert kept.size <= 1000
    assert kept.max() == 7.0


def test_that_thinning_keeps_the_order_of_steps():
    x, _ = thin(np.arange(10_000, dtype=float), np.random.default_rng(0).normal(size=10_000), 100)
    assert (np.diff(x) > 0).all()


def test_that_a_log_axis_counts_what_it_cannot_show():
    assert not_shown_on_log(np.array([1.0, 0.0, -2.0, np.nan])) == 2


def test_that_the_nearest_step_wins():
    assert nearest(np.array([0.0, 10.0, 20.0]), 14.0) == 1
    assert nearest(np.array([0.0, 10.0, 20.0]), 99.0) == 2


def test_that_a_curve_tells_its_newest_finite_value():
    assert Curve(np.array([1.0, 2.0]), np.array([3.0, np.nan])).last == 3.0
    assert Curve().last is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.6931472, "0.693"), (-1.92, "−1.920"), (12.3456, "12.35"), (None, "–"), (float("nan"), "–"), (1e-6, "1e-06")],
)
def test_that_numbers_print_with_four_digits(value, text):
    assert format_value(value) == text.replace("1e-06", "1e−06")

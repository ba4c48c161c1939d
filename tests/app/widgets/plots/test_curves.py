"""Curves: smoothing, thinning, numbers as the readout prints them."""

import numpy as np
import pytest

from app.widgets.plots.curve_items import spread
from app.widgets.plots.curves import Curve, CurveSpec, nearest, not_shown_on_log, outside, seen, smooth, summarise, thin
from app.widgets.plots.head_text import head_texts
from core.domain.number_text import format_value


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
    [
        (0.6931472, "0.693"),
        (-1.92, "−1.920"),
        (12.3456, "12.35"),
        (1234.56, "1235"),
        (0.0, "0.000"),
        (0.0749, "0.0749"),
        (0.00123, "0.00123"),
        (0.0005, "0.000500"),
        (1e-6, "1e-06"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_that_numbers_print_with_four_digits_and_small_ones_are_not_zero(value, text):
    assert format_value(value) == text.replace("1e-06", "1e−06")


def test_that_smoothing_by_blocks_equals_smoothing_one_by_one():
    values = np.random.default_rng(1).normal(size=1000)
    values[[0, 5, 500]] = np.nan
    for weight in (0.01, 0.5, 0.99):
        total = norm = 0.0
        expected = np.full(values.size, np.nan)
        for i in np.flatnonzero(np.isfinite(values)):
            total, norm = weight * total + (1 - weight) * values[i], weight * norm + 1 - weight
            expected[i] = total / norm
        assert smooth(values, weight) == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_that_a_stretch_without_numbers_stays_a_gap_when_thinned():
    y = np.ones(10_000)
    y[4000:6000] = np.nan
    _, kept = thin(np.arange(10_000.0), y, 100)
    assert np.isnan(kept).any()


def test_that_a_stretch_is_summed_up_exactly():
    found = summarise(Curve(np.arange(5.0), np.array([0.0, 2.0, np.nan, 6.0, 8.0])), 1, 3)
    assert found is not None
    assert (found.count, found.mean, found.deviation, found.slope) == (2, 4.0, 2.0, 2.0)
    assert summarise(Curve(), 0, 9) is None


def test_that_words_too_near_are_moved_apart_evenly():
    assert spread([1.0, 1.2, 9.0], 1.0) == pytest.approx([0.6, 1.6, 9.0])


def test_that_values_outside_the_middle_are_counted():
    values = np.array([-900.0, *np.linspace(0, 1, 98), 900.0, np.nan])
    assert outside(values, 0.98) == 2
    assert outside(values, 1.0) == 0
    assert outside(np.array([np.nan]), 0.98) == 0
    assert outside(np.linspace(0, 1, 10), 0.98) == 0


def test_that_a_peak_is_still_there_where_a_curve_is_thinned_twice_and_no_bucket_is_coarser() -> None:
    x, y = np.arange(400_000.0), np.zeros(400_000)
    y[123_457], y[300_001] = 5.0, -7.0
    finer = thin(x, y, 20 * 900)
    for left, right in ((0.0, 400_000.0), (120_000.0, 200_000.0)):
        there, values = thin(*seen(*finer, left, right), 900)
        assert values.max() == 5.0 and there[values.argmax()] == 123_457.0
    assert thin(*finer, 900)[1].min() == -7.0


@pytest.mark.parametrize(
    ("steps", "kept", "undone"),
    [
        ([0, 10, 20, 30, 15, 20, 25], [0, 1, 4, 5, 6], 2),  # a run that went on from step 10 after it had reached 30
        ([0, 1, 99999, 2, 3], [0, 1, 3, 4], 1),  # one record far ahead of its neighbours
        ([0, 1, 2, 0, 1], [3, 4], 3),  # begun again
        ([0, 1, 1, 2], [0, 2, 3], 1),  # the newer value of a step
        ([0, 1, float("nan"), 2], [0, 1, 3], 1),
        ([0, 1, 2], [0, 1, 2], 0),
        ([], [], 0),
    ],
)
def test_that_a_curve_whose_steps_go_back_is_one_line_of_what_counts(steps, kept, undone):
    curve = Curve(np.array(steps, dtype=float), np.arange(float(len(steps)))).in_order()
    assert curve.values.tolist() == kept
    assert (np.diff(curve.steps) > 0).all()
    assert curve.undone == undone
    assert curve.in_order() is curve, "what is in order stays as it is"


def test_that_intervals_go_with_their_values_when_a_curve_is_put_in_order():
    steps, values = np.array([1.0, 2.0, 3.0, 2.0]), np.array([0.1, 0.2, 0.3, 0.4])
    curve = Curve(steps, values, values - 1, values + 1, np.full(4, 8.0)).in_order()
    assert curve.low.tolist() == [0.1 - 1, 0.4 - 1]
    assert curve.n.tolist() == [8.0, 8.0]


@pytest.mark.parametrize("value", [1e-4, 0.1, 1 / 3, 1e300, -7.3])
def test_that_a_smoothed_constant_is_exactly_constant(value):
    assert set(smooth(np.full(500, value), 0.85).tolist()) == {value}


def test_that_smoothed_values_stay_between_those_before_them():
    raw = np.random.default_rng(1).normal(size=400)
    smoothed = smooth(raw, 0.97)
    assert (smoothed <= np.maximum.accumulate(raw)).all()
    assert (smoothed >= np.minimum.accumulate(raw)).all()


def test_that_a_head_names_the_first_step_without_a_number_and_what_was_out_of_order():
    spec, nan = CurveSpec("loss", "accent", "loss"), float("nan")
    curve = Curve(np.array([1.0, 2.0, 9.0, 3.0, 4.0]), np.array([1.0, nan, 5.0, nan, 2.0])).in_order()
    texts = head_texts([(spec, curve)])
    assert texts[0] == "2.000  (2 not a number, the first at step 2, 1 out of order)"
    assert "2.000  (2 not a number, 1 out of order)" in texts
    assert texts[-1] == "2.000"
    only = Curve(np.array([7.0]), np.array([nan]))
    assert head_texts([(spec, only)]) == ["–  (1 not a number, at step 7)", "–  (1 not a number)", "–"]

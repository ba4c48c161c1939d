from __future__ import annotations

import numpy as np

from core.generation.seeds import MAX_SEED, derive_seed, uniforms


def test_that_a_longer_stream_begins_with_the_shorter_one():
    np.testing.assert_array_equal(uniforms(7, 100)[:3], uniforms(7, 3))


def test_that_the_stream_of_a_seed_never_changes():
    np.testing.assert_array_equal(uniforms(0, 3), [0.011546754286331562, 0.24154919656271812, 0.11142585551493822])


def test_that_numbers_are_spread_evenly_over_zero_to_one():
    numbers = np.concatenate([uniforms(seed, 200) for seed in range(200)])
    counts = np.histogram(numbers, bins=10, range=(0, 1))[0]
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert np.abs(counts - 4000).max() < 5 * 60


def test_that_derived_seeds_differ_by_every_part_and_fit_a_signed_integer():
    seeds = {derive_seed(base, name, k) for base in range(3) for name in ("a", "b") for k in range(5)}
    assert len(seeds) == 30
    assert all(0 <= s <= MAX_SEED for s in seeds)
    assert derive_seed(1, "a", "b") != derive_seed(1, "ab")

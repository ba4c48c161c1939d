from __future__ import annotations

import random

import pytest

from core.domain.label_noise import NoiseCounts, NoiseReport, flip_rate


def test_that_nothing_measured_is_no_rate() -> None:
    assert flip_rate(NoiseCounts(undecided=3)) is None
    assert "not measured" in NoiseReport(NoiseCounts(), None).sentence()


@pytest.mark.parametrize(
    ("counts", "rate"),
    [
        (NoiseCounts(golds=20, missed=2), 0.1),
        (NoiseCounts(retests=100, changed=18), 0.1),  # 2 * 0.1 * 0.9 = 0.18
        (NoiseCounts(retests=100, changed=18, golds=50, missed=5), 0.1),
        (NoiseCounts(retests=10, changed=0), 0.0),
        (NoiseCounts(retests=10, changed=9), 0.5),
        (NoiseCounts(golds=10, missed=9), 0.5),
    ],
)
def test_that_the_rate_is_the_most_likely_one(counts: NoiseCounts, rate: float) -> None:
    found = flip_rate(counts)
    assert found is not None
    assert found.rate == pytest.approx(rate, abs=2e-4)
    assert 0 <= found.low <= found.rate <= found.high <= 0.5


def test_that_no_mistake_in_few_answers_still_allows_many() -> None:
    few, many = flip_rate(NoiseCounts(golds=5)), flip_rate(NoiseCounts(golds=500))
    assert few is not None
    assert many is not None
    assert (few.rate, many.rate) == (0.0, 0.0)
    assert few.high > 0.25
    assert many.high < 0.01


@pytest.mark.parametrize(("tables", "least"), [(50, 45), pytest.param(200, 184, marks=pytest.mark.slow)])
def test_that_the_interval_covers_the_truth_as_often_as_it_says(tables: int, least: int) -> None:
    rng, truth, hits = random.Random(3), 0.12, 0
    for _ in range(tables):
        changed = sum((rng.random() < truth) != (rng.random() < truth) for _ in range(60))
        missed = sum(rng.random() < truth for _ in range(40))
        found = flip_rate(NoiseCounts(60, changed, 40, missed))
        assert found is not None
        hits += found.low <= truth <= found.high
    assert hits >= least

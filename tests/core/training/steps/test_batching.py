"""The order of the data and the cutting of steps into forward passes."""

from __future__ import annotations

from collections import Counter

import pytest

from core.domain.errors import BadInput
from core.domain.run_config import RunConfig
from core.training.scoring import EncodedPair
from core.training.steps.batching import DataOrder, MicroBatches, total_steps


def pair(length: int, name: str = "p") -> EncodedPair:
    return EncodedPair(name, tuple(range(length - 2)), (1,), (2,), (1,), (1,))


@pytest.mark.parametrize(
    ("pairs", "values", "expected"),
    [
        (24, {"batch_size": 4}, 6),
        (25, {"batch_size": 4}, 7),
        (24, {"batch_size": 4, "epochs": 1.5}, 9),
        (25, {"batch_size": 4, "epochs": 0.1}, 1),
        (24, {"batch_size": 4, "epochs": 3.0, "steps": 5}, 5),
        (3, {"batch_size": 8, "epochs": 2.0}, 2),
    ],
)
def test_that_steps_follow_from_epochs_unless_they_are_given(pairs: int, values: dict, expected: int) -> None:
    assert total_steps(pairs, RunConfig(**values)) == expected


def test_that_a_run_without_pairs_is_refused() -> None:
    with pytest.raises(BadInput):
        total_steps(0, RunConfig())


def test_that_each_epoch_visits_every_pair_once_in_its_own_order() -> None:
    order = DataOrder(10, RunConfig(batch_size=4, seed=3))
    epochs = [[i for step in range(1, 4) for i in order.batch(3 * epoch + step)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert [len(order.batch(step)) for step in (1, 2, 3, 4)] == [4, 4, 2, 4]


def test_that_the_order_follows_from_seed_and_step_alone() -> None:
    config = RunConfig(batch_size=4, seed=7)
    forward = [DataOrder(10, config).batch(step) for step in range(1, 10)]
    jumping = DataOrder(10, config)
    assert [jumping.batch(step) for step in (9, 2, 5)] == [forward[8], forward[1], forward[4]]
    assert DataOrder(10, RunConfig(batch_size=4, seed=8)).batch(1) != forward[0]


def test_that_file_order_is_kept_when_asked_for() -> None:
    order = DataOrder(5, RunConfig(batch_size=2, shuffle=False))
    assert [order.batch(step) for step in range(1, 5)] == [[0, 1], [2, 3], [4], [0, 1]]
    assert [order.epochs_done(step) for step in (0, 1, 3, 4)] == [0.0, 0.4, 1.0, 1.4]


def test_that_micro_batches_by_count_are_even_and_lose_nobody() -> None:
    pairs = [pair(length) for length in (9, 3, 12, 5, 7, 4, 6)]
    groups = MicroBatches(count=3).split(pairs)
    assert sorted(len(group) for group in groups) == [2, 2, 3]
    assert sorted(i for group in groups for i in group) == list(range(7))
    assert groups[0][0] == 2


def test_that_micro_batches_by_tokens_stay_within_the_budget_but_for_single_pairs() -> None:
    pairs = [pair(length) for length in (9, 3, 30, 5, 7, 4, 6)]
    groups = MicroBatches(tokens=12).split(pairs)
    assert Counter(i for group in groups for i in group) == Counter(range(7))
    assert all(len(group) == 1 or sum(pairs[i].length for i in group) <= 12 for group in groups)
    assert [2] in groups


def test_that_halving_ends_at_one_pair() -> None:
    pairs = [pair(5) for _ in range(6)]
    micro = MicroBatches(tokens=1000)
    sizes = []
    while micro.halve(pairs):
        sizes.append(max(len(group) for group in micro.split(pairs)))
    assert sizes == [3, 1]


def test_that_the_memory_plan_bounds_the_token_budget() -> None:
    assert MicroBatches.choose(RunConfig(), "shared", "cuda", fits=700).tokens == 700
    assert MicroBatches.choose(RunConfig(), "shared", "cuda", fits=10**9).tokens == 16384
    assert MicroBatches.choose(RunConfig(), "separate", "cpu", fits=100).tokens == 100
    assert MicroBatches.choose(RunConfig(), "shared", "cuda").tokens == 16384


def test_that_the_cpu_takes_one_prefix_shared_pair_at_a_time() -> None:
    pairs = [pair(5) for _ in range(3)]
    assert [len(g) for g in MicroBatches.choose(RunConfig(), "shared", "cpu").split(pairs)] == [1, 1, 1]
    assert [len(g) for g in MicroBatches.choose(RunConfig(), "separate", "cpu").split(pairs)] == [3]
    assert [len(g) for g in MicroBatches.choose(RunConfig(micro_batch=2), "shared", "cuda").split(pairs)] == [2, 1]

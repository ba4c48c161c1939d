"""Cutting a step into forward passes."""

from __future__ import annotations

from collections import Counter

from core.domain.run_config import RunConfig
from core.training.steps.micro_batches import MicroBatches
from core.training.text.encoded_pair import EncodedPair


def pair(length: int, name: str = "p") -> EncodedPair:
    return EncodedPair(name, tuple(range(length - 2)), (1,), (2,), (1,), (1,))


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

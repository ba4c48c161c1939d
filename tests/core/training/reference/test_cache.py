from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from core.training.forward.prefix_shared import PrefixSharedScorer
from core.training.reference.cache import ReferenceCache, ReferenceIdentity, decode_segment, encode_segment
from tests.core.training.forward.scorer_twin import adapter_policy, random_pairs

IDENTITY = ReferenceIdentity("base", "base", "float32", "none", "kernel")


class CountingScorer:
    """Passes on to a scorer and counts the pairs it was asked for."""

    name = kernel_id = "counting"

    def __init__(self, scorer):
        self.scorer, self.pairs = scorer, 0

    def score(self, pairs, **options):
        assert options == {"policy": False, "stats": False}
        self.pairs += len(pairs)
        return self.scorer.score(pairs, **options)


@pytest.fixture
def scorer():
    return CountingScorer(PrefixSharedScorer(adapter_policy()))


def fetch(tmp_path, scorer, pairs, identity=IDENTITY):
    cache = ReferenceCache(tmp_path, identity)
    return cache.fetch(pairs, scorer), cache


def test_that_a_second_fetch_computes_nothing_and_returns_the_same_bits(tmp_path, scorer):
    pairs = random_pairs(5)
    first, _ = fetch(tmp_path, scorer, pairs)
    second, cache = fetch(tmp_path, scorer, pairs)
    assert scorer.pairs == 5
    assert (cache.hits, cache.misses) == (5, 0)
    for pair in pairs:
        assert all(torch.equal(a, b) for a, b in zip(first[pair.pair_id], second[pair.pair_id], strict=True))


def test_that_an_edit_of_the_data_costs_only_the_edited_pairs(tmp_path, scorer):
    pairs = random_pairs(5)
    fetch(tmp_path, scorer, pairs)
    edited = [replace(pairs[3], pair_id="new name"), replace(pairs[0], chosen_ids=(9, *pairs[0].chosen_ids[1:]))]
    _, cache = fetch(tmp_path, scorer, [*edited, pairs[4]])
    assert (cache.hits, cache.misses) == (2, 1)
    assert scorer.pairs == 6


@pytest.mark.parametrize("name", [f.name for f in fields(ReferenceIdentity)])
def test_that_whatever_computes_differently_finds_nothing(tmp_path, scorer, name):
    pairs = random_pairs(2)
    fetch(tmp_path, scorer, pairs)
    _, cache = fetch(tmp_path, scorer, pairs, replace(IDENTITY, **{name: "other"}))
    assert (cache.hits, cache.misses) == (0, 2)


@pytest.mark.parametrize("name", ["prompt_ids", "chosen_ids", "rejected_ids", "chosen_mask", "rejected_mask"])
def test_that_any_change_of_tokens_or_masks_finds_nothing(tmp_path, scorer, name):
    (pair,) = random_pairs(1, masked=False)
    fetch(tmp_path, scorer, [pair])
    values = getattr(pair, name)
    changed = replace(pair, **{name: (*values[:-1], 0 if name.endswith("mask") else values[-1] + 1)})
    _, cache = fetch(tmp_path, scorer, [changed])
    assert cache.misses == 1


def test_that_what_the_forward_pass_does_not_see_is_no_part_of_the_key(tmp_path, scorer):
    (pair,) = random_pairs(1)
    fetch(tmp_path, scorer, [pair])
    _, cache = fetch(tmp_path, scorer, [replace(pair, pair_id="x", weight=3.0, target=0.5, is_tie=True)])
    assert cache.hits == 1


@pytest.mark.parametrize(
    "harm", [lambda d: d[:-3], lambda d: d[:-1] + bytes([d[-1] ^ 1]), lambda d: b"{", lambda d: b""]
)
def test_that_a_damaged_file_is_ignored_and_computed_again(tmp_path, scorer, harm):
    pairs = random_pairs(3)
    first, _ = fetch(tmp_path, scorer, pairs)
    (path,) = tmp_path.rglob("*.seg")
    path.write_bytes(harm(path.read_bytes()))
    again, cache = fetch(tmp_path, scorer, pairs)
    assert (cache.damaged, cache.misses) == (1, 3)
    assert torch.equal(again["p0"][0], first["p0"][0])
    assert fetch(tmp_path, scorer, pairs)[1].misses == 0


def test_that_an_interrupted_pass_keeps_what_it_computed(tmp_path, scorer):
    pairs = random_pairs(6)
    filling = ReferenceCache(tmp_path, IDENTITY).fill(pairs, scorer, batch=2)
    assert [next(filling), next(filling)] == [(2, 6), (4, 6)]
    filling.close()
    _, cache = fetch(tmp_path, scorer, pairs)
    assert (cache.hits, cache.misses) == (4, 2)


def test_that_equal_pairs_are_computed_once_and_progress_is_told(tmp_path, scorer):
    pairs = random_pairs(3)
    seen = []
    cache = ReferenceCache(tmp_path, IDENTITY)
    found = cache.fetch([*pairs, replace(pairs[0], pair_id="twin")], scorer, lambda *p: seen.append(p), batch=2)
    assert seen == [(2, 3), (3, 3)]
    assert torch.equal(found["twin"][0], found["p0"][0])


def test_that_without_a_folder_everything_stays_in_memory(tmp_path, scorer):
    pairs = random_pairs(2)
    cache = ReferenceCache(None, IDENTITY)
    cache.fetch(pairs, scorer)
    cache.fetch(pairs, scorer)
    assert scorer.pairs == 2


def test_that_a_full_disk_loses_the_record_and_not_the_run(tmp_path, scorer):
    (tmp_path / "reference").write_text("a file where a folder should be")
    pairs = random_pairs(2)
    found, _ = fetch(tmp_path, scorer, pairs)
    assert set(found) == {"p0", "p1"}


def test_that_a_segment_keeps_double_precision_and_refuses_what_is_not_finite():
    record = {"k": (torch.tensor([0.1], dtype=torch.float64), torch.tensor([], dtype=torch.float64))}
    assert decode_segment(encode_segment(record))["k"][0].item() == 0.1
    record["k"][0][0] = float("nan")
    with pytest.raises(ValueError, match="not finite"):
        decode_segment(encode_segment(record))

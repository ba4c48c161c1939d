from __future__ import annotations

from collections import Counter

import pytest

from core.domain.ids import sha256_text
from core.domain.splits import first_spellings, split_of

PROMPTS = [sha256_text(str(i)) for i in range(5000)]


def test_that_sizes_are_near_the_shares() -> None:
    counts = Counter(split_of(sha, 1, (0.8, 0.1, 0.1)) for sha in PROMPTS)
    for split, share in (("train", 0.8), ("dev", 0.1), ("test", 0.1)):
        spread = (share * (1 - share) * len(PROMPTS)) ** 0.5
        assert abs(counts[split] - share * len(PROMPTS)) < 4 * spread


def test_that_another_seed_is_another_draw_and_the_same_seed_the_same() -> None:
    first = [split_of(sha, 1, (0.5, 0.25, 0.25)) for sha in PROMPTS]
    assert first == [split_of(sha, 1, (0.5, 0.25, 0.25)) for sha in PROMPTS]
    assert first != [split_of(sha, 2, (0.5, 0.25, 0.25)) for sha in PROMPTS]


@pytest.mark.parametrize(
    ("shares", "allowed"),
    [
        ((1.0, 0.0, 0.0), {"train"}),
        ((0.0, 1.0, 0.0), {"dev"}),
        ((0.0, 0.0, 1.0), {"test"}),
        ((0.9, 0.1, 0.0), {"train", "dev"}),
        ((0.7, 0.0, 0.3), {"train", "test"}),
    ],
)
def test_that_a_split_without_a_share_stays_empty(shares: tuple, allowed: set) -> None:
    assert {split_of(sha, 0, shares) for sha in PROMPTS} == allowed


def test_that_a_larger_train_share_takes_from_the_others_and_gives_nothing_away() -> None:
    small = {sha for sha in PROMPTS if split_of(sha, 0, (0.6, 0.2, 0.2)) == "train"}
    large = {sha for sha in PROMPTS if split_of(sha, 0, (0.7, 0.2, 0.1)) == "train"}
    assert small < large


def test_that_a_group_is_named_by_its_oldest_spelling_and_newer_ones_move_nothing() -> None:
    old = [(3, "c" * 64, 7), (1, "b" * 64, 7), (2, "d" * 64, 8)]
    assert first_spellings(old) == {7: "b" * 64, 8: "d" * 64}
    assert first_spellings([*old, (9, "0" * 64, 7)]) == first_spellings(old)

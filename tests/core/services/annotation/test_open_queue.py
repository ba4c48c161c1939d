"""The order of a queue and the walk through it, without a database."""

from __future__ import annotations

from array import array

import pytest

from core.services.annotation.open_queue import FIRST_BATCH, OpenQueue, arrange, overlaps
from core.services.annotation.views import QueueSettings


def settings(**values: object) -> QueueSettings:
    """Return settings of reviewer 1 under version 1."""
    return QueueSettings(1, 1, **values)  # type: ignore[arg-type]


def queue(ids: range, **values: object) -> OpenQueue:
    """Return an open queue over these ids."""
    return OpenQueue("q", settings(**values), array("q", ids), frozenset(ids), (1,), set(), set())


def test_that_overlap_is_the_same_for_everybody_and_about_the_share_asked_for() -> None:
    shas = [f"{n:064x}" for n in range(2000)]
    drawn = [overlaps(sha, 5, 0.25) for sha in shas]
    assert drawn == [overlaps(sha, 5, 0.25) for sha in shas]
    assert drawn != [overlaps(sha, 6, 0.25) for sha in shas]
    assert 0.2 < sum(drawn) / len(drawn) < 0.3
    assert sum(overlaps(sha, 5, 0.0) for sha in shas) == 0
    assert sum(overlaps(sha, 5, 1.0) for sha in shas) == 2000


def test_that_full_pairs_leave_the_queue_but_not_ones_own() -> None:
    others = {1: 1, 2: 1, 3: 2}
    assert list(arrange([1, 2, 3, 4], settings(labels_per_pair=1), {2}, others, {})) == [2, 4]
    assert list(arrange([1, 2, 3, 4], settings(labels_per_pair=2), set(), others, {})) == [1, 2, 4]
    assert list(arrange([1, 2, 3, 4], settings(), set(), others, {})) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("order", "limit", "expected"),
    [("import", 0, [1, 2, 3]), ("import", 2, [1, 2]), ("newest", 0, [3, 2, 1]), ("newest", 1, [3])],
)
def test_that_pairs_come_in_the_order_asked_for(order: str, limit: int, expected: list[int]) -> None:
    assert list(arrange([1, 2, 3], settings(order=order, limit=limit), set(), {}, {})) == expected


def test_that_the_walk_goes_once_around_in_growing_batches() -> None:
    walked = queue(range(100))
    walked.cursor, walked.done, walked.skipped, walked.issued = 50, {0, 1}, {60}, {70}
    batches = list(walked.waiting())
    assert [len(b) for b in batches] == [FIRST_BATCH, 2 * FIRST_BATCH, 4 * FIRST_BATCH, 96 - 7 * FIRST_BATCH]
    pairs = [pair_id for batch in batches for _, pair_id in batch]
    assert pairs[0] == 50
    assert pairs[-1] == 49
    assert sorted(pairs) == sorted(set(range(100)) - {0, 1, 60, 70})


def test_that_marks_on_foreign_pairs_do_not_spoil_the_count() -> None:
    marked = queue(range(3))
    marked.issued.add(9)
    marked.mark(9, done=True, skipped=False)
    assert (marked.done, marked.issued) == (set(), set())
    marked.mark(1, done=None, skipped=True)
    assert marked.info().remaining == 2
    marked.mark(1, done=True, skipped=False)
    assert (marked.info().done, marked.info().skipped, marked.info().remaining) == (1, 0, 2)

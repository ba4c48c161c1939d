"""Which slots a policy draws, counted by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from core.domain.batch import BatchPolicy, NewSlot, PairNeed, Slot, SlotKind, account, account_pairs, needs_of
from core.domain.errors import BadInput
from core.services.batches.drawing import RETEST_GAP, Material, draw

PAIRS = tuple(range(1, 201))
POLICY = BatchPolicy((1, 2), seed=7)
GOLD = {1: list(range(1001, 1031)), 2: list(range(1001, 1006))}


def of_kind(slots: tuple[NewSlot, ...], kind: SlotKind) -> list[NewSlot]:
    return [one for one in slots if one.kind is kind]


def test_that_a_batch_holds_what_its_policy_says() -> None:
    drawn = draw(POLICY, Material(PAIRS, gold=GOLD, names={1: "Ann", 2: "Bo"}))
    firsts, seconds = (of_kind(drawn.slots, kind) for kind in (SlotKind.FIRST, SlotKind.SECOND))
    assert sorted(one.pair_id for one in firsts) == list(PAIRS)
    assert len(seconds) == 50, "a quarter of 200"
    first_by = {one.pair_id: one.reviewer_id for one in firsts}
    assert all(one.reviewer_id != first_by[one.pair_id] for one in seconds)
    asked = Counter(one.reviewer_id for one in (*firsts, *seconds))
    assert asked == {1: 123, 2: 127}, "a pair of one reviewer can only go to the other; that is all the difference"
    golds = Counter(one.reviewer_id for one in of_kind(drawn.slots, SlotKind.GOLD))
    assert golds == {1: 10, 2: 5}, "8 % of 123 is 10; of the second reviewer's 5 known pairs no more than all"
    assert drawn.told == ("Fewer gold pairs than wanted: 5 of 10 for Bo. Gold comes of adjudication.",)
    retests = of_kind(drawn.slots, SlotKind.RETEST)
    assert len(retests) == 12, "5 % of 123 or 127 is 6"
    assert Counter((one.reviewer_id, one.swapped) for one in retests) == {
        (1, True): 3, (1, False): 3, (2, True): 3, (2, False): 3,
    }  # fmt: skip
    assert draw(POLICY, Material(PAIRS, gold=GOLD, names={1: "Ann", 2: "Bo"})) == drawn, "the same seed draws the same"


def test_that_a_retest_comes_behind_its_first_showing() -> None:
    drawn = draw(POLICY, Material(PAIRS))
    for place, one in enumerate(drawn.slots):
        if one.after is not None:
            first = drawn.slots[one.after]
            assert (first.pair_id, first.reviewer_id) == (one.pair_id, one.reviewer_id)
            own = [n for n in range(one.after, place) if drawn.slots[n].reviewer_id == one.reviewer_id]
            last = [n for n, other in enumerate(drawn.slots) if other.reviewer_id == one.reviewer_id][-1]
            assert len(own) > RETEST_GAP or place >= last - RETEST_GAP


def test_that_nobody_is_asked_what_they_have_said() -> None:
    drawn = draw(POLICY, Material((1, 2, 3), known_to={1: {1, 2}, 2: {1}}))
    assert [(one.pair_id, one.reviewer_id) for one in drawn.slots if one.pair_id == 2] == [(2, 2)]
    assert all(one.pair_id != 1 for one in drawn.slots)
    assert "1 pair left out: every reviewer of the batch has labelled them." in drawn.told


def test_that_a_random_share_is_kept_apart_from_what_an_order_picks() -> None:
    policy = BatchPolicy((1, 2), order="margin", runs=("r",), limit=50, random_share=0.2, second_share=0.5, seed=3)
    drawn = draw(policy, Material(PAIRS))
    firsts = of_kind(drawn.slots, SlotKind.FIRST)
    random = {one.pair_id for one in firsts if one.picked == "random"}
    assert (len(firsts), len(random)) == (50, 10)
    ruled = [one.pair_id for one in firsts if one.picked == "rule"]
    assert sorted(ruled) == sorted(pair for pair in PAIRS if pair not in random)[:40]
    seconds = of_kind(drawn.slots, SlotKind.SECOND)
    assert len(seconds) == 5 and {one.pair_id for one in seconds} <= random


def test_that_suspects_come_by_rank_with_others_among_them_and_go_to_whom_has_not_labelled_them() -> None:
    policy = BatchPolicy((1, 2), order="suspects", runs=("r",), limit=10, random_share=0.2, gold_share=0, seed=3)
    drawn = draw(policy, Material((9, 7, 5, *range(20, 40)), {1: {9, 7}, 2: {9, 5}}, others=range(100, 200)))
    firsts = [one for one in drawn.slots if one.picked == "rule"]
    assert {one.pair_id for one in firsts} == {9, 7, 5, *range(20, 25)}, "the first eight; two are no suspects"
    assert len([one for one in drawn.slots if one.picked == "random" and one.kind is SlotKind.FIRST]) == 2
    by = {one.pair_id: (one.kind, one.reviewer_id) for one in firsts}
    assert (by[7], by[5], by[9][0]) == ((SlotKind.FIRST, 2), (SlotKind.FIRST, 1), SlotKind.RETEST)
    assert "1 pair judged again by one who labelled them: nobody else of the batch can." in drawn.told
    everything = draw(BatchPolicy((1,), order="suspects", runs=("r",), gold_share=0), Material((9, 7), others=(1,)))
    assert [one.pair_id for one in everything.slots] == [9, 7], "without a limit all suspects; a fifth of two is none"
    assert not draw(policy, Material((), others=range(9))).slots


def test_that_one_reviewer_alone_gives_no_second_label_and_is_told() -> None:
    drawn = draw(BatchPolicy((1,), gold_share=0), Material(PAIRS))
    assert not of_kind(drawn.slots, SlotKind.SECOND)
    assert drawn.told == ("One reviewer: no pair gets a second label, so agreement cannot be measured.",)


@pytest.mark.parametrize(
    "wrong",
    [{"reviewers": ()}, {"reviewers": (1, 1)}, {"order": "newest"}, {"order": "disagreement", "runs": ("a", "a")},
     {"order": "margin"}, {"second_share": 1.5}, {"limit": -1}],
)  # fmt: skip
def test_that_a_policy_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        BatchPolicy(**{"reviewers": (1, 2), **wrong})  # type: ignore[arg-type]


def test_that_pairs_are_labelled_skipped_or_open_and_say_what_they_need() -> None:
    def slot(pair: int, kind: SlotKind, state: str) -> Slot:
        return Slot(0, 0, pair, kind, "random", False, 1, None, state)  # type: ignore[arg-type]

    first, second, gold = SlotKind.FIRST, SlotKind.SECOND, SlotKind.GOLD
    slots = [
        slot(1, first, "labelled"), slot(1, second, "skipped"), slot(2, first, "skipped"), slot(3, first, "skipped"),
        slot(3, second, "open"), slot(4, first, "labelled"), slot(9, gold, "open"),
    ]  # fmt: skip
    everything, pairs = account(slots), account_pairs(slots)
    assert (everything.slots, everything.labelled, everything.skipped, everything.open) == (7, 2, 3, 2)
    assert (pairs.slots, pairs.labelled, pairs.skipped, pairs.open) == (4, 2, 1, 1)
    assert everything.adds_up and pairs.adds_up
    assert needs_of(slots) == [PairNeed(1, 2, 1, 1), PairNeed(2, 1, 0, 1), PairNeed(3, 2, 0, 1)]
    assert needs_of(slots)[0].words() == "needs 2, has 1 + 1 skip"

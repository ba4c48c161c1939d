from __future__ import annotations

import torch

from core.training.forward.prefix_layout import groups, lay_out, pack
from core.training.text.encoded_pair import EncodedPair


def pair(prompt=(1, 2, 3), chosen=(4, 5), rejected=(6, 7, 8), chosen_mask=None, rejected_mask=None):
    return EncodedPair(
        "p", prompt, chosen, rejected, chosen_mask or (1,) * len(chosen), rejected_mask or (1,) * len(rejected)
    )


def test_that_last_tokens_are_dropped_and_the_prompts_end_is_gathered_twice():
    row = lay_out(pair())
    assert row.ids == (1, 2, 3, 4, 6, 7)
    assert row.positions == [0, 1, 2, 3, 3, 4]
    assert row.gather == (2, 3, 2, 4, 5)
    assert row.targets == (4, 5, 6, 7, 8)
    assert row.split == 2


def test_that_tokens_outside_the_response_are_seen_but_not_predicted():
    row = lay_out(pair(chosen_mask=(0, 1), rejected_mask=(0, 1, 0)))
    assert row.ids == (1, 2, 3, 4, 6)
    assert row.targets == (5, 7)
    assert row.gather == (3, 4)


def test_that_without_a_prompt_the_first_token_is_predicted_by_nothing():
    row = lay_out(pair(prompt=()))
    assert row.targets == (5, 7, 8)
    assert row.ids == (4, 6, 7)
    assert row.positions == [0, 0, 1]


def test_that_an_answer_sees_the_prompt_and_itself_and_no_other_answer_or_pair():
    mask = pack([lay_out(pair()), lay_out(pair())]).mask()
    first = mask[:6, :6]
    expected = torch.ones(6, 6).tril().bool()
    expected[4:, 3] = False
    assert torch.equal(first, expected)
    assert not mask[:6, 6:].any()
    assert not mask[6:, :6].any()


def test_that_a_window_counts_positions_and_not_places_in_the_row():
    mask = pack([lay_out(pair())]).mask(window=2)
    assert mask[4].tolist() == [False, False, True, False, True, False]


def test_that_groups_keep_order_and_budget():
    rows = [lay_out(pair(chosen=(4,) * n)) for n in (2, 9, 1, 1)]
    assert [[r.length for r in g] for g in groups(rows, 12)] == [[6], [13], [5, 5]]
    assert len(list(groups(rows, 0))) == 4

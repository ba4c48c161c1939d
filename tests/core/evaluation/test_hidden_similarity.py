"""The similarity of both answers' hidden states: by hand, and token by token."""

from __future__ import annotations

import math

import pytest
import torch

from core.evaluation.hidden_similarity import answer_similarities


def test_that_the_similarity_of_two_small_answers_is_that_by_hand() -> None:
    # chosen: (1, 0) + (2, 1) = (3, 1), 2 tokens; rejected: (1, -1), 1 token
    hidden = torch.tensor([[1.0, 0.0], [2.0, 1.0], [1.0, -1.0]])
    (found,) = answer_similarities(hidden, torch.tensor([0, 0, 1]), 1)
    assert found.ches == (3 * 1 + 1 * -1) - (9 + 1) == -8
    assert found.by_length == pytest.approx(2 / (2 * 1) - 10 / 4)


def test_that_states_are_summed_answer_by_answer_in_any_order() -> None:
    generator = torch.Generator().manual_seed(4)
    owner = torch.tensor([3, 0, 1, 2, 0, 3, 3, 1, 2, 0])
    hidden = torch.randn(10, 5, generator=generator)
    found = answer_similarities(hidden, owner, 2)
    for pair in (0, 1):
        states = [[hidden[row].tolist() for row in range(10) if owner[row] == 2 * pair + side] for side in (0, 1)]
        chosen, rejected = ([sum(column) for column in zip(*side, strict=True)] for side in states)
        cross = sum(a * b for a, b in zip(chosen, rejected, strict=True))
        own = sum(a * a for a in chosen)
        assert found[pair].ches == pytest.approx(cross - own)
        n, m = len(states[0]), len(states[1])
        assert found[pair].by_length == pytest.approx(cross / (n * m) - own / n**2)


def test_that_an_answer_is_no_distance_from_itself_and_an_empty_one_has_none() -> None:
    hidden = torch.tensor([[0.5, -2.0], [0.5, -2.0], [1.0, 1.0]])
    same, lone = answer_similarities(hidden, torch.tensor([0, 1, 2]), 2)
    assert (same.ches, same.by_length) == (0.0, 0.0)
    assert math.isnan(lone.ches)
    assert math.isnan(lone.by_length)

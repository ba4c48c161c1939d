from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from core.evaluation.sequence_kl import answer_hidden
from core.evaluation.token_kl import TokenKl, distribution_kl, heads_of, row_kl, token_kl
from tests.tiny_models import tiny_model


@dataclass(frozen=True)
class Rows:
    hidden: Tensor
    targets: Tensor
    owner: Tensor


def same(hidden: Tensor) -> Tensor:
    return hidden


def brute_force(policy_logits: Tensor, reference_logits: Tensor) -> Tensor:
    log_p = torch.log_softmax(policy_logits.double(), -1)
    log_q = torch.log_softmax(reference_logits.double(), -1)
    return (log_p.exp() * (log_p - log_q)).sum(-1)


def rows_of(hidden: Tensor, owner: list[int]) -> Rows:
    return Rows(hidden, torch.zeros(len(owner), dtype=torch.int64), torch.tensor(owner, dtype=torch.int64))


@pytest.mark.parametrize("tile", [1, 3, 100])
def test_that_token_kl_equals_brute_force_on_four_tokens(tile):
    torch.manual_seed(0)
    policy, reference = torch.randn(7, 4), torch.randn(7, 4)
    owner = [0, 0, 1, 2, 2, 2, 3]
    found = token_kl(rows_of(policy, owner), rows_of(reference, owner), 3, same, tile=tile)
    expected = brute_force(policy, reference)
    assert found.tokens.tolist() == [[2, 1], [3, 1], [0, 0]]
    torch.testing.assert_close(found.sums[0, 0], expected[:2].sum(), rtol=1e-5, atol=0)
    torch.testing.assert_close(found.sums[1, 1], expected[6], rtol=1e-5, atol=0)
    assert found.chosen == pytest.approx(float(expected[[0, 1, 3, 4, 5]].mean()), rel=1e-5)
    assert found.rejected == pytest.approx(float(expected[[2, 6]].mean()), rel=1e-5)


def test_that_kl_is_exactly_zero_for_equal_states():
    torch.manual_seed(0)
    hidden = torch.randn(9, 16)
    weight = torch.randn(500, 16)
    found = row_kl(hidden, hidden.clone(), lambda h: h @ weight.T, tile=4)
    assert found.kl.tolist() == [0.0] * 9


def test_that_a_tiny_kl_is_accurate_and_never_negative_in_float32():
    torch.manual_seed(0)
    logits = torch.randn(64, 5000) * 4
    moved = logits + 1e-4 * torch.randn(64, 5000)
    found = row_kl(moved, logits, same).kl
    torch.testing.assert_close(found, brute_force(moved, logits), rtol=1e-2, atol=0)
    assert bool((row_kl(logits, logits + 1e-7 * torch.randn(64, 5000), same).kl >= 0).all())


def test_that_far_apart_distributions_are_exact_too():
    policy = torch.tensor([[40.0, 0.0, -40.0], [0.0, 90.0, 0.0], [300.0, 0.0, 0.0]])
    reference = torch.tensor([[-40.0, 0.0, 40.0], [90.0, 0.0, 0.0], [0.0, 300.0, 0.0]])
    torch.testing.assert_close(row_kl(policy, reference, same).kl, brute_force(policy, reference), rtol=1e-5, atol=0)


def test_that_excluded_tokens_give_zero_or_infinity_as_they_should():
    none = float("-inf")
    log_p = torch.log_softmax(torch.tensor([[0.0, 0.0, none], [0.0, 0.0, 0.0]]), -1)
    log_q = torch.log_softmax(torch.tensor([[0.0, 0.0, none], [0.0, 0.0, none]]), -1)
    assert distribution_kl(log_p, log_q).tolist() == [0.0, float("inf")]
    assert distribution_kl(log_q, log_p)[1].item() == pytest.approx(float(torch.tensor(1.5).log()), rel=1e-6)


def test_that_a_broken_state_stays_visible():
    bad = torch.tensor([[float("nan"), 1.0, 2.0]])
    assert bool(row_kl(bad, torch.zeros(1, 3), same).kl.isnan().all())


def test_that_log_ratios_belong_to_the_targets():
    torch.manual_seed(0)
    policy, reference, targets = torch.randn(5, 6), torch.randn(5, 6), torch.tensor([0, 5, 2, 2, 1])
    found = row_kl(policy, reference, same, targets=targets, tile=2)
    at = targets[:, None]
    expected = torch.log_softmax(policy, -1).gather(1, at) - torch.log_softmax(reference, -1).gather(1, at)
    torch.testing.assert_close(found.log_ratio, expected.squeeze(1).double())


def test_that_no_answer_tokens_have_no_mean():
    empty = rows_of(torch.zeros(0, 4), [])
    found = token_kl(empty, empty, 2, same)
    assert found.sums.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert found.chosen != found.chosen


def test_that_rows_of_different_tokens_are_refused():
    one, other = rows_of(torch.zeros(2, 4), [0, 1]), rows_of(torch.zeros(2, 4), [0, 0])
    with pytest.raises(ValueError, match="different tokens"):
        token_kl(one, other, 1, same)
    with pytest.raises(ValueError, match="different tokens"):
        token_kl(one, replace(one, targets=torch.ones(2, dtype=torch.int64)), 1, same)


def test_that_pairs_measured_in_parts_join_to_the_whole():
    torch.manual_seed(0)
    policy, reference = torch.randn(4, 4), torch.randn(4, 4)
    whole = token_kl(rows_of(policy, [0, 1, 2, 3]), rows_of(reference, [0, 1, 2, 3]), 2, same)
    parts = [
        token_kl(rows_of(policy[i : i + 2], [0, 1]), rows_of(reference[i : i + 2], [0, 1]), 1, same) for i in (0, 2)
    ]
    joined = parts[0].joined(parts[1])
    torch.testing.assert_close(joined.sums, whole.sums)
    assert joined.chosen == whole.chosen


def test_that_an_adapter_on_the_head_is_off_for_the_reference():
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    model: Any = get_peft_model(tiny_model("llama"), LoraConfig(target_modules=["lm_head"], r=2))
    with torch.no_grad():
        model.get_base_model().lm_head.lora_B["default"].weight.normal_()

    class Adapter:
        tokenizer = None

        def __init__(self):
            self.model = model

        @contextmanager
        def reference(self):
            with model.disable_adapter():
                yield model

    policy, reference = heads_of(Adapter())
    hidden = answer_hidden(model, [([3, 4], [5, 6, 7])])
    expected = row_kl(hidden, hidden, policy, lambda h: h @ model.get_base_model().lm_head.base_layer.weight.T)
    found = row_kl(hidden, hidden, policy, reference)
    torch.testing.assert_close(found.kl, expected.kl)
    assert float(found.kl.sum()) > 0


def test_that_the_error_of_the_token_kl_is_that_of_a_ratio_over_pairs():
    sums = torch.tensor([[1.0, 0.2], [2.5, 0.4], [0.5, 0.1], [3.0, 0.9]], dtype=torch.float64)
    tokens = torch.tensor([[10, 5], [20, 8], [8, 4], [12, 6]])
    found = TokenKl(sums, tokens)
    ratio = 7.0 / 50
    residuals = [s - ratio * t for s, t in zip((1.0, 2.5, 0.5, 3.0), (10, 20, 8, 12), strict=True)]
    assert found.se(0) == pytest.approx(math.sqrt(4 / 3 * sum(r * r for r in residuals)) / 50, rel=1e-12)
    equal = TokenKl(sums[:, :1].repeat(1, 2), torch.full((4, 2), 10))
    plain = sums[:, 0] / 10
    assert equal.se(0) == pytest.approx(float(plain.std()) / 2, rel=1e-12), "with equal lengths it is that of a mean"
    assert math.isnan(TokenKl(sums[:1], tokens[:1]).se(0))

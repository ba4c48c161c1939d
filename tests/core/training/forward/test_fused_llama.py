from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from core.domain.errors import ModelRefused
from core.training.forward.fused_llama import FusedLlamaScorer
from core.training.policy.adapters import copy_as_reference
from tests.core.training.forward.scorer_twin import (
    UPSTREAM,
    BarePolicy,
    adapter_policy,
    assert_same_gradients,
    gradients,
    long_pair,
    random_pairs,
    twin_scores,
)
from tests.tiny_models import tiny_model

FAMILIES = ["llama", "smollm", "mistral", "qwen2", "qwen3"]


def assert_equals_twin(policy, pairs, *, rtol=1e-6, grad_rtol=1e-5, **options):
    expected = twin_scores(policy.model, pairs)
    found = FusedLlamaScorer(policy, **options).score(pairs)
    torch.testing.assert_close(found.logps, expected.double(), rtol=rtol, atol=rtol)
    wanted = gradients((expected * UPSTREAM).sum(), policy.model)
    assert_same_gradients(gradients((found.logps * UPSTREAM).sum(), policy.model), wanted, rtol=grad_rtol)


@pytest.mark.parametrize("family", FAMILIES)
def test_that_log_probs_and_every_adapter_gradient_equal_separate_rows_in_double_precision(family):
    # norms and angles are float32 inside a float64 transformers model, hence no more digits than these
    assert_equals_twin(adapter_policy(family, dtype=torch.float64), random_pairs(4), grad_rtol=2e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_that_float32_equals_separate_rows(family):
    assert_equals_twin(adapter_policy(family), random_pairs(4), rtol=1e-5, grad_rtol=2e-4)


@pytest.mark.parametrize("targets", [["q_proj", "v_proj"], ["down_proj"], ["o_proj", "gate_proj", "k_proj"]])
def test_that_layers_without_an_adapter_are_passed_through(targets):
    assert_equals_twin(adapter_policy("llama", dtype=torch.float64, targets=targets), random_pairs(3), grad_rtol=2e-5)


def test_that_checkpointed_layers_give_the_same_bits():
    policy = adapter_policy("qwen3")
    pairs = random_pairs(3)
    plain, again = (FusedLlamaScorer(policy, checkpointing=c).score(pairs).logps for c in (False, True))
    assert torch.equal(plain, again)
    expected, found = (gradients((logps * UPSTREAM).sum(), policy.model) for logps in (plain, again))
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.parametrize("lengths", [(140, 150, 135), (1, 300, 2), (260, 1, 1), (127, 2, 130)])
def test_that_rows_longer_than_a_tile_of_the_attention_are_exact(lengths):
    assert_equals_twin(adapter_policy("llama", dtype=torch.float64), [long_pair(*lengths)], grad_rtol=2e-5)


def test_that_a_pair_without_a_prompt_is_scored_as_separate_rows_are():
    pair = replace(random_pairs(1, masked=False, longest=9)[0], prompt_ids=())
    assert_equals_twin(adapter_policy("llama", dtype=torch.float64), [pair], grad_rtol=2e-5)


def test_that_the_reference_is_the_base_or_the_frozen_adapter():
    policy = adapter_policy()
    pairs = random_pairs(3)
    with torch.no_grad(), policy.reference() as model:
        torch.testing.assert_close(
            FusedLlamaScorer(policy).score(pairs, policy=False).logps, twin_scores(model, pairs), rtol=1e-5, atol=1e-5
        )
    with torch.no_grad():
        before = twin_scores(policy.model, pairs)
        copy_as_reference(policy.model)
        policy.reference_kind = "reference_adapter"
        for parameter in policy.model.parameters():
            if parameter.requires_grad:
                parameter.mul_(1.5)
    scorer = FusedLlamaScorer(policy)
    reference = scorer.score(pairs, policy=False).logps
    torch.testing.assert_close(reference, before, rtol=1e-5, atol=1e-5)
    assert not reference.requires_grad
    assert_equals_twin(policy, pairs, rtol=1e-5, grad_rtol=2e-4)


def test_that_a_fresh_adapter_leaves_policy_and_reference_equal_to_the_bit():
    policy = adapter_policy(spread=0.0)
    pairs = random_pairs(6)
    scorer = FusedLlamaScorer(policy)
    assert torch.equal(scorer.score(pairs).logps.detach(), scorer.score(pairs, policy=False).logps)


def test_that_batch_composition_and_order_change_nothing():
    policy = adapter_policy("qwen2")
    pairs = random_pairs(5)
    scorer = FusedLlamaScorer(policy)
    together = scorer.score(pairs).logps.detach()
    alone = torch.cat([scorer.score([pair]).logps.detach() for pair in pairs])
    torch.testing.assert_close(alone, together, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(scorer.score(pairs[::-1]).logps.detach().flip(0), together, rtol=1e-6, atol=1e-6)


def test_that_bfloat16_stays_near_separate_rows():
    policy = adapter_policy("llama", dtype=torch.bfloat16)
    pairs = random_pairs(3)
    expected = twin_scores(policy.model, pairs).detach()
    found = FusedLlamaScorer(policy).score(pairs).logps
    torch.testing.assert_close(found.detach(), expected.double(), rtol=0.05, atol=0.3)
    assert torch.isfinite(torch.cat([g.flatten() for g in gradients(found.sum(), policy.model).values()])).all()


def refused(policy, match):
    with pytest.raises(ModelRefused, match=match):
        FusedLlamaScorer(policy)


def test_that_what_it_does_not_know_is_refused_by_name():
    refused(adapter_policy("gpt2"), "gpt2")
    refused(BarePolicy(tiny_model("llama")), "every weight trains")
    dropping = adapter_policy("llama")
    dropping.model.get_base_model().model.layers[0].self_attn.q_proj.lora_dropout["default"] = torch.nn.Dropout(0.1)
    refused(dropping, "dropout")
    normed = adapter_policy("llama")
    normed.model.get_base_model().model.norm.weight.requires_grad_(True)
    refused(normed, "norm.weight trains")
    other = adapter_policy("llama")
    other.model.get_base_model().config.hidden_act = "gelu"
    refused(other, "gelu")


def test_that_variants_of_lora_are_refused():
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=2, target_modules="all-linear", use_dora=True, task_type="CAUSAL_LM")
    refused(BarePolicy(get_peft_model(tiny_model("llama"), config)), "variant of LoRA")


def test_that_a_window_shorter_than_the_longest_pair_is_refused():
    policy = adapter_policy("mistral", sliding_window=32)
    FusedLlamaScorer(policy, longest=31)
    with pytest.raises(ModelRefused, match="window of 32"):
        FusedLlamaScorer(policy, longest=32)

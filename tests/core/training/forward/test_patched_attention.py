from __future__ import annotations

import pytest
import torch

from core.training.forward import patched_attention
from core.training.forward.prefix_shared import PrefixSharedScorer
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
from tests.tiny_models import FAMILIES, NO_SDPA, tiny_model

WIDE = {"gemma3": {"sliding_window": 512}}
"""Where the tiny model's attention window is narrower than the rows of these tests."""


@pytest.fixture
def tiled(monkeypatch):
    """Counts the layers whose attention went through tiles."""
    calls: list[int] = []
    attend = patched_attention.attend

    def counting(q, k, v, plan):
        calls.append(len(plan.tiles))
        return attend(q, k, v, plan)

    monkeypatch.setattr(patched_attention, "attend", counting)
    return calls


@pytest.mark.parametrize("family", FAMILIES)
def test_that_rows_of_several_tiles_score_as_separate_rows_do(family, tiled):
    model = tiny_model(family, **WIDE.get(family, {}))
    pair = long_pair()
    with torch.no_grad():
        found = PrefixSharedScorer(BarePolicy(model)).score([pair]).logps
        expected = twin_scores(model, [pair])
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-4)
    assert bool(tiled) != (family in NO_SDPA)


@pytest.mark.parametrize("family", ["llama", "gpt2", "phi", "gemma3"])
def test_that_gradients_through_tiles_equal_those_of_separate_rows(family, tiled):
    policy = adapter_policy(family, **WIDE.get(family, {}))
    pairs = [long_pair(), *random_pairs(1)]
    expected = gradients((twin_scores(policy.model, pairs) * UPSTREAM).sum(), policy.model)
    found = gradients((PrefixSharedScorer(policy).score(pairs).logps * UPSTREAM).sum(), policy.model)
    assert_same_gradients(found, expected, rtol=2e-4)
    assert max(tiled) > 2


def test_that_a_row_longer_than_an_attention_window_goes_by_the_mask(tiled):
    model = tiny_model("mistral", sliding_window=48)
    scorer = PrefixSharedScorer(BarePolicy(model))
    with torch.no_grad():
        found = scorer.score([long_pair()]).logps
        assert not tiled
        torch.testing.assert_close(found.double(), twin_scores(model, [long_pair()]), rtol=1e-5, atol=1e-4)
        scorer.score([long_pair(20, 20, 20)])
    assert tiled


def test_that_a_layer_that_changes_its_scores_goes_by_the_mask(tiled):
    module = torch.nn.Module()
    module.num_key_value_groups, module.is_causal = 1, True
    q = torch.randn(1, 2, 6, 8)
    mask = torch.zeros(1, 1, 6, 6).masked_fill_(~torch.ones(6, 6).tril().bool(), torch.finfo(torch.float32).min)
    scorer = PrefixSharedScorer(BarePolicy(tiny_model("llama")))
    plan = {}

    def seen(module, query, key, value, attention_mask, **rest):
        plan.update(rest)
        return query.transpose(1, 2), None

    from transformers import AttentionInterface

    before = AttentionInterface._global_mapping[patched_attention.NAME]
    AttentionInterface.register(patched_attention.NAME, seen)
    try:
        scorer.score([long_pair(2, 3, 4)])
    finally:
        AttentionInterface.register(patched_attention.NAME, before)
    assert plan[patched_attention.PLAN].length == 2 + 2 + 3
    with_bias = before(module, q, q, q, mask, position_bias=torch.zeros(1, 2, 6, 6), **plan)[0]
    torch.testing.assert_close(with_bias, before(module, q, q, q, mask)[0])
    assert not tiled


def test_that_the_models_own_attention_is_back_after_scoring():
    model = tiny_model("llama")
    before = model.config._attn_implementation
    PrefixSharedScorer(BarePolicy(model)).score(random_pairs(1))
    assert model.config._attn_implementation == before != patched_attention.NAME

from __future__ import annotations

import pytest
import torch

from core.domain.errors import ModelRefused
from core.generation.windows import attention_windows
from core.training.forward.prefix_shared import PrefixSharedScorer
from tests.core.training.forward.scorer_twin import (
    UPSTREAM,
    BarePolicy,
    adapter_policy,
    assert_same_gradients,
    gradients,
    random_pairs,
    twin_logps,
    twin_scores,
)
from tests.tiny_models import FAMILIES, tiny_config, tiny_model


@pytest.mark.parametrize("family", FAMILIES)
def test_that_every_family_scores_as_separate_rows_do(family):
    model = tiny_model(family)
    pairs = random_pairs(3, longest=24)
    with torch.no_grad():
        found = PrefixSharedScorer(BarePolicy(model)).score(pairs)
        expected = twin_scores(model, pairs)
    torch.testing.assert_close(found.logps, expected, rtol=1e-5, atol=1e-5)
    for pair, tokens in zip(pairs, found.token_logps, strict=True):
        with torch.no_grad():
            for got, want in zip(tokens, twin_logps(model, pair), strict=True):
                torch.testing.assert_close(got.double(), want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "gemma3", "phi", "gpt_neox", "cohere"])
def test_that_adapter_gradients_equal_those_of_separate_rows(family):
    policy = adapter_policy(family, targets="all-linear")
    pairs = random_pairs(3)
    expected = gradients((twin_scores(policy.model, pairs) * UPSTREAM).sum(), policy.model)
    found = gradients((PrefixSharedScorer(policy).score(pairs).logps * UPSTREAM).sum(), policy.model)
    assert_same_gradients(found, expected, rtol=1e-4)


def test_that_full_fine_tuning_with_a_tied_head_gets_every_gradient():
    model = tiny_model("smollm").double()
    pairs = random_pairs(2)
    expected = gradients((twin_scores(model, pairs) * UPSTREAM).sum(), model)
    found = gradients((PrefixSharedScorer(BarePolicy(model)).score(pairs).logps * UPSTREAM).sum(), model)
    assert_same_gradients(found, expected, rtol=1e-5)


def test_that_the_reference_is_scored_without_the_adapter_and_without_grad():
    policy = adapter_policy()
    pairs = random_pairs(2)
    scorer = PrefixSharedScorer(policy)
    reference = scorer.score(pairs, policy=False)
    assert not reference.logps.requires_grad
    with torch.no_grad(), policy.reference() as model:
        torch.testing.assert_close(reference.logps, twin_scores(model, pairs), rtol=1e-5, atol=1e-5)
    assert (scorer.score(pairs).logps - reference.logps).abs().min() > 1e-3


def test_that_packing_several_pairs_into_one_row_changes_nothing():
    policy = adapter_policy("qwen3")
    pairs = random_pairs(5)
    alone = PrefixSharedScorer(policy).score(pairs).logps
    packed = PrefixSharedScorer(policy, pack_tokens=40).score(pairs).logps
    torch.testing.assert_close(packed, alone, rtol=1e-6, atol=1e-6)


def test_that_checkpointed_layers_give_the_same_gradient_and_stay_in_evaluation_mode():
    policy = adapter_policy("llama")
    pairs = random_pairs(2)
    expected = gradients((PrefixSharedScorer(policy).score(pairs).logps * UPSTREAM).sum(), policy.model)
    scorer = PrefixSharedScorer(policy, checkpointing=True)
    loss = (scorer.score(pairs).logps * UPSTREAM).sum()
    assert not any(module.training for module in policy.model.modules())
    assert_same_gradients(gradients(loss, policy.model), expected, rtol=1e-6)


def test_that_token_weights_weigh_the_sums_and_leave_token_log_probs_alone():
    policy = adapter_policy()
    pairs = random_pairs(3)

    def halves(pair):
        return tuple([0.5 + 0.1 * j for j in range(n)] for n in pair.response_tokens())

    plain = PrefixSharedScorer(policy).score(pairs)
    found = PrefixSharedScorer(policy).score(pairs, token_weights=halves)
    for row, (pair, tokens) in enumerate(zip(pairs, plain.token_logps, strict=True)):
        for column, (values, weights) in enumerate(zip(tokens, halves(pair), strict=True)):
            torch.testing.assert_close(found.logps[row, column], (values.double() * torch.tensor(weights)).sum())
            torch.testing.assert_close(found.token_logps[row][column], values)


def test_that_response_hidden_leads_to_the_same_log_probs():
    policy = adapter_policy("cohere")
    pairs = random_pairs(3)
    scorer = PrefixSharedScorer(policy)
    rows = scorer.response_hidden(pairs)
    with scorer.forward_model(policy=True) as model:
        logps = torch.log_softmax(model.head.logits(rows.hidden), -1).gather(1, rows.targets[:, None]).squeeze(1)
    sums = torch.zeros(6, dtype=torch.float64).index_add_(0, rows.owner, logps.double())
    torch.testing.assert_close(sums.view(-1, 2), scorer.score(pairs).logps.detach())


def test_that_the_same_windows_hold_on_shared_rows_longer_than_the_window():
    model = tiny_model("mistral", sliding_window=6)
    pairs = random_pairs(3, longest=20)
    with torch.no_grad():
        found = PrefixSharedScorer(BarePolicy(model)).score(pairs).logps
        torch.testing.assert_close(found, twin_scores(model, pairs), rtol=1e-5, atol=1e-5)


def test_that_layers_that_carry_a_state_are_refused_by_name():
    config = tiny_config("qwen3")
    config.layer_types = ["linear_attention", "full_attention"]
    with pytest.raises(ModelRefused, match="linear_attention"):
        attention_windows(config)

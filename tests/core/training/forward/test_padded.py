"""The plain twin against the model's own logits, one unpadded row at a time."""

from __future__ import annotations

import pytest
import torch

from core.training.forward.padded import PaddedScorer, pad_rows
from core.training.losses import length_weights
from tests.core.training.forward.scorer_twin import (
    adapter_policy,
    assert_same_gradients,
    gradients,
    random_pairs,
    twin_logps,
    twin_scores,
)


@pytest.mark.parametrize(
    ("family", "side"),
    [
        ("llama", "left"),
        ("gpt2", "left"),
        ("llama", "right"),
        ("gpt2", "right"),
        ("gemma2", "right"),
        ("cohere", "right"),
    ],
)
def test_that_log_probs_and_gradients_equal_single_unpadded_rows(family: str, side: str) -> None:
    targets = ["c_attn"] if family == "gpt2" else "all-linear"
    policy = adapter_policy(family, dtype=torch.float64, targets=targets)
    pairs = random_pairs()
    scores = PaddedScorer(policy, side=side).score(pairs)
    expected = twin_scores(policy.model, pairs)
    torch.testing.assert_close(scores.logps, expected, rtol=1e-7, atol=1e-7)
    factors = torch.tensor([[1.0, -0.5], [0.3, 0.1], [-1.0, 2.0]], dtype=torch.float64)
    found = gradients((scores.logps * factors).sum(), policy.model)
    wanted = gradients((expected * factors).sum(), policy.model)
    assert_same_gradients(found, wanted, rtol=1e-6)


def test_that_the_reference_is_the_model_without_its_adapter_and_has_no_gradient() -> None:
    policy = adapter_policy(dtype=torch.float64)
    pairs = random_pairs()
    scores = PaddedScorer(policy).score(pairs, policy=False)
    assert not scores.logps.requires_grad
    with policy.model.disable_adapter():
        expected = twin_scores(policy.model, pairs)
    torch.testing.assert_close(scores.logps, expected.detach(), rtol=1e-7, atol=1e-7)


def test_that_statistics_are_those_of_the_full_distribution() -> None:
    policy = adapter_policy(dtype=torch.float64)
    pairs = random_pairs()
    scores = PaddedScorer(policy).score(pairs)
    hidden = PaddedScorer(policy).response_hidden(pairs)
    logp = torch.log_softmax(policy.model.get_base_model().get_output_embeddings()(hidden.hidden), -1)
    taken = logp[torch.arange(len(logp)), hidden.targets]
    for owner in range(2 * len(pairs)):
        rows = hidden.owner == owner
        part, at = logp[rows], (owner // 2, owner % 2)
        assert scores.tokens[at] == rows.sum()
        torch.testing.assert_close(scores.entropy[at], -(part.exp() * part).sum())
        torch.testing.assert_close(scores.wpo[at], (taken[rows] - part.exp().square().sum(-1).log()).sum())
        assert scores.correct[at] == (part.argmax(-1) == hidden.targets[rows]).sum()
        torch.testing.assert_close(scores.token_logps[at[0]][at[1]], taken[rows].detach())


def test_that_token_weights_enter_the_sum_of_their_own_side() -> None:
    policy = adapter_policy(dtype=torch.float64)
    pairs = random_pairs()
    scores = PaddedScorer(policy).score(pairs, token_weights=lambda pair: length_weights(pair, 0.5))
    for i, pair in enumerate(pairs):
        for side, (logps, weights) in enumerate(
            zip(twin_logps(policy.model, pair), length_weights(pair, 0.5), strict=True)
        ):
            expected = (logps * torch.tensor(weights, dtype=torch.float64)[-len(logps) :]).sum()
            torch.testing.assert_close(scores.logps[i, side], expected, rtol=1e-7, atol=1e-7)


def test_that_a_pair_scores_the_same_in_any_company() -> None:
    policy = adapter_policy()
    pairs = random_pairs(6)
    scorer = PaddedScorer(policy)
    whole = scorer.score(pairs, stats=False)
    assert whole.entropy is None
    alone = torch.cat([scorer.score([pair]).logps for pair in pairs])
    back = scorer.score(pairs[::-1]).logps.flip(0)
    torch.testing.assert_close(alone, whole.logps, rtol=1e-6, atol=1e-5)
    torch.testing.assert_close(back, whole.logps, rtol=1e-6, atol=1e-5)


def test_that_padding_never_becomes_a_target() -> None:
    pairs = random_pairs(4, masked=True)
    for side in ("left", "right"):
        padded = pad_rows(pairs, side=side)
        assert padded.attention[padded.rows, padded.columns].all()
        assert torch.equal(padded.ids[padded.rows, padded.columns + 1], padded.targets)
        assert padded.counts == [n for pair in pairs for n in pair.response_tokens()]

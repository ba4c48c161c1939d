from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from core.domain.errors import ModelRefused
from core.generation.context import base_of
from core.generation.low_rank import linear_forward, read_linear
from core.generation.matmul_kernels import ONEDNN, TORCH, kernel_in, onednn_kernel
from core.training.forward.lora_linear import linear_backward
from core.training.forward.patched_linear import PatchedLayers
from core.training.forward.prefix_shared import PrefixSharedScorer
from tests.core.training.forward.scorer_twin import (
    UPSTREAM,
    BarePolicy,
    adapter_policy,
    assert_same_gradients,
    gradients,
    random_pairs,
    twin_scores,
)
from tests.tiny_models import tiny_model


def layer_of(family="llama", **options):
    policy = adapter_policy(family, dtype=torch.float64, **options)
    return next(m for m in policy.model.modules() if hasattr(m, "lora_A"))


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2"])
def test_that_the_step_is_what_peft_computes_forward_and_backward(family):
    layer = layer_of(family)
    read = read_linear(layer, ("default", ""))
    assert read.policy is not None
    x = torch.randn(7, read.weight.shape[1], dtype=torch.float64, requires_grad=True)
    expected = layer(x)
    y, u = linear_forward(x.detach(), read.weight, read.bias, read.policy, F.linear)
    torch.testing.assert_close(y.detach(), expected.detach())
    grad = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, [x, read.policy.a, read.policy.b], grad)
    with torch.no_grad():
        dx, grads = linear_backward(grad, x, u, read.weight, read.policy, F.linear)
    for found, want in zip([dx, *grads], wanted, strict=True):
        torch.testing.assert_close(found, want)


def test_that_a_layer_which_trains_or_is_of_another_kind_is_refused_by_name():
    with pytest.raises(ModelRefused, match="trains"):
        read_linear(nn.Linear(4, 4), ("default", ""))
    with pytest.raises(ModelRefused, match="Bilinear"):
        read_linear(nn.Bilinear(2, 2, 2), ("default", ""))


@pytest.mark.parametrize("family", ["llama", "gpt2", "phi", "gemma3"])
@pytest.mark.parametrize("targets", ["all-linear", None])
@pytest.mark.parametrize("kernel", [ONEDNN, TORCH])
def test_that_patched_layers_give_the_same_scores_and_gradients_and_leave_no_trace(family, targets, kernel):
    policy = adapter_policy(family, targets=targets)
    pairs = random_pairs(3)
    expected = gradients((twin_scores(policy.model, pairs) * UPSTREAM).sum(), policy.model)
    scorer = PrefixSharedScorer(policy, kernel=kernel)
    assert len(scorer._layers) > 2
    assert kernel_in(scorer.kernel_id) == (kernel if onednn_kernel() else TORCH)
    scores = scorer.score(pairs)
    torch.testing.assert_close(scores.logps.double(), twin_scores(policy.model, pairs), rtol=1e-5, atol=1e-5)
    assert_same_gradients(gradients((scores.logps * UPSTREAM).sum(), policy.model), expected, rtol=1e-4)
    assert not any("forward" in module.__dict__ for module in policy.model.modules())


def test_that_the_matrix_products_of_a_patched_layer_go_through_the_given_kernel():
    policy = adapter_policy("llama")
    products = []

    def counting(x, weight):
        products.append(weight.shape)
        return F.linear(x, weight)

    decoder = base_of(policy.model).get_decoder()
    patched = PatchedLayers(decoder, counting)
    with patched.on():
        decoder(input_ids=torch.tensor([[3, 4, 5]]), use_cache=False)
    layers = policy.model.get_base_model().config.num_hidden_layers
    assert len(patched) == len(products) == 7 * layers


def test_that_switching_the_adapter_off_reaches_patched_layers():
    policy = adapter_policy("llama")
    pairs = random_pairs(2)
    scorer = PrefixSharedScorer(policy)
    with torch.no_grad(), policy.reference() as bare:
        expected = twin_scores(bare, pairs)
    torch.testing.assert_close(scorer.score(pairs, policy=False).logps.double(), expected, rtol=1e-5, atol=1e-5)
    assert (scorer.score(pairs).logps.double() - expected).abs().min() > 1e-3


def test_that_layers_which_all_train_are_left_as_they_are_and_get_their_gradients_whatever_the_kernel():
    model, pairs = tiny_model("llama"), random_pairs(2)
    scorer = PrefixSharedScorer(BarePolicy(model), kernel=ONEDNN)
    assert len(scorer._layers) == 0
    assert kernel_in(scorer.kernel_id) == TORCH
    expected = gradients((twin_scores(model, pairs) * UPSTREAM).sum(), model)
    assert_same_gradients(gradients((scorer.score(pairs).logps * UPSTREAM).sum(), model), expected, rtol=1e-4)


def test_that_layers_recomputed_in_the_backward_pass_are_patched_too():
    policy = adapter_policy("llama")
    pairs = random_pairs(2)
    expected = gradients((PrefixSharedScorer(policy).score(pairs).logps * UPSTREAM).sum(), policy.model)
    found = gradients(
        (PrefixSharedScorer(policy, checkpointing=True).score(pairs).logps * UPSTREAM).sum(), policy.model
    )
    assert_same_gradients(found, expected, rtol=1e-6)

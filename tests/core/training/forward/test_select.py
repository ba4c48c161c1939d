from __future__ import annotations

import pytest
import torch

from core.domain.errors import ModelRefused
from core.domain.run_config import RunConfig
from core.generation.matmul_kernels import kernel_in
from core.training.forward import fused_layer, select
from core.training.forward.fused_llama import FusedLlamaScorer
from core.training.forward.prefix_shared import PrefixSharedScorer
from core.training.forward.select import adapter_off_zero, check_pairs, choose_scorer, whole_pairs
from tests.core.training.forward.scorer_twin import BarePolicy, adapter_policy, random_pairs, twin_scores
from tests.tiny_models import FAMILIES, tiny_model

PAIRS = random_pairs(6, longest=20)


@pytest.mark.parametrize("family", FAMILIES)
def test_that_every_family_gets_a_scorer_that_equals_separate_rows(family):
    policy = adapter_policy(family)
    scorer = choose_scorer(policy, RunConfig(), PAIRS)
    lean = family in ("llama", "smollm", "mistral", "qwen2", "qwen3")
    assert scorer.name == ("lean" if lean else "shared")
    assert bool(scorer.note) is not lean
    with torch.no_grad():
        torch.testing.assert_close(
            scorer.score(PAIRS).logps, twin_scores(policy.model, PAIRS).double(), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("name", ["lean", "shared", "separate"])
def test_that_a_named_scorer_is_taken(name):
    assert choose_scorer(adapter_policy(), RunConfig(forward=name), PAIRS).name == name


def test_that_a_named_scorer_that_cannot_run_the_model_is_refused_with_the_reason():
    with pytest.raises(ModelRefused, match=r"lean forward pass cannot run this model \(gpt2 is not one of"):
        choose_scorer(adapter_policy("gpt2"), RunConfig(forward="lean"), PAIRS)


def wrong(base, change):
    """A scorer class whose result is off by ``change``."""

    class Wrong(base):
        def score(self, pairs, **options):
            scores = super().score(pairs, **options)
            scores.logps = change(scores.logps, options.get("policy", True))
            return scores

    return Wrong


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda logps, policy: logps * (1 + 1e-4) if policy else logps, "policy log-probs differ"),
        (lambda logps, policy: logps if policy else logps + 0.1, "reference log-probs differ"),
        (lambda logps, policy: logps.detach() + 1.1 * (logps - logps.detach()), "gradients differ"),
    ],
)
def test_that_a_fast_scorer_that_is_wrong_is_left_aside_and_the_note_says_how(monkeypatch, change, said):
    monkeypatch.setattr(select, "FusedLlamaScorer", wrong(FusedLlamaScorer, change))
    scorer = choose_scorer(adapter_policy(), RunConfig(), PAIRS)
    assert scorer.name == "shared"
    assert said in scorer.note
    monkeypatch.setattr(select, "PrefixSharedScorer", wrong(PrefixSharedScorer, change))
    scorer = choose_scorer(adapter_policy(), RunConfig(), PAIRS)
    assert scorer.name == "separate"
    assert scorer.note.count(said) == 2


def test_that_a_mistake_in_the_adapters_product_shows_although_a_fresh_adapter_is_zero(monkeypatch):
    right = fused_layer._linear_forward

    def forgets_the_scale(x, linear, call):
        y, u = right(x, linear, call)
        return (y, u) if u is None else (y + u @ linear.policy.b.t(), u)

    monkeypatch.setattr(fused_layer, "_linear_forward", forgets_the_scale)
    policy = adapter_policy(spread=0.0)
    assert choose_scorer(policy, RunConfig(), PAIRS).name == "shared"


def test_that_the_check_restores_the_adapter_to_the_bit():
    policy = adapter_policy(spread=0.0)
    before = {n: p.clone() for n, p in policy.model.named_parameters()}
    choose_scorer(policy, RunConfig(), PAIRS)
    assert all(torch.equal(before[n], p) for n, p in policy.model.named_parameters())
    assert all(p.grad is None for p in policy.model.parameters())
    with pytest.raises(RuntimeError), adapter_off_zero(policy.model):
        raise RuntimeError
    assert all(torch.equal(before[n], p) for n, p in policy.model.named_parameters())


def test_that_full_fine_tuning_takes_shared_rows():
    scorer = choose_scorer(BarePolicy(tiny_model("llama")), RunConfig(lora_r=0), PAIRS)
    assert scorer.name == "shared"
    assert "every weight trains" in scorer.note


def test_that_a_recurrent_model_takes_separate_rows_with_a_note():
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    config = MambaConfig(vocab_size=200, hidden_size=16, state_size=4, num_hidden_layers=2, pad_token_id=1)
    policy = BarePolicy(MambaForCausalLM(config).eval())
    scorer = choose_scorer(policy, RunConfig(lora_r=0), PAIRS)
    assert scorer.name == "separate"
    assert "shared: " in scorer.note


def test_that_a_pair_longer_than_the_window_takes_part_in_the_check():
    policy = adapter_policy("mistral", sliding_window=16)
    assert max(pair.length for pair in whole_pairs(PAIRS, [16])) >= 16
    scorer = choose_scorer(policy, RunConfig(), PAIRS)
    assert scorer.name == "shared"
    assert "window of 16" in scorer.note


def test_that_long_pairs_are_cut_for_the_check_and_keep_a_response():
    pairs = random_pairs(4, longest=300, masked=True)
    for pair in check_pairs(pairs):
        assert pair.length <= 24 + 2 * 14
        assert all(pair.response_tokens())


def test_that_a_named_matrix_kernel_is_taken_and_stands_in_the_kernel_id():
    first = choose_scorer(adapter_policy(), RunConfig(), PAIRS, kernel="torch")
    assert kernel_in(first.kernel_id) == "torch"
    assert kernel_in("separate-1/torch.float32") == ""


def test_that_no_pairs_need_no_check():
    assert choose_scorer(adapter_policy(), RunConfig(), []).name == "lean"


@pytest.mark.parametrize(
    "error", [AttributeError("'tuple' object has no attribute 'shape'"), RuntimeError("tensors do not fit. Read on.")]
)
def test_that_a_model_that_does_not_compute_with_its_adapter_is_refused_by_name(error: Exception):
    policy = adapter_policy("gpt2")

    def forward(*_arguments, **_options):
        raise error

    policy.model.get_base_model().get_decoder().h[1].mlp.forward = forward
    with pytest.raises(ModelRefused, match=rf"gpt2 cannot compute .*: {str(error).split('. ')[0]}\. Name"):
        choose_scorer(policy, RunConfig(), PAIRS)


def test_that_memory_that_runs_out_in_the_check_is_no_fault_of_the_model():
    policy = adapter_policy("gpt2")

    def forward(*_arguments, **_options):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    policy.model.get_base_model().get_decoder().h[1].mlp.forward = forward
    with pytest.raises(RuntimeError, match="allocate memory"):
        choose_scorer(policy, RunConfig(), PAIRS)

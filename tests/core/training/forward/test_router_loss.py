"""The routers' loss: the published formula, row by row, in every way of cutting a step, and as a metric."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed
from core.training.forward.padded import PaddedScorer
from core.training.forward.router_loss import RouterLoss
from core.training.policy.model import LoadedModel, load_model
from core.training.text.tokenise import encode_pairs
from tests.core.training.tiny_runs import run, some_pairs, steps_of
from tests.tiny_models import save_tiny

BALANCED = ["mixtral", *(pytest.param(f, marks=pytest.mark.slow) for f in ("qwen3_moe", "olmoe", "gpt_oss"))]


def by_hand(model: LoadedModel, ids: list[int]) -> float:
    """E * sum_e f_e P_e over the tokens of one row and all layers, in plain Python."""
    base = model.base
    with torch.no_grad():
        output = base(input_ids=torch.tensor([ids]), output_router_logits=True, use_cache=False)
    tokens = [row for layer in output.router_logits for row in layer.double().softmax(-1).tolist()]
    experts, k = len(tokens[0]), base.config.num_experts_per_tok
    sent = [0] * experts
    for row in tokens:
        for expert in sorted(range(experts), key=lambda e: -row[e])[:k]:
            sent[expert] += 1
    mean = [sum(row[e] for row in tokens) / len(tokens) for e in range(experts)]
    return experts * sum(count / len(tokens) * p for count, p in zip(sent, mean, strict=True))


@pytest.mark.parametrize("family", BALANCED)
def test_that_each_response_has_the_published_loss_of_its_own_tokens(family: str, tmp_path: Path) -> None:
    model = load_model(save_tiny(tmp_path / family, family), RunConfig(lora_r=2, device="cpu"))
    encoded, _ = encode_pairs(some_pairs(3), model.tokenizer, RunConfig())
    router = PaddedScorer(model, router=RouterLoss(model.base)).score(encoded).router
    assert router is not None
    for pair, (w, v) in zip(encoded, router.tolist(), strict=True):
        assert w == pytest.approx(by_hand(model, [*pair.prompt_ids, *pair.chosen_ids]), rel=1e-5)
        assert v == pytest.approx(by_hand(model, [*pair.prompt_ids, *pair.rejected_ids]), rel=1e-5)


def test_that_the_loss_trains_and_is_shown_and_does_not_depend_on_the_micro_batch(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "mixtral", "mixtral")
    options = {"forward": "auto", "steps": 2, "batch_size": 4, "router_aux_loss": 0.5, "lr": 1e-2}
    whole, cut = (steps_of(run(folder, tmp_path / str(count), micro_batch=count, **options)) for count in (4, 1))
    plain = steps_of(run(folder, tmp_path / "plain", **{**options, "router_aux_loss": 0.0, "forward": "separate"}))
    for one, other in zip(whole, cut, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-5)
        assert one.grad_norm == pytest.approx(other.grad_norm, rel=1e-4)
        assert one.extra["router_loss"] == pytest.approx(other.extra["router_loss"], rel=1e-5)
    first = whole[0]
    assert first.loss == pytest.approx(plain[0].loss + 0.5 * first.extra["router_loss"], rel=1e-6)
    assert "router_loss" not in plain[0].extra
    assert first.grad_norm != pytest.approx(plain[0].grad_norm, rel=1e-3)


def test_that_a_model_without_routers_is_refused(tiny_llama_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not defined for llama"):
        RouterLoss(load_model(tiny_llama_dir, RunConfig(lora_r=2, device="cpu")).base)
    events = run(tiny_llama_dir, tmp_path, router_aux_loss=0.1, forward="auto")
    assert isinstance(events[-1], Failed) and "router_aux_loss" in events[-1].message

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.domain.errors import ModelRefused
from core.generation.lm_head import HeadSpec
from tests.tiny_models import FAMILIES, tiny_model


@torch.no_grad()
def head_error(model: Any, head: HeadSpec) -> float:
    """Largest difference of a logit between ``head`` and the model itself on a few tokens, relative to their size.

    The last entry of ``hidden_states`` is the normed state that the head receives, in every transformers decoder.
    """
    out = model(input_ids=torch.arange(1, 7)[None], output_hidden_states=True, use_cache=False)
    found = head.logits(out.hidden_states[-1])
    return float((found - out.logits).abs().max() / out.logits.abs().max())


@pytest.mark.parametrize("family", FAMILIES)
def test_that_the_head_of_every_family_equals_the_models_own_logits(family):
    model = tiny_model(family)
    assert head_error(model, HeadSpec.from_model(model)) < 1e-6


def test_that_factor_soft_cap_and_bias_are_found():
    assert HeadSpec.from_model(tiny_model("cohere")).scale == 0.5
    assert HeadSpec.from_model(tiny_model("granite")).scale == 0.5
    assert HeadSpec.from_model(tiny_model("gemma2")).softcap == 3.0
    assert HeadSpec.from_model(tiny_model("phi")).bias is not None


def test_that_a_forgotten_twist_shows_as_an_error():
    model = tiny_model("gemma2")
    assert head_error(model, HeadSpec(HeadSpec.from_model(model).weight)) > 0.01


def test_that_logits_of_a_half_precision_model_are_float32():
    assert (
        HeadSpec.from_model(tiny_model("llama", dtype=torch.bfloat16))
        .logits(torch.randn(2, 32, dtype=torch.bfloat16))
        .dtype
        is torch.float32
    )


def test_that_a_model_without_a_head_is_refused():
    model = tiny_model("llama")
    model.set_output_embeddings(None)
    with pytest.raises(ModelRefused, match="no language-model head"):
        HeadSpec.from_model(model)

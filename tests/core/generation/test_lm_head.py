from __future__ import annotations

import pytest
import torch

from core.domain.errors import ModelRefused
from core.generation.lm_head import HeadSpec, head_error
from tests.tiny_models import FAMILIES, tiny_model


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


def test_that_tiles_join_to_the_whole():
    head = HeadSpec.from_model(tiny_model("llama"))
    hidden = torch.randn(11, 32)
    tiles = torch.cat([z for _, z in head.tiles(hidden, 4)])
    torch.testing.assert_close(tiles, head.logits(hidden))
    targets = torch.arange(11)
    logps = torch.cat([lp for _, lp in head.log_prob_tiles(hidden, 4)]).gather(1, targets[:, None]).squeeze(1)
    torch.testing.assert_close(head.token_logps(hidden, targets, 3), logps)


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

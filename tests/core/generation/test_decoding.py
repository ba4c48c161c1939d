"""Every family decodes what a plain loop of whole rows decodes, and no response runs past the model's positions."""

from __future__ import annotations

import pytest
import torch

from core.domain.errors import BadInput
from core.generation.decoding import can_cache, hidden_states
from core.generation.sampler import DecoderSettings, sample
from core.generation.seeds import uniforms
from tests.tiny_families import FAMILIES, family_model
from tests.tiny_models import tiny_model

PROMPTS = [[5, 9, 12], [7], [30, 31, 32, 33, 34, 35, 36]]
SEEDS = [11, 12, 13]
STATEFUL = ["rwkv", "mamba", "recurrent_gemma", "qwen3_next", "granitemoehybrid", "lfm2", "minimax"]


def plain(model, prompt, seed, tokens, stops=()):
    """One prompt, no cache, no padding."""
    ids = list(prompt)
    for number in uniforms(seed, tokens):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].double()
        sums = torch.softmax(logits, -1).cumsum(-1)
        ids.append(int(torch.searchsorted(sums / sums[-1], torch.tensor(number, dtype=torch.float64), right=True)))
        if ids[-1] in stops:
            break
    return tuple(ids[len(prompt) :])


@pytest.mark.parametrize("family", STATEFUL)
def test_that_a_family_with_a_state_samples_what_whole_rows_give(family):
    model = family_model(family)
    assert not can_cache(model)
    stops = tuple(range(200, 260))
    answers = sample(model, None, PROMPTS, SEEDS, DecoderSettings(max_new_tokens=6), stop_ids=stops)
    assert [a.token_ids for a in answers] == [plain(model, p, s, 6, stops) for p, s in zip(PROMPTS, SEEDS, strict=True)]


def test_that_families_that_only_attend_keep_their_cache():
    for family in ("llama", "gemma3", "gpt_neo", "bloom", "mpt"):
        assert can_cache(family_model(family))
    assert len(FAMILIES) >= 70


@pytest.mark.parametrize("family", ["gpt2", "gpt_neo", "opt"])
def test_that_a_response_ends_where_the_positions_do(family):
    sizes = {"n_positions": 16} if family == "gpt2" else {"max_position_embeddings": 16}
    model = tiny_model("gpt2", **sizes) if family == "gpt2" else resized(family)
    prompts = [list(range(5, 19)), [7, 8], list(range(30, 46))]
    answers = sample(model, None, prompts, SEEDS, DecoderSettings(max_new_tokens=9), stop_ids=())
    assert [len(answer.token_ids) for answer in answers] == [3, 9, 1]
    assert not any(answer.finished for answer in answers)
    expected = [plain(model, p, s, n) for p, s, n in zip(prompts, SEEDS, (3, 9, 1), strict=True)]
    assert [answer.token_ids for answer in answers] == expected
    with pytest.raises(BadInput, match="17 tokens does not fit into the model's 16 positions"):
        sample(model, None, [list(range(5, 22))], [1], DecoderSettings(max_new_tokens=1))


def resized(family):
    """The family with 16 positions."""
    from transformers import AutoModelForCausalLM

    config = family_model(family).config
    config.max_position_embeddings = 16
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()


def test_that_rows_of_a_length_dependent_rope_are_read_one_by_one():
    model = family_model("phi3 longrope")
    rows = [list(range(3, 100)), [5, 6, 7]]
    together = hidden_states(model, rows)[1]
    alone = hidden_states(model, rows[1:])[0]
    assert torch.equal(together, alone)
